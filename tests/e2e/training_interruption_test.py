"""Training that a signal ends in the middle of an epoch, on any one rank, goes on there on other ranks, to the same bits."""

import os
import pathlib
import random
import signal
import subprocess
import time
import unittest

import h5py

from support import MPIEXEC, PROGRAM, WithDirectory, cohort, datasets

LIMIT = 90  # seconds
NEVER = 1_000_000  # epochs: more than anybody waits for


def ranks_below(pid):
    """The processes of the program that a launcher has started, by rank."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == pid and os.path.samefile(path / "exe", PROGRAM):
                found.append(int(path.name))
        except (OSError, ValueError):
            continue
    return sorted(found)


class TrainingInterruption(WithDirectory):
    def settings(self, directory, epochs=NEVER):
        # Hundreds of steps an epoch, so that a signal meets the middle of one.
        values = ("train.loss=bpr", f"train.epochs={epochs}", "train.batch=64", "train.checkpoint_every=1", "model.layers=2",
                  "model.dim=32", f"output.directory={self.path / directory}")
        return [part for value in values for part in ("--set", value)]

    def train_until_interrupted(self, ranks, choice):
        """Sends a signal to one rank at some time after the first checkpoint; returns (epochs, step) of model.h5."""
        model = self.path / "cut" / "model.h5"
        before = model.stat().st_mtime_ns if model.exists() else None
        environment = dict(os.environ, OMP_NUM_THREADS="1", OMP_WAIT_POLICY="passive", OMPI_ALLOW_RUN_AS_ROOT="1",
                           OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", OMPI_MCA_mpi_yield_when_idle="1")
        process = subprocess.Popen([MPIEXEC, "--oversubscribe", "--bind-to", "none", "-n", str(ranks), PROGRAM, "train",
                                    str(self.config), *self.settings("cut")], env=environment, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace")
        try:
            end = time.monotonic() + LIMIT
            while not model.exists() or model.stat().st_mtime_ns == before:
                self.assertLess(time.monotonic(), end, "there is no checkpoint")
                time.sleep(0.005)
            time.sleep(choice.uniform(0, 0.05))
            os.kill(choice.choice(ranks_below(process.pid)), signal.SIGTERM)
            error = process.communicate(timeout=LIMIT)[1]
        finally:
            process.kill()
            process.wait()
        self.assertEqual(process.returncode, 3, error)
        self.assertIn("the same command again goes on", error)
        with h5py.File(model, "r") as file:
            return int(file.attrs["epochs"]), int(file.attrs["step"])

    def test_in_the_middle_of_epochs_on_changing_ranks(self):
        cohort("generate", "--users", 800, "--items", 400, "--interactions", 12000, "--segments", 5, "--seed", 3,
               "--output", self.path / "data")
        self.config = self.path / "data" / "config.toml"
        for stage in ("prepare", "partition"):
            cohort(stage, self.config, *self.settings("cut"))
        choice = random.Random(8)
        places = [self.train_until_interrupted(ranks, choice) for ranks in (2, 1, 3)]
        self.assertEqual(places, sorted(places))
        self.assertTrue(any(step > 0 for _, step in places), places)
        if places[-1][1] > 0:
            refused = cohort("segment", self.config, *self.settings("cut"), check=False)
            self.assertEqual(refused.returncode, 2)
            self.assertIn("in the middle of epoch", refused.stderr)
        epochs = places[-1][0] + 2
        cohort("train", self.config, *self.settings("cut", epochs), ranks=4)
        cohort("run", self.config, *self.settings("whole", epochs))
        self.assertEqual(datasets(self.path / "cut" / "model.h5"), datasets(self.path / "whole" / "model.h5"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
