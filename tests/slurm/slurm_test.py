"""slurm/cohort.sbatch on a small cluster: several nodes, an interruption, a wrong input."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "e2e"))

from support import PROGRAM, WithDirectory, cohort, datasets  # noqa: E402

from cluster import Cluster, missing  # noqa: E402

# Seconds for a job; a job takes some 20 on an idle machine, many times that on a busy one.
LIMIT = 500

SBATCH = pathlib.Path(__file__).parents[2] / "slurm" / "cohort.sbatch"


class Slurm(WithDirectory):
    def setUp(self):
        super().setUp()
        cluster = Cluster(self.path / "cluster")
        self.addCleanup(cluster.stop)
        cluster.start()
        cluster.environment |= {"COHORT": PROGRAM, "OMPI_MCA_mpi_yield_when_idle": "1"}
        self.cluster = cluster
        cohort("generate", "--users", 900, "--items", 500, "--interactions", 14000, "--segments", 5, "--noise", 0.2,
               "--seed", 3, "--output", self.path / "data")

    def submit(self, name, nodes, *settings):
        return self.cluster.submit("-p", "main", "-N", nodes, "--ntasks-per-node=1", "-c", 1, "-t", 30,
                                   "-o", self.path / f"{name}.log", SBATCH, self.path / "data" / "config.toml",
                                   "--set", f"output.directory={self.path / name}",
                                   *(part for setting in settings for part in ("--set", setting)))

    def log(self, name):
        path = self.path / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def test_nodes_give_the_same_bits_as_one_process(self):
        job = self.submit("three", 3, "train.epochs=3")
        self.assertEqual(self.cluster.finish(job, LIMIT), ("COMPLETED", 0), self.log("three"))
        cohort("run", self.path / "data" / "config.toml", "--set", "train.epochs=3", "--set",
               f"output.directory={self.path / 'alone'}")
        self.assertEqual(datasets(self.path / "three" / "segments.h5"), datasets(self.path / "alone" / "segments.h5"))

    def test_requeued_job_goes_on_from_its_checkpoint(self):
        settings = ("train.epochs=30", "train.checkpoint_every=1", "train.batch=14000")
        job = self.submit("again", 2, *settings)
        self.cluster.wait(lambda: (self.path / "again" / "model.h5").exists(), LIMIT, "there is no checkpoint")
        self.cluster.run("scontrol", "requeue", job)
        self.assertEqual(self.cluster.finish(job, LIMIT), ("COMPLETED", 0), self.log("again"))
        self.assertIn("going on after epoch", self.log("again"))
        whole = self.submit("whole", 1, *settings)
        self.assertEqual(self.cluster.finish(whole, LIMIT), ("COMPLETED", 0), self.log("whole"))
        self.assertEqual(datasets(self.path / "again" / "segments.h5"), datasets(self.path / "whole" / "segments.h5"))

    def test_error_ends_the_job_with_its_code(self):
        job = self.submit("wrong", 2, "train.epochs=1", "segment.count=100000")
        state, code = self.cluster.finish(job, LIMIT)
        self.assertEqual((state, code), ("FAILED", 2), self.log("wrong"))
        self.assertIn("segment.count", self.log("wrong"))


if __name__ == "__main__":
    if missing():
        print(f"skipped: {missing()}")
        sys.exit(77)
    unittest.main(verbosity=2)
