"""Nested segments that last (segment.levels with segment.previous): a planted population on two days, of which a part leaves
and a group comes; numbers, who stays, nesting, what every reader says, and what is refused."""

import csv
import io
import json
import re
import unittest

import h5py
import numpy

from nested_test import agreement
from report_test import LIBRARIES, report
from support import WithDirectory, cohort

GROUPS, PARTS, USERS = 4, 12, 360
GONE = 11     # the part that leaves
COMES = 4     # the group that comes, of part 12 alone


def group_of(part):
    return COMES if part >= PARTS else part % GROUPS


def read(path):
    """By level, the coarsest first: numbers, users' numbers by id, and what the file says of the day before."""
    with h5py.File(path) as file:
        counts = file["segments/levels/count"][...].tolist()
        ids, table = file["users/id"].asstr()[...], file["users/levels"][...]
        found = {"ids": ids, "rows": table, "common": file.attrs.get("common_users"), "levels": []}
        for n, count in enumerate(counts):
            finest = n + 1 == len(counts)
            group = "segments/" if finest else f"segments/levels/{n + 1}/"
            level = {"number": list(range(count)), "size": file[group + "size"][...].tolist()}
            if group + "number" in file:
                level |= {name: file[group + name][...].tolist() for name in ("number", "appeared", "vanished")}
                level["stayed"] = int(file.attrs["stayed_users"] if finest else file["segments/levels/stayed_users"][n])
                level["largest"] = int(file.attrs["largest_number"] if finest else
                                       file["segments/levels/largest_number"][n])
            level["of"] = {user: level["number"][row] for user, row in zip(ids, table[:, n])}
            level["parent"] = file[f"segments/levels/{n + 1}/parent"][...].tolist() if n > 0 else None
            found["levels"].append(level)
    return found


