"""Profiles and explanations of planted segments, by the program: what marks a segment is what was planted, and so is
what explains its users; the same bits at any number of ranks."""

import collections
import csv
import io
import json
import shutil
import unittest

from support import WithDirectory, cohort, datasets


def lines(path):
    with open(path) as file:
        next(file)
        return [line.rstrip("\n").split("\t")[:2] for line in file]


class Profile(WithDirectory):
    def planted(self, *settings):
        self.data = self.path / "data"
        cohort("generate", "--users", 600, "--items", 240, "--interactions", 15000, "--segments", 4, "--noise", 0.1,
               "--seed", 3, "--output", self.data, "--quiet")
        self.settings = ["--set", "train.epochs=15", "--set", "partition.shards=16", *settings, "--quiet"]
        cohort("run", self.data / "config.toml", *self.settings)
        self.result = self.data / "run" / "segments.h5"

    def test_planted(self):
        self.planted("--set", "input.holdout=0.2")
        truth = dict(lines(self.data / "truth.tsv"))
        by_item = collections.defaultdict(collections.Counter)
        for user, item in lines(self.data / "interactions.tsv"):
            by_item[item][truth[user]] += 1
        home = {item: counts.most_common(1)[0][0] for item, counts in by_item.items()}

        text = cohort("profile", self.data / "config.toml", "--json", *self.settings).stdout
        profiles = json.loads(text)
        self.assertGreater(profiles["tested"]["items"], 20)
        for segment in profiles["segments"]:
            marking = [item["id"] for item in segment["items"] if item["marking"]]
            self.assertGreater(len(marking), 3)
            homes = collections.Counter(home[item] for item in marking)
            self.assertEqual(homes.most_common(1)[0][1], len(marking), homes)
            self.assertIn("marked by " + marking[0], segment["description"])

        # The same file and words from three ranks; and as lines.
        copy = self.path / "copy"
        shutil.copytree(self.data / "run", copy)
        again = cohort("profile", self.data / "config.toml", "--json", *self.settings, "--set",
                       f"output.directory={copy}", ranks=3).stdout
        self.assertEqual(text, again)
        self.assertEqual(datasets(self.result), datasets(copy / "segments.h5"))
        rows = list(csv.DictReader(io.StringIO(
            cohort("profile", self.data / "config.toml", "--csv", *self.settings).stdout)))
        self.assertEqual(sum(row["kind"] == "segment" for row in rows), 4)
        self.assertEqual(sum(row["kind"] == "item" for row in rows), profiles["tested"]["items"])

        # What explains a user in the middle of a segment are that segment's items.
        right = total = 0
        for segment in profiles["segments"]:
            user = segment["representative"][0]["user"]
            arguments = ("explain", "--result", self.result, "--user", user, "--json")
            text = cohort(*arguments).stdout
            explained = json.loads(text)
            exact = explained["exact"]
            parts = [c["contribution"] for c in exact["contributions"]] + [exact["own"], exact["constant"]]
            self.assertAlmostEqual(sum(parts), explained["difference"], places=4)
            best = [home[c["item"]] == truth[user] for c in exact["contributions"][:5]]
            right += sum(best)
            total += len(best)
        self.assertGreater(right, 0.8 * total)
        self.assertEqual(text, cohort(*arguments, ranks=3).stdout)
        held = json.loads(cohort("explain", "--result", self.result, "--segment", 0, "--json").stdout)
        self.assertGreater(held["difference"], 0)
        self.assertEqual(len({home[item["item"]] for item in held["items"][:5]}), 1)

        # Errors, each said once.
        for arguments, expected in ((["--user", "nobody"], "there is no user nobody among the 600 users"),
                                    (["--segment", "4"], "has segments 0 to 3")):
            done = cohort("explain", "--result", self.result, *arguments, ranks=3, check=False)
            self.assertEqual(done.returncode, 2)
            self.assertEqual(done.stderr.count(expected), 1, done.stderr)
        done = cohort("profile", self.data / "config.toml", *self.settings, "--set", "segment.count=5", check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("cohort segment", done.stderr)
        cohort("prepare", self.data / "config.toml", *self.settings, "--set", "train.seed=9")
        done = cohort("explain", "--result", self.result, "--segment", "0", check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("is not the graph", done.stderr)

    def test_without_holdout_nothing_marks(self):
        self.planted()
        done = cohort("profile", self.data / "config.toml", *self.settings[:-1])
        self.assertIn("set input.holdout", done.stderr)
        self.assertIn("nothing was tested on held-out interactions", done.stdout)
        self.assertNotIn("marked by", done.stdout)


if __name__ == "__main__":
    unittest.main()
