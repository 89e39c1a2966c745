"""Networks with weights from the program: what they find, what cannot serve them and says so, what goes on."""

import unittest

import h5py
import numpy

from support import WithDirectory, cohort, datasets, evaluate


class Networks(WithDirectory):
    def generated(self):
        cohort("generate", "--output", self.path / "data", "--users", 300, "--items", 200, "--interactions", 6000,
               "--segments", 3, "--noise", 0.1, "--seed", 3)
        return self.path / "data" / "config.toml"

    def settings(self, *settings):
        return [part for setting in (f"output.directory={self.path}/run", "model.dim=16", "segment.count=3",
                                     "recommend.strategy=personal", *settings) for part in ("--set", setting)]

    def test_finds_planted_segments_and_says_what_cannot_serve_it(self):
        config = self.generated()
        for encoder in ("gcn", "sage"):
            cohort("run", config, "--quiet",
                   *self.settings(f"model.encoder={encoder}", "train.loss=ns4gc", "train.epochs=60",
                                  "train.learning_rate=0.01"), "--restart", ranks=2)
            result = self.path / "run" / "segments.h5"
            found = evaluate(result, "--truth", self.path / "data" / "truth.tsv")
            self.assertGreater(found["ari"], 0.9, encoder)
            user = h5py.File(result, "r")["users/id"][0].decode()
            before = datasets(result)
            new = self.write("new.tsv", "someone\ti1\n")
            output = self.path / "assigned.csv"
            for ranks in (1, 2):
                for command in (["explain", "--result", result, "--user", user],
                                ["explain", "--result", result, "--segment", 0],
                                ["assign", "--result", result, "--interactions", new, "--output", output]):
                    done = cohort(*command, ranks=ranks, check=False)
                    self.assertEqual(done.returncode, 2, done.stderr)
                    self.assertEqual(done.stdout, "")
                    self.assertEqual(done.stderr.count(f'model.encoder = "{encoder}"'), 1, done.stderr)
            self.assertFalse(output.exists())
            self.assertEqual(datasets(result), before)

    def test_a_longer_training_goes_on_from_a_shorter_one(self):
        config = self.generated()
        network = ["model.encoder=gcn", "train.loss=ns4gc"]
        cohort("run", config, "--quiet", *self.settings(*network, "train.epochs=12"), ranks=2)
        with h5py.File(self.path / "run" / "model.h5", "r") as model:
            whole = model["embedding"][...]
            weight = model["replicated/layer_2"][...]
        self.assertTrue(numpy.isfinite(whole).all() and weight.any())
        # The checkpoint of epoch 10, taken up on other ranks.
        cohort("train", config, "--quiet", *self.settings(*network, "train.epochs=12"), "--previous", ranks=3)
        with h5py.File(self.path / "run" / "model.h5", "r") as model:
            numpy.testing.assert_array_equal(model["embedding"][...], whole)
            numpy.testing.assert_array_equal(model["replicated/layer_2"][...], weight)


if __name__ == "__main__":
    unittest.main(verbosity=2)
