"""export: every table of a result as CSV, JSON lines and Parquet, read by pandas and pyarrow, beside the HDF5."""

import csv
import json
import os
import pathlib
import subprocess
import unittest

import h5py
import numpy

from support import WithDirectory, cohort

TABLES = ("users", "embedding", "segments", "items", "profile", "recommendations")


class Export(WithDirectory):
    @classmethod
    def setUpClass(cls):
        cls.python = os.environ.get("COHORT_PYARROW")

    def run_it(self):
        # Ids that numbers would not keep, and that CSV has to quote.
        self.write("log.csv", "user,item,timestamp\n" + "".join(
            f'{u:05d},"{(u % 2) * 20 + (u * 3 + k * k) % 20:03d}, é",{1_400_000_000 + u * k}\n' for u in range(60) for k in range(6)))
        self.write("members.csv", "user,age,club\n" + "".join(f"{u:05d},{20 + u},{'ab'[u % 2]}\n" for u in range(60)))
        self.write("config.toml", '[input]\ninteractions = "log.csv"\nuser_attributes = "members.csv"\nholdout = 0.2\n'
                                  '[model]\ndim = 8\n[segment]\ncount = 2\n[train]\nloss = "bpr"\nepochs = 3\n'
                                  '[recommend]\nstrategy = "segment"\ncount = 4\n'
                                  f'[output]\ndirectory = "{self.path}/out"\n')
        cohort("run", self.path / "config.toml", "--quiet")
        return self.path / "out" / "segments.h5"

    def exported(self, result, what, ending, ranks=1):
        output = self.path / f"{what}.{ending}"
        cohort("export", result, "--what", what, "--output", output, "--quiet", ranks=ranks)
        return output

    def test_every_table(self):
        result = self.run_it()
        with h5py.File(result) as file:
            users = [text.decode() for text in file["users/id"][...]]
            items = [text.decode() for text in file["items/id"][...]]
            data = {name: file[name][...] for name in ("users/segment", "users/distance", "users/margin", "users/embedding",
                                                       "items/embedding", "segments/size")}
            lists = {of: {name: file[f"{of}/recommendations/{name}"][...] for name in ("item", "score")}
                     for of in ("users", "segments")}
            known = file["segments/recommendations/known"][...]
            profile = file["segments/profile"]
            marks = {name: profile[f"items/{name}"][...] for name in ("row_begin", "item", "count", "lift", "p_value", "marking")}
            described = [text.decode() for text in profile["description"][...]]
            ages = profile["numeric/mean"][...]
        tables = {}
        for what in TABLES:
            with open(self.exported(result, what, "csv", ranks=3), newline="") as file:
                tables[what, "csv"] = list(csv.DictReader(file))
            self.exported(result, what, "jsonl", ranks=2)
            tables[what, "jsonl"] = [json.loads(line) for line in (self.path / f"{what}.jsonl").read_text().splitlines()]
            self.assertEqual(len(tables[what, "csv"]), len(tables[what, "jsonl"]))
        if self.python:
            for what in TABLES:
                self.exported(result, what, "parquet", ranks=3)
                text = subprocess.run([self.python, "-c", "import json, sys, pyarrow.parquet\n"
                                       "print(json.dumps(pyarrow.parquet.read_table(sys.argv[1]).to_pylist()))",
                                       self.path / f"{what}.parquet"], check=True, capture_output=True, text=True).stdout
                tables[what, "parquet"] = json.loads(text)
                # JSON has no NaN.
                self.assertEqual([{key: None if value != value else value for key, value in row.items()}
                                  for row in tables[what, "parquet"]],
                                 [self.as_double(what, row) for row in tables[what, "jsonl"]], what)
        self.assertEqual([row["id"] for row in tables["users", "csv"]], users)
        self.assertIn("00007", users)
        embedding = numpy.array([row["embedding"] for row in tables["embedding", "jsonl"]], "f4")
        numpy.testing.assert_array_equal(embedding, data["users/embedding"])
        expected = [(None, s, rank + 1, items[item], lists["segments"]["score"][s, rank], known[s, rank])
                    for s, row in enumerate(lists["segments"]["item"]) for rank, item in enumerate(row) if item >= 0]
        expected += [(users[u], data["users/segment"][u], rank + 1, items[item], lists["users"]["score"][u, rank], None)
                     for u, row in enumerate(lists["users"]["item"]) for rank, item in enumerate(row) if item >= 0]
        found = [(row["user"], row["segment"], row["rank"], row["item"], numpy.float32(row["score"]), row["known"])
                 for row in tables["recommendations", "jsonl"]]
        self.assertEqual(found, expected)
        # What recommend itself writes.
        config = self.path / "config.toml"
        cohort("recommend", config, "--quiet", "--csv", self.path / "own.csv")
        self.assertEqual((self.path / "own.csv").read_text(), (self.path / "recommendations.csv").read_text())
        rows = tables["profile", "jsonl"]
        self.assertEqual([(row["name"], row["count"]) for row in rows if row["kind"] == "segment"],
                         list(zip(described, data["segments/size"].tolist())))
        segment = numpy.repeat(numpy.arange(2), numpy.diff(marks["row_begin"]))
        self.assertEqual([(row["segment"], row["item"], row["count"], row["lift"], row["p_value"], row["marking"])
                          for row in rows if row["kind"] == "item"],
                         [(s, items[i], *rest) for s, i, *rest in zip(segment.tolist(), marks["item"], *(
                             marks[name].tolist() for name in ("count", "lift", "p_value", "marking")))])
        self.assertEqual([row["mean"] for row in rows if row["kind"] == "user_number"], ages.ravel().tolist())
        self.assertEqual({row["kind"] for row in rows if row["item"] is None} - {"user_category", "category"},
                         {"segment", "user_number", "nearest", "representative", "border"})

    @staticmethod
    def as_double(what, row):
        """Numbers of 32 bits have fewer digits in JSON than as Python's own."""
        def exact(key, value):
            if key == "embedding":
                return [float(numpy.float32(number)) for number in value]
            single = key in ("distance", "margin", "score") and what != "profile" and value is not None
            return float(numpy.float32(value)) if single else value

        return {key: exact(key, value) for key, value in row.items()}

    def test_pandas_keeps_ids(self):
        try:
            import pandas
        except ImportError:
            self.skipTest("pandas is not installed (Debian: python3-pandas)")
        result = self.run_it()
        table = pandas.read_csv(self.exported(result, "users", "csv"), dtype={"id": str})
        self.assertEqual(table["id"][7], "00007")
        table = pandas.read_json(self.exported(result, "users", "jsonl"), lines=True, dtype={"id": str})
        self.assertEqual(table["id"][7], "00007")

    def test_what_cannot_be(self):
        result = self.run_it()
        for arguments, code, words in ((("--format", "xml"), 2, "xml"), (("--what", "nothing"), 2, "nothing"),
                                       (("--output", self.path), 2, "it is a directory"),
                                       (("--what", "profile", "--output", "/dev/full"), 1, "No space left")):
            done = cohort("export", result, *arguments, check=False)
            self.assertEqual((done.returncode, done.stdout), (code, ""), done.stderr)
            self.assertIn(words, done.stderr)
        whole = self.path / "whole.parquet"
        for ranks in (1, 3):
            if self.python:
                done = cohort("export", result, "--format", "parquet", "--output", "/dev/full", ranks=ranks, check=False)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertIn("/dev/full: No space left on device", done.stderr)
            else:
                done = cohort("export", result, "--output", whole, ranks=ranks, check=False)
                self.assertEqual((done.returncode, done.stderr.count("error: ")), (2, 1), done.stderr)
                self.assertIn("no Parquet", done.stderr)
        # A result without what is asked for.
        config = self.path / "config.toml"
        bare = f"output.directory={self.path}/bare"
        for stage in ("prepare", "partition", "train", "segment"):
            cohort(stage, config, "--set", bare, "--quiet")
        for what in ("profile", "recommendations"):
            done = cohort("export", self.path / "bare" / "segments.h5", "--what", what, "--output", whole, check=False)
            self.assertEqual(done.returncode, 2)
            self.assertIn(f"has no {what}", done.stderr)
        self.assertFalse([path for path in pathlib.Path(self.path).iterdir() if "whole" in path.name])


if __name__ == "__main__":
    unittest.main()
