"""scripts/reproduce.sh: has a row for every section of docs/results.md, its commands parse, and one row is made and
gives what is documented."""

import json
import os
import pathlib
import re
import subprocess
import unittest

from support import PROGRAM, WithDirectory, shared

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SCRIPT = ROOT / "scripts" / "reproduce.sh"
RESULTS = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")


def reproduce(*arguments, check=True, **environment):
    done = subprocess.run([SCRIPT, *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          env=dict(os.environ, **environment), check=False)
    if check and done.returncode != 0:
        raise AssertionError(f"reproduce.sh {arguments} exited {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


class Reproduce(WithDirectory):
    def test_every_section_has_a_row(self):
        rows = [line.split(maxsplit=3) for line in reproduce("--list").stdout.splitlines()]
        for name, seconds, unit, _ in rows:
            self.assertGreater(int(seconds), 0, name)
            self.assertEqual(unit, "s")
        self.assertEqual(len({name for name, *_ in rows}), len(rows))
        self.assertEqual({table for *_, table in rows}, set(re.findall(r"^## (.*)$", RESULTS, re.MULTILINE)))

    def test_commands_parse(self):
        commands = reproduce("--dry-run").stdout
        self.assertEqual(len(re.findall(r"^# \S+: ", commands, re.MULTILINE)),
                         len(reproduce("--list").stdout.splitlines()))
        done = subprocess.run(["bash", "-n"], input=commands, capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for script in set(re.findall(r"(?:tests|scripts)/[\w/]+\.py", commands)):
            self.assertTrue((ROOT / script).exists(), script)

    def test_a_row_gives_what_is_documented(self):
        data = shared("football", "edges.txt").parent.parent
        done = reproduce("--cohort", PROGRAM, "--data", data, "football")
        found = json.loads(re.search(r"\{.*\}", done.stdout, re.DOTALL).group())
        documented = re.search(r"^\| football \| 12 \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \| [\d.]+ \|", RESULTS,
                               re.MULTILINE)
        values = [f"{found[name]:.3f}" for name in ("social_modularity", "ari", "nmi")]
        self.assertEqual(values, list(documented.groups()))

    def test_what_is_not_there_is_said(self):
        done = reproduce("--cohort", PROGRAM, "--data", self.path, "football")
        self.assertIn("football/edges.txt", done.stdout)
        self.assertIn("made 0, left out 1, failed 0", done.stdout)
        done = reproduce("--data", self.path, "no such row", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("no such row", done.stderr)
        # A row that fails does not hide behind the others.
        (self.path / "football").mkdir()
        for name in ("edges.txt", "labels.txt"):
            (self.path / "football" / name).write_text("\n", encoding="utf-8")
        done = reproduce("--cohort", PROGRAM, "--data", self.path, "football", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("made 0, left out 0, failed 1", done.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
