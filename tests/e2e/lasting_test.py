"""Segments that last from run to run (segment.previous, segment.stickiness): numbers, who stays, what every reader says;
against numpy and a search through all matchings."""

import csv
import io
import itertools
import json
import os
import pathlib
import subprocess
import sys
import unittest

import h5py
import numpy

from support import WithDirectory, changed, cohort

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "scripts"


def read(path):
    with h5py.File(path, "r") as file:
        found = {name: file[name][...] for name in ("users/id", "users/segment", "users/distance", "users/margin",
                                                    "users/embedding", "segments/centroid", "segments/size")}
        for name in ("number", "appeared", "vanished"):
            if f"segments/{name}" in file:
                found[name] = file[f"segments/{name}"][...].tolist()
        found["attributes"] = dict(file.attrs)
    found.setdefault("number", list(range(len(found["segments/size"]))))
    found["of"] = dict(zip(found["users/id"], found["users/segment"]))
    return found


def distances(result, spherical):
    """Of every user to every centroid."""
    rows, centres = result["users/embedding"].astype(float), result["segments/centroid"].astype(float)
    if spherical:
        return 1 - rows / numpy.linalg.norm(rows, axis=1, keepdims=True) @ centres.T
    return numpy.linalg.norm(rows[:, None] - centres, axis=2)


