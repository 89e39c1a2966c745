"""The Python package in scripts/python: a run, its tables against the HDF5, and what it says of failures."""

import io
import contextlib
import os
import pathlib
import shutil
import sys
import unittest
import unittest.mock

import h5py
import numpy

from support import PROGRAM, WithDirectory, cohort as program

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "scripts" / "python"))
try:
    import pandas

    import cohort
except ImportError:
    pandas = None


@unittest.skipIf(pandas is None, "pandas is not installed (Debian: python3-pandas): the package is not tested")
class Package(WithDirectory):
    def setUp(self):
        super().setUp()
        # Ids that numbers would not keep.
        self.write("log.csv", "user,item,timestamp\n" + "".join(
            f"{u:05d},{(u % 2) * 20 + (u * 3 + k * k) % 20:03d},{1_400_000_000 + u * k}\n" for u in range(60) for k in range(6)))
        self.write("config.toml", f'[input]\ninteractions = "log.csv"\nholdout = 0.1\n[model]\ndim = 8\n[segment]\ncount = 2\n'
                                  f'[train]\nloss = "bpr"\nepochs = 3\n[output]\ndirectory = "{self.path}/out"\n')

    def run_it(self, **options):
        with contextlib.redirect_stderr(io.StringIO()) as shown:
            result = cohort.run(self.path / "config.toml", program=PROGRAM,
                                mpirun=os.environ.get("COHORT_MPIEXEC", "mpirun"), **options)
        return result, shown.getvalue()

    def test_run_and_tables(self):
        result, shown = self.run_it(ranks=2, settings={"train.seed": 7})
        self.assertIn("epoch", shown)
        self.assertEqual(result.configuration["train"]["seed"], 7)
        again = cohort.read(result.path)
        with h5py.File(result.path) as file:
            users = again.users
            self.assertEqual(list(users.index), [text.decode() for text in file["users/id"][...]])
            self.assertIn("00017", users.index)
            for name in ("segment", "distance", "margin"):
                numpy.testing.assert_array_equal(users[name], file[f"users/{name}"][...])
            numpy.testing.assert_array_equal(users[["map_x", "map_y"]], file["users/map"][...])
            numpy.testing.assert_array_equal(again.segments["size"], file["segments/size"][...])
            self.assertEqual(list(again.segments["description"]),
                             [text.decode() for text in file["segments/profile/description"][...]])
            numpy.testing.assert_array_equal(again.items["users"], file["items/users"][...])
            numpy.testing.assert_array_equal(again.history["loss"], file["history/loss"][...])
            numpy.testing.assert_array_equal(again.embedding, file["users/embedding"][...])
            items = [text.decode() for text in file["items/id"][...]]
            listed, score = file["users/recommendations/item"][...], file["users/recommendations/score"][...]
            wanted = [(user, rank + 1, items[listed[u, rank]], score[u, rank]) for u, user in enumerate(users.index)
                      for rank in range(listed.shape[1]) if listed[u, rank] >= 0]
            self.assertEqual(list(again.recommendations.itertuples(index=False, name=None)), wanted)
            marks = again.profiles["items"]
            begin = file["segments/profile/items/row_begin"][...]
            self.assertEqual(list(marks["item"]), [items[i] for i in file["segments/profile/items/item"][...]])
            self.assertEqual(list(marks["segment"]), [s for s in range(len(begin) - 1) for _ in range(begin[s], begin[s + 1])])
        self.assertEqual((again.users["segment"].value_counts().sort_index() == again.segments["size"]).all(), True)
        back = pandas.read_csv(io.StringIO(users.to_csv()), dtype={"user": str})
        self.assertEqual(list(back["user"]), list(users.index))

    def test_a_value_for_each_segment_and_no_other(self):
        # As many tests, tables of attributes and shares as segments: none of them is a value for each.
        users = [f"{u:05d}" for u in range(60)]
        tables = {"user": self.write("users.csv", "user,town\n" + "".join(f"{u},{int(u) % 3}n\n" for u in users)),
                  "item": self.write("items.csv", "item,genre\n" + "".join(f"{i:03d},{i % 3}g\n" for i in range(40)))}
        attributes = {f"input.{of}_attributes": path for of, path in tables.items()}
        values = ["size", "description", "interactions", "distinct_items", "mean_interactions", "median_interactions",
                  "first_time", "last_time", "median_last_time"]
        for count in (1, 2):
            result, _ = self.run_it(settings=attributes | {"segment.count": count})
            self.assertEqual(list(result.segments.columns), values)
            self.assertEqual(len(result.segments), count)
            with h5py.File(result.path) as file:
                group = file["segments/profile"]
                self.assertEqual(group["attribute_file"].shape, (2,))
                for name in values[2:]:
                    numpy.testing.assert_array_equal(result.segments[name], group[name][...])
                self.assertEqual([result.users.index[i] for i in group["representative/id"][...]],
                                 list(result.profiles["representative"]["id"]))
        # What two segments have between them, one does not: the same columns, and no rows.
        many = result.profiles
        result, _ = self.run_it(settings=attributes | {"segment.count": 1})
        self.assertEqual(list(result.profiles), list(many))
        for name, table in result.profiles.items():
            self.assertEqual(len(table) > 0, name == "representative")
            self.assertEqual(list(table.columns), [c for c in many[name].columns if c in table.columns])
            self.assertLessEqual({"segment", "value", "id"} if "id" in many[name] else {"segment", "name", "lift"},
                                 set(table.columns))

    def test_friends_alone(self):
        self.write("social.csv", "source,target\n" + "".join(f"{u},{(u + d) % 40}\n" for u in range(40) for d in (1, 2)))
        self.write("config.toml", f'[input]\nsocial = "social.csv"\n[model]\ndim = 8\n[train]\nloss = "bpr"\nepochs = 2\n'
                                  f'[segment]\ncount = 2\n[output]\ndirectory = "{self.path}/out"\n')
        result, _ = self.run_it()
        self.assertEqual(list(result.segments.columns)[-2:], ["social_inside", "social_outside"])
        for name, table in result.profiles.items():
            self.assertEqual(len(table) > 0, name in ("nearest", "representative", "border"))
            self.assertIn("lift" if len(table) == 0 else "value", table)
        for asked in ("items", "item_embedding", "recommendations", "segment_recommendations"):
            with self.assertRaisesRegex(LookupError, "a run with items"):
                getattr(result, asked)

    def test_the_configuration_is_read_before_the_run(self):
        config = self.path / "config.toml"
        config.write_bytes(b"\xef\xbb\xbf" + config.read_bytes())
        result, _ = self.run_it()
        self.assertEqual(result.path, self.path / "out" / "segments.h5")
        started = self.path / "started"
        program_that_notes = self.write("program", f"#!/bin/sh\ntouch '{started}'\n")
        program_that_notes.chmod(0o755)
        for name, content, words in (("none.toml", None, "No such file"), ("out", None, "Is a directory"),
                                     ("wrong.toml", b"[input\n", "line 1"), ("latin.toml", b"# \xe9\n", "UTF-8")):
            if content:
                self.write(name, content)
            with self.assertRaisesRegex(cohort.CohortError, f"{name}.*{words}") as raised:
                cohort.run(self.path / name, program=program_that_notes)
            self.assertEqual(raised.exception.exit_code, 2)
        self.assertFalse(started.exists())

    def test_paths(self):
        there = os.getcwd()
        self.addCleanup(os.chdir, there)
        with unittest.mock.patch.dict(os.environ, HOME=str(self.path)):
            os.chdir(self.path)
            with contextlib.redirect_stderr(io.StringIO()):
                # Where the program takes a text in quotes without them, so does the package; and where it has run stays known.
                result = cohort.run("~/config.toml", program=PROGRAM, settings={"output.directory": '"a b"'})
            os.chdir(there)
            self.assertEqual(result.path, self.path / "a b" / "segments.h5")
            self.assertEqual(len(result.users), 60)
            self.assertEqual(len(cohort.read("~/a b/segments.h5").users), 60)

    def test_failures_are_those_of_the_program(self):
        for ranks in (1, 2):
            with self.assertRaises(cohort.CohortError) as raised:
                self.run_it(ranks=ranks, settings={"segment.count": -1})
            self.assertEqual(raised.exception.exit_code, 2)
            self.assertIn("segment.count", str(raised.exception))
            self.assertNotIn("mpirun", str(raised.exception))
        program("prepare", self.path / "config.toml")
        with self.assertRaisesRegex(ValueError, "graph"):
            cohort.read(self.path / "out" / "graph.h5")
        with self.assertRaises(OSError):
            cohort.read(self.path / "nothing.h5")
        shutil.rmtree(self.path / "out")


if __name__ == "__main__":
    unittest.main(verbosity=2)
