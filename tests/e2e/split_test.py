"""A hold-out by a column: the same graph as of two files, whatever the format and the words; what is refused."""

import csv
import gzip
import io
import json
import os
import random
import subprocess
import unittest

from support import WithDirectory, cohort, datasets

NAMES = ("user", "item", "rating", "time", "fold")


def records():
    draw = random.Random(5)
    rows = [(f"u{draw.randrange(40)}", f"i{draw.randrange(50)}", 1 + draw.randrange(5), 1_400_000_000 + draw.randrange(10**6),
             draw.choice(["train"] * 6 + ["test", "validation"])) for _ in range(1200)]
    # An item and a user of the test alone: the one is missed for certain, the other left out.
    return rows + [("u1", "new", 3, 1_400_000_000, "test"), ("nobody", "i1", 3, 1_400_000_000, "test")]


ROWS = records()


def text_of(rows, header=True):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows(([NAMES[:len(rows[0])]] if header else []) + rows)
    return text.getvalue()


def in_words(words):
    return [row[:4] + (words[row[4]],) for row in ROWS]


class Split(WithDirectory):
    def prepared(self, settings, ranks=1, check=True):
        config = self.write("config.toml", f'[input]\n{settings}\n[output]\ndirectory = "{self.path}/out"\n')
        return cohort("prepare", config, ranks=ranks, check=check)

    def graph(self):
        return datasets(self.path / "out" / "graph.h5")

    def test_the_same_as_two_files(self):
        self.write("train.csv", text_of([row[:4] for row in ROWS if row[4] == "train"]))
        self.write("test.csv", text_of([row[:4] for row in ROWS if row[4] == "test"]))
        self.prepared('interactions = "train.csv"\ntest = "test.csv"')
        expected = self.graph()
        self.assertIn("holdout/item", expected)
        others = sum(row[4] == "validation" for row in ROWS)
        objects = [dict(zip(NAMES, row)) for row in in_words({"train": False, "test": True, "validation": "val"})]
        column = 'columns = {split = "fold"}'
        by_place = "columns = {user = 0, item = 1, weight = 2, time = 3, split = 4}"
        dev = in_words({"train": " Training ", "test": "TESTING", "validation": "dev"})
        files = [("a.csv", text_of(ROWS), column, 1), ("a.csv", text_of(ROWS), column, 3),
                 ("b.csv", text_of(in_words({"train": 0, "test": "1.0", "validation": "valid"}), header=False), by_place, 2),
                 ("c.tsv.gz", gzip.compress(text_of(dev).replace(",", "\t").encode()), column, 2),
                 ("d.jsonl", "".join(json.dumps(one) + "\n" for one in objects), column, 2)]
        python = os.environ.get("COHORT_PYARROW")
        if python:
            self.write("rows.json", json.dumps(in_words({"train": "train", "test": "test", "validation": "val"})))
            subprocess.run([python, "-c", "import json, sys, pyarrow, pyarrow.parquet\n"
                            f"columns = zip({NAMES!r}, zip(*json.load(open(sys.argv[1]))))\n"
                            "pyarrow.parquet.write_table(pyarrow.table(dict(columns)), sys.argv[2], row_group_size=100)",
                            self.path / "rows.json", self.path / "e.parquet"], check=True)
            files.append(("e.parquet", None, column, 2))
        for name, content, columns, ranks in files:
            if content is not None:
                self.write(name, content)
            done = self.prepared(f'interactions = "{name}"\n{columns}', ranks=ranks)
            self.assertEqual(self.graph(), expected, name)
            self.assertIn(f"{others} records whose split is validation left out", done.stderr)
            self.assertIn('split: column 4', done.stderr)

    def test_refused(self):
        self.write("log.csv", text_of(ROWS))
        self.write("test.csv", text_of([row[:4] for row in ROWS if row[4] == "test"]))
        self.write("words.csv", text_of(in_words({"train": "train", "test": "perhaps", "validation": "train"})))
        self.write("all.csv", text_of(in_words({"train": "test", "test": "test", "validation": "test"})))
        column = 'columns = {split = "fold"}'
        for settings, words in ((f'interactions = "log.csv"\n{column}\nholdout = 0.1', "input.holdout"),
                                (f'interactions = "log.csv"\n{column}\nholdout_last = 1', "input.holdout_last"),
                                (f'interactions = "log.csv"\n{column}\ntest = "test.csv"', "input.test"),
                                ('interactions = "test.csv"\n' + column, "fold"),
                                ('interactions = "log.csv"\ncolumns = {split = "rating"}', "something else"),
                                (f'interactions = "words.csv"\n{column}', 'the split "perhaps" is neither train'),
                                (f'interactions = "all.csv"\n{column}', "input.columns.split")):
            done = self.prepared(settings, ranks=2, check=False)
            self.assertEqual((done.returncode, done.stderr.count("error: ")), (2, 1), done.stderr)
            self.assertIn(words, done.stderr)
        self.assertFalse((self.path / "out" / "graph.h5").exists())
        # A name alone says nothing, and without records of test nothing is held out, which is said.
        self.write("split.csv", text_of(ROWS).replace("fold", "split"))
        self.prepared('interactions = "split.csv"')
        self.assertNotIn("holdout/item", self.graph())
        self.write("train.csv", text_of([row for row in ROWS if row[4] == "train"]))
        done = self.prepared(f'interactions = "train.csv"\n{column}')
        self.assertIn("nothing is held out to test with", done.stderr)


if __name__ == "__main__":
    unittest.main()
