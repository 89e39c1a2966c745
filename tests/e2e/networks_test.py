"""Networks with weights from the program: what they find, what cannot serve them and says so, what goes on."""

import json
import shutil
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

    def test_finds_planted_segments_and_says_what_it_lacks(self):
        config = self.generated()
        for encoder in ("gcn", "sage"):
            cohort("run", config, "--quiet",
                   *self.settings(f"model.encoder={encoder}", "train.loss=ns4gc", "train.epochs=60",
                                  "train.learning_rate=0.01"), "--restart", ranks=2)
            result = self.path / "run" / "segments.h5"
            found = evaluate(result, "--truth", self.path / "data" / "truth.tsv")
            self.assertGreater(found["ari"], 0.9, encoder)
            before = datasets(result)
            # The network is beside the result, or nothing is said of it.
            alone = self.path / "alone" / "segments.h5"
            alone.parent.mkdir(exist_ok=True)
            shutil.copy(result, alone)
            new = self.write("new.tsv", "someone\ti1\n")
            output = self.path / "assigned.csv"
            for command in (["explain", "--result", alone, "--user", "u1"],
                            ["explain", "--result", alone, "--segment", 0],
                            ["assign", "--result", alone, "--interactions", new, "--output", output]):
                done = cohort(*command, ranks=2, check=False)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn("graph.h5", done.stderr)
            self.assertFalse(output.exists())
            self.assertEqual(datasets(result), before)

    def interactions(self):
        """The header of the generated file, and by user the lines."""
        header, *lines = (self.path / "data" / "interactions.tsv").read_text().splitlines(keepends=True)
        users = {}
        for line in lines:
            users.setdefault(line.split("\t")[0], []).append(line)
        return header, users

    def test_newcomers_land_in_their_planted_segment_and_old_users_where_they_are(self):
        config = self.generated()
        header, users = self.interactions()
        truth, items = (dict(line.split() for line in (self.path / "data" / name).read_text().splitlines()[1:])
                        for name in ("truth.tsv", "item_truth.tsv"))
        new = set(list(users)[::6])
        train, arrive = (self.write(name, header + "".join(line for user, part in users.items() if (user in new) == which
                                                           for line in part))
                         for name, which in (("train.tsv", False), ("arrive.tsv", True)))
        for kind, encoder in (("bipartite", "gcn"), ("user", "gcn"), ("user", "sage"), ("bipartite", "sage")):
            with self.subTest(kind=kind, encoder=encoder):
                cohort("run", config, "--quiet", "--restart", *self.settings(
                    f"input.interactions={train}", f"graph.kind={kind}", f"model.encoder={encoder}", "train.loss=ns4gc",
                    "train.epochs=60", "train.learning_rate=0.01"), ranks=2)
                result = self.path / "run" / "segments.h5"
                answers = [cohort("assign", "--result", result, "--interactions", arrive, ranks=ranks, threads=threads).stdout
                           for ranks, threads in ((1, 2), (3, 1))]
                self.assertEqual(sorted(answers[0].splitlines()), sorted(answers[1].splitlines()))
                with h5py.File(result, "r") as file:
                    own = dict(zip(file["users/id"].asstr()[...], file["users/segment"][...]))
                # What a segment is called is told by the users that trained.
                called = {}
                for user, segment in own.items():
                    called.setdefault(segment, []).append(truth[user])
                called = {segment: max(set(part), key=part.count) for segment, part in called.items()}
                landed = [json.loads(line) for line in answers[0].splitlines()]
                self.assertEqual({answer["user"] for answer in landed}, new)
                right = sum(called[answer["segment"]] == truth[answer["user"]] for answer in landed)
                self.assertGreater(right, 0.9 * len(new))
                self.assertTrue(all(len(answer["recommendations"]) == 20 for answer in landed))
                back = [json.loads(line) for line in
                        cohort("assign", "--result", result, "--interactions", train).stdout.splitlines()]
                same = sum(answer["segment"] == own[answer["user"]] for answer in back)
                self.assertGreater(same, 0.95 * len(own))
                stranger = self.write("stranger.tsv", arrive.read_text() + "nobody\tno such item\n")
                answer = [json.loads(line) for line in
                          cohort("assign", "--result", result, "--interactions", stranger).stdout.splitlines()]
                self.assertEqual([each["segment"] for each in answer if each["user"] == "nobody"], [None])
                # The stream says what the files say, of users of the graph and of others.
                lines = {}
                for name in (train, stranger):
                    for line in name.read_text().splitlines()[1:]:
                        user, item = line.split("\t")[:2]
                        lines.setdefault((name, user), []).append(item)
                asked = self.write("asked.jsonl", "".join(json.dumps({"user": user, "items": have}) + "\n"
                                                         for (_, user), have in lines.items()))
                with asked.open() as stream:
                    streamed = [json.loads(line) for line in
                                cohort("assign", "--result", result, "--stream", stdin=stream).stdout.splitlines()]
                self.assertEqual({each["user"]: each for each in streamed},
                                 {each["user"]: each for each in back + answer})

                # A segment holds together by nodes of its own group.
                group, neighbour = (truth, "user") if kind == "user" else (items, "item")
                said = json.loads(cohort("explain", "--result", result, "--segment", 0, "--json", ranks=2).stdout)
                held = [group[part[neighbour]] == called[0] for part in said["left_out"]["contributions"][:10]]
                self.assertGreater(sum(held), 8)
                self.assertGreater(said["left_out"]["contributions"][0]["contribution"], 0)
                self.assertIn("run again on the whole graph without these edges",
                              cohort("explain", "--result", result, "--segment", 0).stdout)

                # Leaving out an edge: one to the user's own group speaks for its segment rather than one to the next.
                words = cohort("explain", "--result", result, "--user", next(iter(own)), ranks=2).stdout
                self.assertIn("run again on the whole graph without the edge", words)
                for user in list(own)[:12]:
                    said = json.loads(cohort("explain", "--result", result, "--user", user, "--json").stdout)
                    self.assertEqual(said["segment"], own[user])
                    self.assertGreater(said["difference"], 0)
                    parts = said["left_out"]["contributions"]
                    self.assertEqual(len(parts), said["left_out"]["recomputed"])
                    means = [numpy.mean([part["contribution"] for part in parts
                                         if group[part[neighbour]] == called[said[side]]] or [numpy.nan])
                             for side in ("segment", "runner_up")]
                    if not numpy.isnan(means).any():
                        self.assertGreater(means[0], means[1])
                        self.assertLess(means[1], 0)
                        break
                else:
                    self.fail("no user with neighbours of both groups")

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
