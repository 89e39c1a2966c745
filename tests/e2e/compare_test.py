"""compare, export and rerun: what is done with results, against numpy and the files themselves; and weights over time."""

import csv
import io
import itertools
import json
import os
import unittest

import h5py
import numpy

from support import WithDirectory, changed, cohort, datasets


class Compare(WithDirectory):
    def results(self, *settings):
        """One made-up population, run once for each list of settings."""
        data = self.path / "data"
        cohort("generate", "--output", data, "--users", 300, "--items", 150, "--interactions", 5000, "--segments", 4,
               "--noise", 0.2, "--seed", 3)
        paths = []
        for number, overrides in enumerate(settings):
            output = self.path / f"run{number}"
            cohort("run", data / "config.toml", "--quiet", *(part for setting in
                   ("train.epochs=3", f"output.directory={output}", *overrides) for part in ("--set", setting)))
            paths.append(output / "segments.h5")
        return paths

    def test_counts_and_matching(self):
        # The second run has other segments, and lacks users with few interactions.
        first, second = self.results(["segment.count=4"],
                                     ["segment.count=6", "train.seed=9", "clean.min_user_interactions=12"])
        text = cohort("compare", first, second, "--json", ranks=3).stdout
        self.assertEqual(text, cohort("compare", first, second, "--json").stdout)
        found = json.loads(text)
        segment = []
        for path in (first, second):
            with h5py.File(path, "r") as file:
                segment.append(dict(zip(file["users/id"][...], file["users/segment"][...])))
        table = numpy.zeros((4, 6), int)
        for user, one in segment[0].items():
            if user in segment[1]:
                table[one, segment[1][user]] += 1
        common = table.sum()
        self.assertLess(common, len(segment[0]))
        self.assertEqual(found["users"], {"first": len(segment[0]), "second": len(segment[1]), "common": common,
                                          "gone": len(segment[0]) - common, "new": len(segment[1]) - common})
        flows = numpy.zeros_like(table)
        for flow in found["flows"]:
            flows[flow["from"], flow["to"]] = flow["users"]
        numpy.testing.assert_array_equal(flows, table)
        best = max(sum(table[i, to[i]] for i in range(4)) for to in itertools.permutations(range(6), 4))
        self.assertEqual(found["stayed"], best)
        self.assertAlmostEqual(found["stay_share"], best / common)
        self.assertEqual(sum(pair["users"] for pair in found["matching"]), best)
        same = json.loads(cohort("compare", first, first, "--json").stdout)
        self.assertEqual((same["ari"], same["stay_share"], same["users"]["new"]), (1.0, 1.0, 0))
        self.assertIn("100.0 %", cohort("compare", first, first, ranks=2).stdout)

    def test_export_reads_back(self):
        lines = [f"{user}\t{item}\n" for u in range(40) for user in [f'u,{u}' if u % 2 else f'"{u}" é']
                 for item in (f"i{u % 5}", f"i{u % 7}", f"j{u % 3}")]
        config = self.write("c.toml", '[input]\ninteractions = "i.tsv"\n[model]\ndim = 10\n[train]\nepochs = 2\n'
                            "[segment]\ncount = 3\n")
        self.write("i.tsv", "".join(lines))
        cohort("run", config, "--quiet", "--set", f"output.directory={self.path}/out")
        result = self.path / "out" / "segments.h5"
        with h5py.File(result, "r") as file:
            ids = [value.decode() for value in file["users/id"][...]]
            items = [value.decode() for value in file["items/id"][...]]
            data = {name: file[name][...] for name in ("users/segment", "users/distance", "users/margin",
                                                       "users/embedding", "items/embedding", "segments/size")}
        text = {}
        for what in ("users", "embedding", "items", "segments"):
            for form in ("csv", "jsonl"):
                output = self.path / f"{what}.{form}"
                cohort("export", result, "--what", what, "--format", form, "--output", output, ranks=3)
                text[what, form] = output.read_text()
                self.assertEqual(text[what, form], cohort("export", result, "--what", what, "--format", form).stdout)
        self.assertFalse([name for name in os.listdir(self.path) if ".tmp" in name])

        def rows(what):
            return list(csv.DictReader(io.StringIO(text[what, "csv"])))

        def objects(what):
            return [json.loads(line) for line in text[what, "jsonl"].splitlines()]

        for found in (rows("users"), rows("embedding"), objects("users"), objects("embedding")):
            self.assertEqual([row["id"] for row in found], ids)
            self.assertEqual([int(row["segment"]) for row in found], list(data["users/segment"]))
            for name in ("distance", "margin"):
                numpy.testing.assert_array_equal(numpy.array([row[name] for row in found], "f4"), data[f"users/{name}"])
        for what, name in (("embedding", "users/embedding"), ("items", "items/embedding")):
            table = [[row[f"e{c}"] for c in range(10)] for row in rows(what)]
            numpy.testing.assert_array_equal(numpy.array(table, "f4"), data[name])
            numpy.testing.assert_array_equal(numpy.array([row["embedding"] for row in objects(what)], "f4"), data[name])
        self.assertEqual([row["id"] for row in rows("items")], items)
        self.assertEqual([int(row["users"]) for row in rows("segments")], list(data["segments/size"]))
        for row, found in zip(rows("segments"), objects("segments")):
            mean = data["users/distance"][data["users/segment"] == found["segment"]].mean()
            self.assertAlmostEqual(float(row["mean_distance"]), mean, places=5)
            self.assertEqual(float(row["mean_distance"]), found["mean_distance"])
            self.assertAlmostEqual(found["share"], found["users"] / 40)

    def test_rerun_tells_what_differs(self):
        result, = self.results(["input.holdout=0.1"])
        before = os.listdir(result.parent)
        done = cohort("rerun", result, ranks=3, threads=2)
        self.assertTrue(done.stdout.startswith("identical: "), done.stdout)
        self.assertEqual(os.listdir(result.parent), before)
        kept = self.path / "again"
        cohort("rerun", result, "--output", kept)
        self.assertEqual(datasets(kept / "segments.h5"), datasets(result))
        self.assertEqual(cohort("rerun", result, "--output", kept, check=False).returncode, 2)

        same = len(datasets(result)) - 1
        with changed(result) as file:
            file["users/distance"][17] += 1
            file["more"] = [1, 2]
        for ranks in (1, 3):
            done = cohort("rerun", result, ranks=ranks, check=False)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn(f"other bits in /users/distance; not made again: /more; the same bits in {same} datasets", done.stderr)
        self.assertEqual(os.listdir(result.parent), before)
        with open(self.path / "data" / "interactions.tsv", "a") as file:
            file.write("u1\ti1\n")
        done = cohort("rerun", result, ranks=2, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("interactions.tsv (SHA-256", done.stderr)
        (self.path / "data" / "interactions.tsv").unlink()
        self.assertEqual(cohort("rerun", result, check=False).returncode, 2)

    def test_a_budget_of_time_reruns_to_the_same_epoch(self):
        result, = self.results(["train.epochs=1000000", "train.minutes=0.005", "train.checkpoint_every=0"])
        self.assertIn("identical", cohort("rerun", result).stdout)

    def test_refusals(self):
        result, = self.results(["train.epochs=1"])
        graph = result.parent / "graph.h5"
        junk = self.write("junk.h5", "no HDF5")
        for arguments in (("compare", result, graph), ("compare", junk, result), ("export", graph), ("rerun", graph),
                          ("rerun", "none.h5"), ("export", result, "--format", "xml"),
                          ("export", result, "--output", self.path / "no" / "where.csv")):
            done = cohort(*arguments, ranks=2, check=False)
            self.assertEqual(done.returncode, 2, arguments)
        self.write("e.txt", "".join(f"x{i} x{i + 1}\n" for i in range(30)))
        config = self.write("c.toml", '[input]\nsocial = "e.txt"\n[train]\nepochs = 1\n[segment]\ncount = 2\n')
        cohort("run", config, "--quiet", "--set", f"output.directory={self.path}/social")
        social = self.path / "social" / "segments.h5"
        self.assertIn("no items", cohort("export", social, "--what", "items", check=False).stderr)
        done = cohort("compare", result, social, ranks=3, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("no user in common", done.stderr)

    def test_events_and_ages_give_the_same_bits(self):
        random = numpy.random.default_rng(1)
        kinds = ("view", "buy", "spam")
        lines = [f"u{random.integers(60)},i{random.integers(30)},{kinds[random.integers(3)]},{1.6e9 + day * 86400:.0f}\n"
                 for day in random.integers(0, 400, 1500)]
        self.write("e.csv", "user,item,event,timestamp\n" + "".join(lines))
        config = self.write("c.toml", """
[input]
interactions = "e.csv"
holdout = 0.1
holdout_split = "temporal"
[graph]
weight = "log"
half_life = 60
event_weights = {view = 1, buy = 5, spam = 0}
[train]
epochs = 2
[segment]
count = 3
""")
        found = []
        for ranks in (1, 3):
            output = self.path / f"out{ranks}"
            done = cohort("run", config, "--set", f"output.directory={output}", ranks=ranks)
            self.assertIn("records of events with graph.event_weights 0 removed", done.stderr)
            self.assertIn("held out is what came after time", done.stderr)
            found.append([datasets(output / name) for name in ("graph.h5", "segments.h5")])
        self.assertEqual(found[0], found[1])
        output = f"output.directory={self.path}/out1"
        self.assertEqual(cohort("partition", config, "--set", output).returncode, 0)
        for setting in ("graph.half_life=30", "input.holdout_split=random", "graph.event_weights={view=1, buy=4, spam=0}"):
            done = cohort("partition", config, "--set", output, "--set", setting, check=False)
            self.assertEqual(done.returncode, 2, setting)
            self.assertIn("made with other settings", done.stderr)
        # What items are does not shape the graph.
        self.write("i.csv", "id,kind\ni1,a\n")
        cohort("partition", config, "--set", output, "--set", f"input.item_attributes={self.path}/i.csv")


if __name__ == "__main__":
    unittest.main(verbosity=2)
