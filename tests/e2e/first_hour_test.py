"""docs/first-hour.md as a newcomer follows it: its blocks in a shell, with the program installed; what they leave."""

import csv
import json
import os
import pathlib
import re
import subprocess
import sys
import tomllib
import unittest

import h5py

from support import PROGRAM, WithDirectory, datasets

PAGE = pathlib.Path(__file__).resolve().parent.parent.parent / "docs" / "first-hour.md"
BUILD = pathlib.Path(PROGRAM).parent


def has(*modules, python=sys.executable):
    return subprocess.run([python, "-c", "import " + ", ".join(modules)], capture_output=True).returncode == 0


class FirstHour(WithDirectory):
    def test_the_page(self):
        blocks = re.findall(r"^```(\w+)(?: (\w+))?\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
        self.assertGreater(len(blocks), 8)
        prefix = self.path / "cohort"
        subprocess.run(["cmake", "--install", BUILD, "--prefix", prefix], check=True, capture_output=True)
        environment = dict(os.environ, HOME=str(self.path), OMP_NUM_THREADS="1", PYTHONPATH=str(prefix / "share/cohort/python"),
                           PATH=f"{prefix / 'bin'}:{os.environ['PATH']}")
        arrow = os.environ.get("COHORT_PYARROW")
        missing = {"parquet": not arrow, "report": not has("matplotlib", "jinja2"), "install": True}
        for language, kind, text in blocks:
            if missing.get(kind) or (language == "python" and not has("pandas")):
                continue
            if language == "sh":
                python = arrow if kind == "parquet" else sys.executable
                command = ["bash", "-euc", text.replace("python3 ", f"{python} ")]
            else:
                command = [sys.executable, "-c", text]
            done = subprocess.run(command, cwd=self.path, env=environment, capture_output=True, text=True, timeout=300)
            self.assertEqual(done.returncode, 0, text + done.stdout + done.stderr)
        self.assertEqual(tomllib.loads((self.path / "cohort.toml").read_text())["input"],
                         {"interactions": "plays.csv", "holdout": 0.1,
                          "columns": {"user": "user", "item": "item"}})
        with h5py.File(self.path / "run" / "segments.h5") as file:
            users = [text.decode() for text in file["users/id"][...]]
        with open(self.path / "users.csv", newline="") as file:
            self.assertEqual([row["id"] for row in csv.DictReader(file)], users)
        lists = [json.loads(line) for line in (self.path / "recommendations.jsonl").read_text().splitlines()]
        self.assertEqual({row["user"] for row in lists if row["user"]}, set(users))
        if not missing["parquet"]:
            self.assertEqual(datasets(self.path / "run" / "segments.h5"), datasets(self.path / "run-parquet" / "segments.h5"))
        if not missing["report"]:
            self.assertIn("</html>", (self.path / "report.html").read_text())


if __name__ == "__main__":
    unittest.main()
