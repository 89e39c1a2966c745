"""The tutorial does what it says: its commands, as they stand on the page, one after the other."""

import csv
import os
import pathlib
import re
import subprocess
import sys
import unittest

from support import PROGRAM, WithDirectory, cohort, evaluate

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "tutorial.md"


class Tutorial(WithDirectory):
    def test_its_commands_find_both_groups_exactly_and_serve_them(self):
        commands = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
        self.assertGreater(len(commands), 8)
        (self.path / "bin").mkdir()
        (self.path / "bin" / "cohort").symlink_to(PROGRAM)
        (self.path / "bin" / "python3").symlink_to(sys.executable)
        (self.path / "work").mkdir()
        environment = dict(os.environ, PATH=f"{self.path / 'bin'}:{os.environ['PATH']}", OMP_NUM_THREADS="1",
                           OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", "\n".join(commands)], cwd=self.path / "work",
                              env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertNotIn("warning", done.stderr)
        self.assertNotIn("note:", done.stdout)
        self.assertIn("W: (10, 16) (16, 8)", done.stdout)
        self.assertIn("all A_ij are {1.0}", done.stdout)

        result = self.path / "work" / "people" / "segments.h5"
        self.assertEqual(evaluate(result, "--truth", self.path / "work" / "groups.tsv")["ari"], 1)
        with open(self.path / "work" / "users.csv", newline="") as file:
            segments = {row["id"]: row["segment"] for row in csv.DictReader(file)}
        self.assertEqual(len(segments), 100)
        for group in range(2):
            self.assertEqual(len({segments[f"u{number:02}"] for number in range(group, 100, 2)}), 1)
        with open(self.path / "work" / "recommendations.csv", newline="") as file:
            first = [row for row in csv.DictReader(file) if row["user"] and int(row["rank"]) <= 10]
        self.assertEqual({row["user"] for row in first}, set(segments))
        for row in first:
            self.assertNotIn(f"group{1 - int(row['user'][1:]) % 2}-", row["item"])

        # The same in one command on several ranks.
        cohort("run", self.path / "work" / "people.toml", "--quiet", "--set", f"output.directory={self.path}/again",
               ranks=3)
        self.assertEqual(evaluate(self.path / "again" / "segments.h5", "--truth",
                                  self.path / "work" / "groups.tsv")["ari"], 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
