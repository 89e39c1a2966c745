"""--log-file, and the time that is left: what a log says in a file, on standard error and on a terminal."""

import os
import pty
import re
import subprocess
import unittest

from support import PROGRAM, WithDirectory, cohort


class LogFile(WithDirectory):
    def setUp(self):
        super().setUp()
        self.write("log.csv", "user,item\n" + "".join(f"u{u},i{(u * 7 + k) % 31}\n" for u in range(50) for k in range(5)))
        self.config = self.write("config.toml", '[input]\ninteractions = "log.csv"\n[model]\ndim = 8\n[segment]\ncount = 2\n'
                                                f'[train]\nloss = "bpr"\nepochs = 4\n[output]\ndirectory = "{self.path}/out"\n')
        self.log = self.path / "run.log"

    def lines(self):
        """The lines without their dates, which every one has."""
        found = []
        for line in self.log.read_text().splitlines():
            match = re.fullmatch(r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] (\w+) (.*)", line)
            self.assertTrue(match, line)
            found.append(match.groups())
        return found

    def test_all_that_is_logged(self):
        done = cohort("run", self.config, "--log-file", self.log, ranks=2)
        said = [re.fullmatch(r"\[[\d:]+\] (\w+) (.*)", line).groups() for line in done.stderr.splitlines()]
        self.assertEqual(self.lines(), said)
        epochs = [text for _, text in said if text.startswith("epoch ")]
        self.assertGreaterEqual(len(epochs), 4)  # and as many of the embedding that recommendations are chosen with
        for epoch in epochs:
            if epoch.startswith("epoch 4/4"):
                self.assertNotIn("left", epoch)
            else:
                self.assertRegex(epoch, r", \d+ s left$")
        # A second run goes on in the file; its error stands there too.
        broken = cohort("run", self.config, "--log-file", self.log, "--set", "input.interactions=none.csv", ranks=2, check=False)
        self.assertEqual(broken.returncode, 2)
        self.assertEqual(self.lines()[:len(said)], said)
        self.assertEqual([(level, "none.csv" in text) for level, text in self.lines()[len(said):] if level == "error"],
                         [("error", True)])

    def test_a_person_sees_a_bar_and_the_file_has_lines(self):
        watcher, terminal = pty.openpty()
        process = subprocess.Popen([PROGRAM, "run", self.config, "--log-file", self.log], stderr=terminal,
                                   stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
                                   env=dict(os.environ, OMP_NUM_THREADS="1"))
        os.close(terminal)
        seen = b""
        while True:
            try:
                piece = os.read(watcher, 1 << 16)
            except OSError:  # the other end is closed
                break
            if not piece:
                break
            seen += piece
        os.close(watcher)
        self.assertEqual(process.wait(), 0, seen)
        self.assertIn(b"\r[######", seen)
        self.assertRegex(seen, rb"epoch 1/4: [^\r]* s left")
        self.assertGreaterEqual(sum(text.startswith("epoch ") for _, text in self.lines()), 4)

    def test_a_file_that_cannot_be_written(self):
        for path, words in ((self.path, "it is a directory"), (self.path / "no" / "log", "there is no directory")):
            for ranks in (1, 3):
                done = cohort("run", self.config, "--log-file", path, ranks=ranks, check=False)
                self.assertEqual((done.returncode, done.stderr.count("error: ")), (2, 1), done.stderr)
                self.assertIn(words, done.stderr)
        done = cohort("prepare", self.config, "--log-file", "/dev/full")
        self.assertEqual(done.stderr.count("the log file /dev/full cannot be written: No space left on device"), 1)


if __name__ == "__main__":
    unittest.main()