class NestedLasting(WithDirectory):
    def log(self, name, part_of, seed):
        """Users like what their group and their part like."""
        random = numpy.random.default_rng(seed)
        lines = ["user,item"]
        for user, part in part_of.items():
            liked = [f"g{group_of(part)}-{n}" for n in random.choice(30, 10, replace=False)]
            liked += [f"p{part}-{n}" for n in random.choice(12, 11, replace=False)]
            liked += [f"x-{n}" for n in random.choice(40, 2, replace=False)]
            lines += [f"{user},{item}" for item in liked]
        return self.write(name, "\n".join(lines) + "\n")

    def run_it(self, name, log, levels, *settings, previous=None, ranks=2, check=True):
        config = self.write(f"{name}.toml", f"""[input]
interactions = "{log}"
[train]
steps = 60
temperature = 0.2
pair_weight = "equal"
length_power = 0
[segment]
levels = {levels}
restarts = 20
[recommend]
strategy = "segment"
[output]
directory = "{self.path}/{name}"
""")
        if previous:
            settings = (*settings, f"segment.previous={previous}")
        done = cohort("run", config, *(part for one in settings for part in ("--set", one)), ranks=ranks, check=check)
        return self.path / name / "segments.h5", done

    def follows(self, before, after):
        """What holds of `after` whatever it follows: counts, names and nesting, from both files' users alone."""
        common = set(before["ids"]) & set(after["ids"])
        self.assertEqual(after["common"], len(common))
        for n, (one, two) in enumerate(zip(before["levels"], after["levels"])):
            self.assertEqual(two["number"], sorted(set(two["number"])))
            kept = set(one["number"]) & set(two["number"])
            self.assertEqual(two["appeared"], sorted(set(two["number"]) - kept))
            self.assertEqual(two["vanished"], sorted(set(one["number"]) - kept))
            largest = one.get("largest", max(one["number"]))
            self.assertEqual(two["appeared"], list(range(largest + 1, largest + 1 + len(two["appeared"]))))
            self.assertEqual(two["largest"], largest + len(two["appeared"]))
            self.assertEqual(two["stayed"], sum(one["of"][user] == two["of"][user] for user in common))
            self.assertEqual(two["size"], numpy.bincount(after["rows"][:, n], minlength=len(two["number"])).tolist())
            if n > 0:
                parent = numpy.array(two["parent"])
                self.assertEqual(parent[after["rows"][:, n]].tolist(), after["rows"][:, n - 1].tolist())

    def test_two_days(self):
        first_part = {f"u{user:03d}": user % PARTS for user in range(USERS)}
        second_part = {user: part for user, part in first_part.items() if part != GONE}
        second_part |= {f"v{user:02d}": PARTS for user in range(60)}
        first, _ = self.run_it("one", self.log("one.csv", first_part, 4), [GROUPS, PARTS])
        # Another seed and other draws from the same tastes.
        log = self.log("two.csv", second_part, 5)
        second, done = self.run_it("two", log, [GROUPS + 1, PARTS], "train.seed=9", previous=first, ranks=3)
        one, two = read(first), read(second)
        self.follows(one, two)
        planted = (("group", lambda part: group_of(part)), ("part", lambda part: part))
        for (what, truth), before, after in zip(planted, one["levels"], two["levels"]):
            for found, parts in ((before, first_part), (after, second_part)):
                users = sorted(found["of"])
                self.assertGreater(agreement(numpy.array([truth(parts[user]) for user in users]),
                                             numpy.array([found["of"][user] for user in users])), 0.9, what)
            # Whose members stay what they were keep their number.
            for called in {truth(part) for part in second_part.values()} & {truth(part) for part in first_part.values()}:
                most = [max(numbers := [found["of"][user] for user, part in parts.items() if truth(part) == called],
                            key=numbers.count) for found, parts in ((before, first_part), (after, second_part))]
                self.assertEqual(most[0], most[1], f"{what} {called}")
        gone = [one["levels"][1]["of"][user] for user, part in first_part.items() if part == GONE]
        self.assertEqual([level["vanished"] for level in two["levels"]], [[], [max(gone, key=gone.count)]])
        self.assertEqual([level["appeared"] for level in two["levels"]], [[GROUPS], [PARTS]])
        # The new part is the new group.
        parents = dict(zip(two["levels"][1]["number"], two["levels"][1]["parent"]))
        self.assertEqual(two["levels"][0]["number"][parents[PARTS]], GROUPS)
        self.assertIn("level 1: new segments: 4", done.stderr)
        self.assertIn("level 2: new segments: 12", done.stderr)
        self.assertIn(f"level 2: segments that are gone: {two['levels'][1]['vanished'][0]}", done.stderr)
        self.readers(second, two)
        rerun = cohort("rerun", second, ranks=2).stdout
        self.assertTrue(rerun.startswith("identical: "), rerun)

    def readers(self, path, found):
        """Everybody calls the segments of every level by their numbers."""
        coarse, fine = found["levels"]
        self.assertNotEqual(fine["number"], list(range(len(fine["number"]))))
        rows = list(csv.DictReader(io.StringIO(cohort("export", path, ranks=2).stdout)))
        self.assertEqual([(int(row["level_1"]), int(row["level_2"]), int(row["segment"])) for row in rows],
                         [(coarse["of"][user], fine["of"][user], fine["of"][user]) for user in found["ids"]])
        every = list(csv.DictReader(io.StringIO(cohort("export", path, "--what", "levels").stdout)))
        expected = [(1, number, -1, size) for number, size in zip(coarse["number"], coarse["size"])]
        expected += [(2, number, coarse["number"][parent], size)
                     for number, parent, size in zip(fine["number"], fine["parent"], fine["size"])]
        self.assertEqual([tuple(int(row[name]) for name in ("level", "segment", "parent", "users")) for row in every],
                         expected)
        config = self.path / "two.toml"
        settings = ("--set", "train.seed=9", "--set", f"segment.previous={self.path}/one/segments.h5")
        profile = json.loads(cohort("profile", config, *settings, "--json").stdout)
        self.assertEqual([[one["segment"] for one in level["segments"]] for level in profile["levels"]],
                         [coarse["number"], fine["number"]])
        self.assertEqual([one["parent"] for one in profile["levels"][1]["segments"]],
                         [coarse["number"][parent] for parent in fine["parent"]])
        for one in profile["levels"][1]["segments"]:
            self.assertIn(f"segment {one['parent']} of level 1", one["added"])
        lists = self.path / "lists.csv"
        cohort("recommend", config, *settings, "--level", 1, "--csv", lists, ranks=2)
        rows = list(csv.DictReader(io.StringIO(lists.read_text())))
        self.assertEqual({row["user"]: int(row["segment"]) for row in rows if row["user"]}, coarse["of"])
        self.assertEqual({int(row["segment"]) for row in rows if not row["user"]}, set(coarse["number"]))
        placed = cohort("assign", "--result", path, "--level", 1, "--interactions", self.path / "two.csv").stdout
        placed = {one["user"]: one["segment"] for one in map(json.loads, placed.splitlines())}
        self.assertGreater(numpy.mean([placed[user] == coarse["of"][user] for user in found["ids"]]), 0.95)
        info = json.loads(cohort("info", path, "--json").stdout)
        self.assertEqual(info["levels"], [{"level": 1, "segment_numbers": coarse["number"], "appeared": coarse["appeared"],
                                           "vanished": coarse["vanished"], "stayed_users": coarse["stayed"]}])
        self.assertIn("level 1", cohort("info", path).stdout)
        if LIBRARIES:
            return
        page = self.path / "report.html"
        report(path, "--output", page)
        text = page.read_text()
        self.assertEqual(sorted(map(int, re.findall(r'id="level-1-segment-(\d+)"', text))), coarse["number"])
        self.assertEqual(sorted(map(int, re.findall(r'id="segment-(\d+)"', text))), fine["number"])
        self.assertIn("New segment of level 1: 4.", text)

    def test_nobody_moves_at_any_level(self):
        """And the numbers of a third day are above all that were ever used."""
        part_of = {f"u{user:03d}": user % PARTS for user in range(120)}
        log = self.log("log.csv", part_of, 4)
        # From random rows, so that runs of few epochs differ.
        bpr = ("train.loss=bpr", "train.start=random", "train.epochs=3")
        first, _ = self.run_it("one", log, [3, 7, 15], *bpr)
        one, moved = read(first), []
        for stickiness in (0, 1):
            second, _ = self.run_it(f"sticky{stickiness}", log, [3, 7, 15], "train.seed=2", *bpr,
                                    f"segment.stickiness={stickiness}", previous=first)
            found = read(second)
            self.follows(one, found)
            moved.append([found["common"] - level["stayed"] for level in found["levels"]])
        self.assertGreater(moved[0][-1], 0, "of which somebody must move, or it shows nothing")
        self.assertEqual(moved[1], [0, 0, 0])
        second, _ = self.run_it("fewer", log, [2, 5, 9], "train.seed=2", *bpr, previous=second)
        self.follows(found, read(second))
        third, _ = self.run_it("more", log, [4, 8, 12], "train.seed=3", *bpr, previous=second)
        self.follows(read(second), read(third))
        self.assertEqual([level["appeared"][0] for level in read(third)["levels"]], [3, 7, 15])

    def test_another_number_of_levels_is_refused(self):
        part_of = {f"u{user:03d}": user % PARTS for user in range(120)}
        log = self.log("log.csv", part_of, 4)
        first, _ = self.run_it("one", log, [3, 9], "train.steps=5")
        for ranks, levels in ((1, [2, 4, 9]), (3, [2, 3, 4, 9])):
            _, done = self.run_it("two", log, levels, "train.steps=5", previous=first, ranks=ranks, check=False)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(f"one/segments.h5 has 2 levels of segments, but segment.levels has {len(levels)}", done.stderr)
            self.assertEqual(done.stderr.count("error"), 1, done.stderr)
            self.assertFalse((self.path / "two" / "segments.h5").exists())
        # One level alone follows the finest one.
        second, _ = self.run_it("flat", log, "[]", "segment.count=9", "train.steps=5", previous=first)
        with h5py.File(second) as file:
            self.assertEqual(file["segments/number"][...].tolist(), list(range(9)))
            self.assertNotIn("segments/levels", file)


if __name__ == "__main__":
    unittest.main(verbosity=2)
