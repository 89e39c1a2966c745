"""Data of which little is left where some is held back, or that joins nobody: a run ends well, or says what is missing; and what
else is read as it was in training, of users who are new."""

import itertools
import json
import unittest

from support import WithDirectory, cohort, datasets


class LittleData(WithDirectory):
    def run_it(self, text, config, *settings, ranks=1, check=True, output="run"):
        self.write("p.tsv", text)
        path = self.write("c.toml", '[input]\ninteractions = "p.tsv"\n' + config)
        return cohort("run", path, "--restart", "--set", f"output.directory={self.path / output}",
                      *(part for one in settings for part in ("--set", one)), ranks=ranks, check=check)

    def test_fewer_segments_without_what_is_held_back(self):
        """All users differ, but not those of whom one of two items is held back."""
        pairs = "".join(f"u{n}\ti{a}\nu{n}\ti{b}\n" for n, (a, b) in enumerate(itertools.combinations(range(12), 2)))
        for config in ('[model]\nencoder = "spectral"\n[segment]\ncount = 66\n',
                       '[model]\nencoder = "spectral"\n[segment]\nlevels = [2, 64, 66]\n'):
            for ranks in (1, 3):
                self.run_it(pairs, config, ranks=ranks, output=f"at{ranks}")
            one, three = (datasets(self.path / f"at{ranks}" / "segments.h5") for ranks in (1, 3))
            self.assertEqual(one["segments/size"][0], (66,))
            self.assertEqual([name for name in one if one[name] != three.get(name)], [])

    def test_soft_segments_that_are_nobodys(self):
        text = "".join(f"{g}{u}\t{g}i{i}\n" for g in "ab" for u in range(10) for i in range(3))
        self.run_it(text, '[graph]\nkind = "user"\n[model]\nencoder = "gcn"\n[train]\nloss = "dmon"\nepochs = 30\n[segment]\ncount = 10\n')
        found = datasets(self.path / "run" / "segments.h5")
        self.assertLess(found["segments/size"][0][0], 10)
        self.assertIn("users/recommendations/item", found)

    def test_nothing_left_to_train_on(self):
        """Whatever of the only item that joins two users is held back."""
        text = "u1\ta\nu1\tx\nu2\ta\nu2\ty\nu3\tz\nu3\tw\n"
        said = 0
        for seed in range(1, 5):
            done = self.run_it(text, '[graph]\nkind = "user"\n[model]\nencoder = "lightgcn"\n[train]\nepochs = 2\n[segment]\ncount = 2\n',
                               f"train.seed={seed}")
            said += "so nothing is held back to choose by" in done.stderr
        self.assertGreater(said, 0)

    def test_nobody_is_joined(self):
        for ranks in (1, 3):
            done = self.run_it("u1\ti1\nu2\ti2\nu3\ti3\n", '[graph]\nkind = "user"\n[segment]\ncount = 1\n', ranks=ranks, check=False)
            self.assertEqual((done.returncode, done.stderr.count("nothing to cluster by")), (2, 1), done.stderr)

    def test_shards_of_nothing(self):
        text = "".join(f"u{n}\ti{n % 3}\n" for n in range(9))
        done = self.run_it(text, "[segment]\ncount = 2\n", "partition.shards=1000000000", check=False)
        self.assertEqual((done.returncode, done.stderr.count("the graph has only 12 nodes")), (2, 1), done.stderr)

    def test_repeats_of_new_users(self):
        log = "user,item,rating,timestamp\n" + "".join(
            f"u{u},i{u % 2 * 10 + (u * 3 + k) % 10},{1 + k},{1600000000 + k}\n" for u in range(40) for k in range(4))
        for repeats, merged in (("sum", 11), ("last", 1), ("mean", 11 / 3)):
            self.write("log.csv", log)
            config = self.write("r.toml", '[input]\ninteractions = "log.csv"\n[clean]\n' + f'repeats = "{repeats}"\n'
                                '[graph]\nweight = "raw"\n[train]\nepochs = 3\n[segment]\ncount = 2\n')
            result = self.path / repeats / "segments.h5"
            cohort("run", config, "--set", f"output.directory={result.parent}", "--set", "recommend.strategy=segment")
            head = "user,item,rating,timestamp\n"
            several = self.write("a.csv", head + "z,i1,5,1600000000\nz,i1,5,1600000001\nz,i1,1,1600000002\nz,i2,2,1600000000\n")
            once = self.write("b.csv", head + f"z,i1,{merged},1600000002\nz,i2,2,1600000000\n")
            answers = [json.loads(cohort("assign", "--result", result, "--interactions", file, ranks=ranks).stdout)
                       for file in (several, once) for ranks in (1, 2)]
            self.assertTrue(all(answer == answers[0] for answer in answers), repeats)
            timeless = self.write("t.csv", "user,item,rating\nz,i1,5\nz,i1,1\nz,i2,2\n")
            done = cohort("assign", "--result", result, "--interactions", timeless, check=False)
            self.assertEqual(done.returncode, 2 if repeats == "last" else 0, done.stderr)

    def test_average_users_have_features(self):
        """Whose values are those of the mean are zeros once columns are standardised, but no users without a row."""
        log = "".join(f"u{u}\ti{u % 4}\nu{u}\ti{4 + u % 2}\n" for u in range(40))
        self.write("people.csv", "id,age\n" + "".join(f"u{u},{20 + 20 * (u % 2)}\n" for u in range(40)))
        self.run_it(log, 'user_features = "people.csv"\n[train]\nepochs = 3\n[segment]\ncount = 2\n', "recommend.strategy=segment")
        new = self.write("new.csv", "id,age\nn1,30\nn2,30.5\n")
        lines = cohort("assign", "--result", self.path / "run" / "segments.h5", "--user-features", new).stdout.splitlines()
        self.assertEqual([json.loads(line)["segment"] is None for line in lines], [False, False])
        huge = self.write("huge.csv", "id,age\nn1,3.4e38\n")
        done = cohort("assign", "--result", self.path / "run" / "segments.h5", "--user-features", huge, check=False)
        self.assertIn(done.returncode, (0, 2))
        if done.returncode == 2:
            self.assertEqual(done.stderr.count("too large to be scaled"), 1, done.stderr)

    def test_rerun_of_stages_and_of_other_attributes(self):
        text = "".join(f"u{n}\ti{n % 7}\nu{n}\ti{(n + 1) % 7}\n" for n in range(60))
        self.write("p.tsv", text)
        self.write("items.csv", "id,title\n" + "".join(f"i{n},title {n}\n" for n in range(7)))
        config = self.write("c.toml", '[input]\ninteractions = "p.tsv"\n[train]\nepochs = 2\n[segment]\ncount = 2\n'
                            f'[output]\ndirectory = "{self.path / "run"}"\n')
        result = self.path / "run" / "segments.h5"
        for stage in ("prepare", "partition", "train", "segment"):
            cohort(stage, config)
        self.assertIn("identical", cohort("rerun", result).stdout)
        cohort("run", config, "--restart", "--set", f"input.item_attributes={self.path / 'items.csv'}")
        self.write("items.csv", "id,title\n" + "".join(f"i{n},other {n}\n" for n in range(7)))
        done = cohort("rerun", result, check=False)
        self.assertEqual((done.returncode, "items.csv" in done.stderr, "has changed since" in done.stderr), (2, True, True), done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