class Lasting(WithDirectory):
    def setUp(self):
        super().setUp()
        self.data = self.path / "data"
        cohort("generate", "--output", self.data, "--users", 300, "--items", 150, "--interactions", 5000, "--segments", 4,
               "--noise", 0.2, "--seed", 3)
        # From random rows, so that runs of few epochs differ.
        config = self.data / "config.toml"
        config.write_text(config.read_text().replace('start = "spectral"\n', ""))

    def run_it(self, name, *settings, previous=None, ranks=1, check=True):
        output = self.path / name
        settings = ["train.epochs=3", f"output.directory={output}", "recommend.strategy=segment", *settings]
        if previous:
            settings.append(f"segment.previous={previous}")
        done = cohort("run", self.data / "config.toml", *(part for one in settings for part in ("--set", one)),
                      ranks=ranks, check=check)
        return done if not check else (output / "segments.h5", done)

    def most_in_common(self, before, after):
        table = numpy.zeros((len(before["number"]), len(after["number"])), int)
        for user, row in before["of"].items():
            if user in after["of"]:
                table[row, after["of"][user]] += 1
        return table

    def follows(self, before, after, stickiness=0.0, spherical=False):
        """What must hold of `after`, which follows `before`."""
        self.assertEqual(after["number"], sorted(set(after["number"])))
        table = self.most_in_common(before, after)
        kept = set(before["number"]) & set(after["number"])
        self.assertEqual(after["appeared"], sorted(set(after["number"]) - kept))
        self.assertEqual(after["vanished"], sorted(set(before["number"]) - kept))
        largest = max(before["attributes"].get("largest_number", 0), max(before["number"]))
        self.assertEqual(after["appeared"], list(range(largest + 1, largest + 1 + len(after["appeared"]))))
        self.assertEqual(after["attributes"]["largest_number"], largest + len(after["appeared"]))
        staying = sum(table[before["number"].index(n), after["number"].index(n)] for n in kept)
        self.assertEqual((after["attributes"]["common_users"], after["attributes"]["stayed_users"]), (table.sum(), staying))
        # Every user where it belongs by the distances, but for those who were there before and gain too little.
        distance = distances(after, spherical)
        everyone = numpy.arange(len(distance))
        own = numpy.array([after["number"].index(before["number"][before["of"][user]])
                           if user in before["of"] and before["number"][before["of"][user]] in kept else -1
                           for user in after["users/id"]])
        nearest = distance.argmin(axis=1)
        held = (own >= 0) & (distance[everyone, nearest] >= (1 - stickiness) * distance[everyone, own])
        expected = numpy.where(held, own, nearest)
        numpy.testing.assert_array_equal(after["users/segment"], expected)
        numpy.testing.assert_allclose(after["users/distance"], distance[everyone, expected], rtol=1e-4, atol=1e-6)
        others = distance.copy()
        others[everyone, expected] = numpy.inf
        numpy.testing.assert_allclose(after["users/margin"], others.min(axis=1) - distance[everyone, expected], atol=1e-5)
        self.assertEqual(list(after["segments/size"]), list(numpy.bincount(expected, minlength=len(after["number"]))))
        return table, int((held & (own != nearest)).sum())

    def test_numbers_last(self):
        # The first run lacks users, and so do the last ones.
        first, _ = self.run_it("one", "segment.count=4", "clean.min_user_interactions=12")
        second, done = self.run_it("two", "segment.count=6", "train.seed=9", previous=first, ranks=3)
        one, two = read(first), read(second)
        table, _ = self.follows(one, two)
        self.assertLess(table.sum(), len(two["of"]))
        self.assertEqual((two["number"], two["vanished"]), ([0, 1, 2, 3, 4, 5], []))
        # Without stickiness the numbers are those of the matching with most users in common.
        best = max(sum(table[i, to[i]] for i in range(4)) for to in itertools.permutations(range(6), 4))
        self.assertEqual(two["attributes"]["stayed_users"], best)
        self.assertIn("new segments: 4 and 5", done.stderr)
        third, done = self.run_it("three", "segment.count=3", "train.seed=9", previous=second)
        three = read(third)
        self.follows(two, three)
        self.assertEqual(len(three["vanished"]), 3)
        self.assertIn("segments that are gone: " + "{}, {} and {}".format(*three["vanished"]), done.stderr)
        # A number is never used again, although the largest may be free.
        fourth, _ = self.run_it("four", "segment.count=5", "train.seed=9", previous=third)
        four = read(fourth)
        self.follows(three, four)
        self.assertEqual(four["appeared"], [6, 7])
        self.readers(four, fourth, second)
        rerun = cohort("rerun", fourth, ranks=2).stdout
        self.assertTrue(rerun.startswith("identical: "), rerun)
        with changed(third) as file:
            file.attrs["seed"] = 5
        done = cohort("rerun", fourth, ranks=2, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("three/segments.h5 (SHA-256", done.stderr)

    def readers(self, found, path, second):
        """Everybody calls the segments by their numbers."""
        number = numpy.array(found["number"])
        self.assertNotEqual(found["number"], list(range(5)))
        of_user = number[found["users/segment"]]
        rows = list(csv.DictReader(io.StringIO(cohort("export", path).stdout)))
        self.assertEqual([int(row["segment"]) for row in rows], of_user.tolist())
        rows = list(csv.DictReader(io.StringIO(cohort("export", path, "--what", "segments", ranks=2).stdout)))
        self.assertEqual([(int(row["segment"]), int(row["users"])) for row in rows],
                         list(zip(found["number"], found["segments/size"])))
        lists = self.path / "lists.csv"
        settings = [part for one in ("train.epochs=3", "segment.count=5", "train.seed=9", f"output.directory={path.parent}",
                                     f"segment.previous={self.path / 'three' / 'segments.h5'}",
                                     "recommend.strategy=segment") for part in ("--set", one)]
        cohort("recommend", self.data / "config.toml", *settings, "--csv", lists)
        rows = list(csv.DictReader(io.StringIO(lists.read_text())))
        self.assertEqual({int(row["segment"]) for row in rows if not row["user"]}, set(found["number"]))
        said = dict(zip((value.decode() for value in found["users/id"]), of_user))
        self.assertTrue(all(said[row["user"]] == int(row["segment"]) for row in rows if row["user"]))
        profile = json.loads(cohort("profile", self.data / "config.toml", *settings, "--json").stdout)
        self.assertEqual([one["segment"] for one in profile["segments"]], found["number"])
        self.assertTrue(all(near["segment"] in found["number"] and near["segment"] != one["segment"]
                            for one in profile["segments"] for near in one["nearest"]))
        csv_text = cohort("profile", self.data / "config.toml", *settings, "--csv").stdout
        self.assertEqual({int(row["segment"]) for row in csv.DictReader(io.StringIO(csv_text))}, set(found["number"]))
        explained = json.loads(cohort("explain", "--result", path, "--segment", 7, "--json").stdout)
        self.assertEqual((explained["segment"], explained["users"]),
                         (7, found["segments/size"][found["number"].index(7)]))
        user = rows[-1]["user"]
        explained = json.loads(cohort("explain", "--result", path, "--user", user, "--json", ranks=2).stdout)
        self.assertEqual(explained["segment"], said[user])
        self.assertIn(explained["runner_up"], found["number"])
        gone = next(n for n in range(8) if n not in found["number"])
        done = cohort("explain", "--result", path, "--segment", gone, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn(f"there is no segment {gone}; {path} has segments {', '.join(map(str, found['number']))}", done.stderr)
        placed = cohort("assign", "--result", path, "--interactions", self.data / "interactions.tsv").stdout
        placed = [json.loads(line) for line in placed.splitlines()]
        self.assertLessEqual({one["segment"] for one in placed}, set(found["number"]))
        # Folded in without training, most users come to where they were.
        self.assertGreater(numpy.mean([said.get(one["user"]) == one["segment"] for one in placed]), 0.7)
        info = json.loads(cohort("info", path, "--json").stdout)
        self.assertEqual((info["segment_numbers"], info["appeared"], info["vanished"]),
                         (found["number"], found["appeared"], found["vanished"]))
        self.assertEqual(info["follows"][0]["path"], str(self.path / "three" / "segments.h5"))
        compared = json.loads(cohort("compare", second, path, "--json").stdout)
        self.assertEqual(compared["numbers"]["second"], found["number"])
        self.assertLessEqual({flow["to"] for flow in compared["flows"]}, set(found["number"]))
        strategies = self.path / "strategies.json"
        strategies.write_text(json.dumps(compared))
        page = self.path / "report.html"
        subprocess.run([sys.executable, SCRIPTS / "report.py", path, "--compare", strategies, "--output", page], check=True,
                       capture_output=True)
        page = page.read_text()
        for one in range(8):
            self.assertEqual(f'id="segment-{one}"' in page, one in found["number"])
        self.assertIn("New segments: 6, 7.", page)
        try:
            import pandas  # noqa: F401 - the package needs it
        except ImportError:
            return
        code = ("import cohort, sys; r = cohort.read(sys.argv[1]); print(list(r.segments.index), "
                "sorted(set(r.users['segment'])), *[one for one in r.profiles['nearest']['id'] if one not in r.segments.index])")
        text = subprocess.run([sys.executable, "-c", code, path], check=True, capture_output=True, text=True,
                              env=dict(os.environ, PYTHONPATH=str(SCRIPTS / "python"))).stdout
        self.assertEqual(text.strip(), " ".join([str(found["number"])] * 2))

    def test_users_stay_unless_they_gain(self):
        first, _ = self.run_it("one", "segment.count=5")
        one = read(first)
        moved = []
        for stickiness in (0, 0.1, 1):
            second, _ = self.run_it(f"sticky{stickiness}", "segment.count=5", "train.seed=2",
                                    f"segment.stickiness={stickiness}", previous=first, ranks=2)
            found = read(second)
            _, held = self.follows(one, found, stickiness)
            self.assertEqual(held > 0, stickiness > 0)
            moved.append(found["attributes"]["common_users"] - found["attributes"]["stayed_users"])
        self.assertGreater(moved[0], moved[1])
        self.assertGreater(moved[1], moved[2])
        self.assertEqual(moved[2], 0)
        # Why a user is where it is, although another segment is nearer.
        row = int(found["users/margin"].argmin())
        self.assertLess(found["users/margin"][row], 0)
        text = cohort("explain", "--result", second, "--user", found["users/id"][row].decode()).stdout
        self.assertIn("as before, although segment", text)

    def test_by_direction(self):
        settings = ("segment.count=4", "segment.method=spherical")
        first, _ = self.run_it("one", *settings)
        second, _ = self.run_it("two", *settings, "train.seed=4", "segment.stickiness=0.2", previous=first, ranks=2)
        self.follows(read(first), read(second), 0.2, spherical=True)

    def test_refusals(self):
        first, _ = self.run_it("one", "segment.count=3")
        other = self.path / "other.tsv"
        other.write_text("".join(f"x{u}\ti{u * k % 7}\n" for u in range(30) for k in range(1, 4)))
        damaged = self.path / "damaged.h5"
        damaged.write_bytes(first.read_bytes()[:-900])
        junk = self.write("junk.h5", "no HDF5")
        for number, (previous, settings, said) in enumerate((
                (self.path / "none.h5", [], "none.h5"), (junk, [], "junk.h5"), (damaged, [], "damaged.h5"),
                (first.parent / "graph.h5", [], "is a graph file"),
                (first, [f"input.interactions={other}"], "no user in common"),
                (first, ["segment.method=spherical"], "segment.method"))):
            done = self.run_it(f"refused{number}", "segment.count=3", *settings, previous=previous, ranks=1 + number % 3,
                               check=False)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn("segment.previous", done.stderr)
            self.assertIn(said, done.stderr)
            self.assertEqual(done.stderr.count("error"), 1, done.stderr)
            self.assertEqual(done.stderr.count("segment.previous"), 1, done.stderr)
            self.assertFalse(list((self.path / f"refused{number}").glob("*.h5")), "nothing is left behind")
        done = self.run_it("alone", "segment.count=3", "segment.stickiness=0.5")
        self.assertIn("without effect: segment.stickiness", done[1].stderr)
        done = self.run_it("one", "segment.count=3", previous=first, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("would write over", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
