"""scripts/days.py: a log cut at dates, and its tables, against the files of the days."""

import csv
import datetime
import gzip
import os
import pathlib
import re
import subprocess
import sys
import unittest

import h5py
import numpy

from support import MPIEXEC, PROGRAM, WithDirectory

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "days.py"


class Days(WithDirectory):
    def days(self, *arguments, check=True):
        environment = dict(os.environ, COHORT=PROGRAM, OMP_NUM_THREADS="1", OMPI_ALLOW_RUN_AS_ROOT="1",
                           OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", COHORT_LAUNCHER=f"{MPIEXEC} --oversubscribe -n 1")
        return subprocess.run([sys.executable, SCRIPT, *map(str, arguments)], env=environment, capture_output=True, text=True,
                              check=check, timeout=300)

    def setUp(self):
        super().setUp()
        random = numpy.random.default_rng(5)
        rows = []
        for user in range(120):
            taste = user % 3
            start = random.integers(0, 20)
            for _ in range(25):
                item = taste * 20 + random.integers(0, 20) if random.random() < 0.9 else random.integers(0, 60)
                rows.append((f"u{user}", f"i{item}", int(start + random.integers(0, 40))))
        self.rows = rows
        self.config = self.write("c.toml", '[input]\ninteractions = "log.csv.gz"\n[train]\nloss = "bpr"\nepochs = 8\n'
                                 '[model]\ndim = 8\n[segment]\ncount = 3\n[recommend]\nstrategy = "segment"\n')

    def log(self, time=str):
        text = "user,item,date\n" + "".join(f"{user},{item},{time(at)}\n" for user, item, at in self.rows)
        (self.path / "log.csv.gz").write_bytes(gzip.compress(text.encode()))

    def check(self, out, days, cuts):
        results = []
        for day in range(1, days + 1):
            with h5py.File(out / f"day-{day}" / "segments.h5", "r") as file:
                number = file["segments/number"][...] if "segments/number" in file else numpy.arange(3)
                results.append({user.decode(): int(number[row])
                                for user, row in zip(file["users/id"][...], file["users/segment"][...])})
            early = {user for user, _, at in self.rows if at <= cuts[day - 1]}
            self.assertEqual(set(results[-1]), early)
        moves = {}
        for day in range(2, days + 1):
            before, after = results[day - 2], results[day - 1]
            for user in set(before) & set(after):
                key = day, before[user], after[user]
                moves[key] = moves.get(key, 0) + 1
        with (out / "moves.csv").open() as file:
            self.assertEqual({tuple(int(row[name]) for name in ("day", "from", "to")): int(row["users"])
                              for row in csv.DictReader(file)}, moves)
        with (out / "segments.csv").open() as file:
            for row in csv.DictReader(file):
                day, segment = int(row["day"]), int(row["segment"])
                members = {user for user, where in results[day - 1].items() if where == segment}
                self.assertEqual(int(row["users"]), len(members))
                if day > 1:
                    before = results[day - 2]
                    self.assertEqual(int(row["new_users"]), len(members - set(before)))
                    self.assertEqual(int(row["came"]),
                                     sum(1 for user in members if user in before and before[user] != segment))
        moved = [sum(users for (on, start, to), users in moves.items() if on == day and start != to)
                 for day in range(2, days + 1)]
        text = (out / "days.md").read_text()
        for day, count in enumerate(moved, 2):
            self.assertRegex(text, rf"(?m)^\| {day} \|.*\| {count} \| [\d.]+ % \|$")
        return text

    def test_cut_at_dates(self):
        self.log(lambda at: datetime.date.fromordinal(738000 + at).isoformat())
        out = self.path / "out"
        cuts = [25, 35, 59]
        dates = [datetime.date.fromordinal(738000 + cut).isoformat() for cut in cuts]
        self.days(self.config, "--output", out, "--cuts", *dates, "--", "--set", "train.seed=3")
        text = self.check(out, 3, cuts)
        self.assertIn("## Day 3", text)
        with h5py.File(out / "day-3" / "segments.h5", "r") as file:
            self.assertTrue(re.search("day-2/segments.h5", file.attrs["configuration"].decode()
                                      if isinstance(file.attrs["configuration"], bytes) else file.attrs["configuration"]))
        # What is there is not made again.
        before = (out / "day-1" / "segments.h5").stat().st_mtime_ns
        written = (out / "days.md").read_text()
        self.assertNotIn("warning", self.days(self.config, "--output", out, "--cuts", *dates, "--", "--set",
                                              "train.seed=3").stderr)
        self.assertEqual((out / "day-1" / "segments.h5").stat().st_mtime_ns, before)
        # Nor is it taken for a day of another cut, other options or another configuration.
        config = self.config.read_text()
        for cut, seed, count, said in ((-1, 3, 3, "cut"), (0, 4, 3, "options"), (0, 3, 2, "configuration")):
            self.config.write_text(config.replace("count = 3", f"count = {count}"))
            other = datetime.date.fromordinal(738000 + cuts[1] + cut).isoformat()
            done = self.days(self.config, "--output", out, "--cuts", dates[0], other, dates[2], "--", "--set",
                             f"train.seed={seed}", check=False)
            self.assertEqual(done.returncode, 2)
            self.assertIn(f"not of the same {said}", done.stderr)
        made = out / "day-2" / "made_with.json"
        kept = made.read_text()
        for damaged in ("{", None):
            self.config.write_text(config)
            made.write_text(damaged) if damaged else made.unlink()
            done = self.days(self.config, "--output", out, "--cuts", *dates, "--", "--set", "train.seed=3", check=False)
            self.assertEqual((done.returncode, done.stderr.count("does not say what it was made with")), (2, 1), done.stderr)
        made.write_text(kept)
        self.config.write_text("# a remark\n" + config)
        self.assertEqual((out / "days.md").read_text(), written)
        # Records that come late change no day that is there.
        self.rows.append(("u0", "i0", 3))
        self.log(lambda at: datetime.date.fromordinal(738000 + at).isoformat())
        done = self.days(self.config, "--output", out, "--cuts", *dates, "--", "--set", "train.seed=3")
        self.assertEqual(done.stderr.count("has other records up to its cut now"), 3)

    def test_as_many_records_each_day(self):
        self.log()
        out = self.path / "out"
        self.days(self.config, "--output", out, "--days", 2, "--no-previous")
        text = (out / "days.md").read_text()
        self.assertIn("Every day is for itself", text)
        lines = [sum(1 for _ in (out / f"day-{day}" / "interactions.csv").open()) - 1 for day in (1, 2)]
        self.assertEqual(lines[1], len(self.rows))
        self.assertGreaterEqual(lines[0], 0.75 * len(self.rows))

    def test_refusals(self):
        self.log()
        out = self.path / "out"
        for arguments, said in ((["--cuts", 5], "one day alone"), (["--cuts", 9, 5], "must ascend"),
                                (["--cuts", "x", 5], "is no time"), (["--days", 2, "--time", "when"], "no column 'when'"),
                                (["--cuts", 20, 30, "--time", "user"], "is no time"), (["--cuts", -5, 5], "as early as"),
                                (["--cuts", "nan", 5], "is no time"), (["--cuts", 20, 30, "--time", 7], "no column 7"),
                                (["--days", 1000], "ask for fewer days"),
                                (["--cuts", "2024-05-01", "2024-05-02"], "no record more than day 1")):
            self.refused(self.config, out, said, *arguments)
        for text, said in (("x", "d.toml"), ("[train]\nepochs = 3\n", "must name one file"),
                           ('[input]\ninteractions = "bytes"\n', "no whole file"),
                           ('[input]\ninteractions = "cut.gz"\n', "no whole file"),
                           ('[input]\ninteractions = "nan.csv"\n', "'nan' is no time")):
            (self.path / "bytes").write_bytes(b"\x89HDF\xff\xfe\n" * 9)
            (self.path / "cut.gz").write_bytes((self.path / "log.csv.gz").read_bytes()[:300])
            self.write("nan.csv", "user,item,time\na,b,1\na,c,nan\n")
            self.refused(self.write("d.toml", text), out, said, "--cuts", 1, 2)
        self.refused(self.config, self.config, "c.toml", "--cuts", 1, 2)
        self.assertFalse(out.exists())

    def refused(self, config, out, said, *arguments):
        done = self.days(config, "--output", out, *arguments, check=False)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertEqual((done.stderr.count("error: "), said in done.stderr), (1, True), done.stderr)
        self.assertNotIn("Traceback", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
