"""Checkpoints that are never lost, one run a directory, and output that is written or said not to be."""

import fcntl
import os
import pathlib
import shutil
import signal
import subprocess
import threading
import time
import unittest

import h5py

from support import PROGRAM, TIMEOUT, WithDirectory, cohort, datasets

GOOD = "".join(f"u{u}\ti{(u * 7 + k * k) % 23}\n" for u in range(60) for k in range(5))


def alone(*arguments, stdout=subprocess.PIPE, **environment):
    """The program without mpirun, which would stand between it and its standard output."""
    return subprocess.run([PROGRAM, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=stdout,
                          stderr=subprocess.PIPE, text=True, timeout=TIMEOUT,
                          env=dict(os.environ, OMP_NUM_THREADS="1", **environment))


class Files(WithDirectory):
    def setUp(self):
        super().setUp()
        self.write("interactions.tsv", GOOD)
        self.config = self.write("config.toml", '[input]\ninteractions = "interactions.tsv"\nholdout = 0.2\n[model]\ndim = 8\n'
                                 '[train]\nloss = "bpr"\nepochs = 4\ncheckpoint_every = 1\n[segment]\ncount = 3\n')
        self.out = self.path / "out"

    def run_it(self, *arguments, command="run", code=0, ranks=None, output=None, **environment):
        settings = ("--set", f"output.directory={output or self.out}")
        done = (cohort(command, self.config, *settings, *arguments, ranks=ranks, check=False) if ranks
                else alone(command, self.config, *settings, *arguments, **environment))
        self.assertEqual(done.returncode, code, done.stderr)
        if code:
            self.assertEqual(done.stderr.count("error: "), 1, done.stderr)
        return done.stderr

    def flip(self, name, dataset):
        path = self.out / name
        with h5py.File(path, "r") as file:
            place = file[dataset].id.get_offset() + 7
        content = bytearray(path.read_bytes())
        content[place] ^= 16
        path.write_bytes(content)
        return bytes(content)

    def contents(self):
        return {path.name: path.read_bytes() for path in self.out.iterdir()}


class Checkpoints(Files):
    def test_another_setting_is_said_and_nothing_is_overwritten(self):
        self.run_it("--quiet")
        before = self.contents()
        for ranks in (None, 3):
            for command in ("run", "train"):
                said = self.run_it("--set", "train.learning_rate=0.5", command=command, code=2, ranks=ranks)
                self.assertIn('train.learning_rate is 0.5, but was "auto"', said)
                self.assertIn("4 epochs", said)
                self.assertIn("--restart", said)
        # What would make another graph is found before graph.h5 is another one.
        self.assertIn("clean.min_item_interactions is 2, but was 1",
                      self.run_it("--set", "clean.min_item_interactions=2", code=2))
        self.assertIn("partition.shards is 4", self.run_it("--set", "partition.shards=4", code=2))
        self.write("interactions.tsv", GOOD + "u1\ti99\n")
        self.assertIn("was trained on another", self.run_it(code=2))
        self.assertEqual(self.contents(), before)
        self.write("interactions.tsv", GOOD)
        self.run_it("--quiet", "--restart", "--set", "train.learning_rate=0.5", "--set", "train.checkpoint_every=0")
        self.assertEqual((self.out / "model.previous.h5").read_bytes(), before["model.h5"])
        self.run_it("--quiet", "--restart")
        self.assertEqual(datasets(self.out / "segments.h5"), self.of_one_go(4))

    def of_one_go(self, epochs):
        self.run_it("--quiet", "--set", f"train.epochs={epochs}", output=self.path / f"whole{epochs}")
        return datasets(self.path / f"whole{epochs}" / "segments.h5")

    def test_a_damaged_checkpoint(self):
        self.run_it("--quiet", command="prepare")
        self.run_it("--quiet", command="partition")
        self.run_it("--quiet", "--set", "train.epochs=2", command="train")
        damaged = self.flip("model.h5", "rows/parameters")
        before = self.contents()
        for ranks in (None, 3):
            said = self.run_it(code=2, ranks=ranks)
            self.assertIn("dataset /rows/parameters is damaged", said)
            self.assertIn("2 epochs", said)
            self.assertRegex(said, f"--previous goes on from {self.out}/model.previous.h5 with [12] epoch")
            self.assertNotIn("learning rate", said)
        self.assertEqual(self.contents(), before)
        said = self.run_it(SLURM_RESTART_COUNT="1")
        self.assertIn("taking", said)
        self.assertEqual(datasets(self.out / "segments.h5"), self.of_one_go(4))
        shutil.copy(self.out / "model.h5", self.out / "model.previous.h5")
        (self.out / "model.h5").write_bytes(damaged)
        self.run_it("--previous", "--set", "train.epochs=6")
        self.assertEqual(datasets(self.out / "segments.h5"), self.of_one_go(6))
        self.flip("model.h5", "rows/parameters")
        self.flip("model.previous.h5", "embedding")
        self.assertIn("cannot be used either", self.run_it(code=2))
        self.assertIn("/embedding", self.run_it("--previous", code=2))
        (self.out / "model.previous.h5").unlink()
        self.assertIn("there is no", self.run_it(code=2))
        self.run_it("--restart")
        self.assertEqual(datasets(self.out / "segments.h5"), self.of_one_go(4))

    def test_fewer_epochs_than_done(self):
        self.run_it("--quiet")
        before = datasets(self.out / "segments.h5")
        said = self.run_it("--set", "train.epochs=2")
        self.assertIn("holds 4 epochs, more than the 2", said)
        self.assertEqual(datasets(self.out / "segments.h5"), before)
        (self.out / "model.h5").unlink()
        self.assertIn("--previous goes on from", self.run_it(code=2))

    def test_prepare_warns(self):
        self.run_it("--quiet")
        self.assertNotIn("--restart", self.run_it(command="prepare"))
        said = self.run_it("--set", "clean.min_item_interactions=2", command="prepare")
        self.assertIn("needs --restart", said)


class Directory(Files):
    def test_a_second_run_ends(self):
        self.out.mkdir()
        for name in ("graph.h5.tmp.node-17", "interrupted.json.tmp.17"):
            (self.out / name).write_text("left by a dead run")
        with open(self.out / ".cohort.lock", "w") as lock:
            fcntl.lockf(lock, fcntl.LOCK_EX)
            lock.write("process 17 on node")
            lock.flush()
            for ranks in (None, 3):
                for command in ("run", "prepare"):
                    said = self.run_it(code=2, command=command, ranks=ranks)
                    self.assertIn("process 17 on node", said)
            self.assertEqual(len(self.contents()), 3)
        # The file of a run that was killed is no lock.
        self.run_it("--quiet")
        self.assertEqual(sorted(self.contents()), ["graph.h5", "model.h5", "model.previous.h5", "segments.h5", "validation.h5", "validation.previous.h5"])

    def test_a_run_that_was_killed(self):
        process = subprocess.Popen([PROGRAM, "run", self.config, "--set", f"output.directory={self.out}", "--set",
                                    "train.epochs=1000000"], stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stderr.close)
        end = time.monotonic() + TIMEOUT
        while not (self.out / "model.previous.h5").exists() and time.monotonic() < end:
            time.sleep(0.01)
        self.assertIn("another run of Cohort", self.run_it("--set", "train.epochs=1000000", code=2))
        process.send_signal(signal.SIGKILL)
        process.wait()
        with h5py.File(self.out / "model.h5", "r") as file:
            epochs = int(file.attrs["epochs"])
        self.run_it("--quiet", "--set", f"train.epochs={epochs + 1}")
        self.assertEqual([name for name in self.contents() if "tmp" in name or "lock" in name], [])
        self.run_it("--quiet", "--set", f"train.epochs={epochs + 1}", output=self.path / "whole")
        self.assertEqual(datasets(self.out / "segments.h5"), datasets(self.path / "whole" / "segments.h5"))

    def test_a_directory_where_a_file_should_be(self):
        (self.out / "segments.h5").mkdir(parents=True)
        self.assertIn("segments.h5: there is a directory", self.run_it(code=2))
        self.assertEqual(list(self.contents_of_folders()), [])

    def contents_of_folders(self):
        return (path for path in self.out.rglob("*") if path.is_file())


class Output(Files):
    def commands(self):
        """Every command that says its result on standard output."""
        result = self.out / "segments.h5"
        config = (self.config, "--quiet", "--set", f"output.directory={self.out}")
        return [("info", result), ("info", self.out / "model.h5", "--json"), ("compare", result, result),
                ("evaluate", "--result", result), ("evaluate", "--result", result, "--strategies"),
                ("explain", "--result", result, "--user", "u1"), ("export", result),
                ("export", result, "--what", "segments"), ("assign", "--result", result, "--interactions",
                                                           self.path / "interactions.tsv"),
                ("partition", *config), ("profile", *config), ("--help",), ("--version",), ("rerun", result, "--quiet")]

    def test_standard_output_that_cannot_be_written(self):
        self.run_it("--quiet")
        for command in self.commands():
            with open("/dev/full", "w") as full:
                done = alone(*command, stdout=full)
            self.assertEqual(done.returncode, 1, (command, done.stderr))
            self.assertIn("standard output cannot be written: No space left on device", done.stderr, command)
        reading, writing = os.pipe()
        os.close(reading)
        done = alone("export", self.out / "segments.h5", stdout=writing)
        os.close(writing)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("standard output cannot be written: Broken pipe", done.stderr)

    def writers(self):
        """Every command that writes text to a file of the user's choice; the file comes last."""
        result = self.out / "segments.h5"
        config = (self.config, "--quiet", "--set", f"output.directory={self.out}")
        return [("export", result, "--output"), ("partition", *config, "--write-part"),
                ("recommend", *config, "--csv"), ("recommend", *config, "--jsonl"),
                ("assign", "--result", result, "--interactions", self.path / "interactions.tsv", "--output")]

    def test_output_onto_what_is_no_file(self):
        self.run_it("--quiet")
        pipe, link, file, folder = (self.path / name for name in ("pipe", "link", "file", "folder"))
        os.mkfifo(pipe)
        folder.mkdir()
        for command in self.writers():
            file.write_text("old")
            self.assertEqual(alone(*command, file).returncode, 0)
            expected = file.read_text()
            self.assertGreater(len(expected), 50)
            link.symlink_to("file")
            file.write_text("old")
            for name in (link, "/dev/null"):
                done = alone(*command, name)
                self.assertEqual(done.returncode, 0, done.stderr)
            self.assertTrue(link.is_symlink())
            self.assertEqual(file.read_text(), expected, command)
            link.unlink()
            got = []
            reader = threading.Thread(target=lambda: got.append(pipe.read_text()))
            reader.start()
            self.assertEqual(alone(*command, pipe).returncode, 0)
            reader.join()
            self.assertTrue(pipe.is_fifo())
            self.assertEqual(got, [expected], command)
            done = alone(*command, "/dev/full")
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn("/dev/full: No space left on device", done.stderr)
            for name, words in ((folder, "it is a directory"), (folder / "none" / "x", "none")):
                done = alone(*command, name)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn(words, done.stderr)
            self.assertEqual([p.name for p in self.path.iterdir() if "tmp" in p.name], [])
            self.assertTrue(pathlib.Path("/dev/null").is_char_device())


if __name__ == "__main__":
    unittest.main(verbosity=2)
