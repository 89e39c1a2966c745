"""The files of slurm/ on a small cluster: several nodes, everything that ends a job early, arrays.

Under continuous integration (CI=true) the short ones; with COHORT_SLURM_TESTS=1 all of them, some ten minutes; else none.
"""

import csv
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "e2e"))

from support import PROGRAM, cohort, datasets  # noqa: E402

from cluster import Cluster, missing  # noqa: E402

# Seconds for a job; a job takes some 20 on an idle machine, many times that on a busy one.
LIMIT = 500

SLURM = pathlib.Path(__file__).parents[2] / "slurm"
ALL = os.environ.get("COHORT_SLURM_TESTS") == "1"
long = unittest.skipUnless(ALL, "only with COHORT_SLURM_TESTS=1")

# Training that is under way for some seconds after its first checkpoint.
LASTING = ("train.loss=bpr", "train.epochs=600", "train.batch=14000", "train.checkpoint_every=20")


class Slurm(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        holder = tempfile.TemporaryDirectory(prefix="cohort-slurm-")
        cls.addClassCleanup(holder.cleanup)
        cls.path = pathlib.Path(holder.name)
        cls.cluster = Cluster(cls.path / "cluster")
        cls.addClassCleanup(cls.cluster.stop)
        cls.cluster.start()
        cls.cluster.environment |= {"COHORT": PROGRAM, "COHORT_BIND": "none", "OMPI_MCA_mpi_yield_when_idle": "1",
                                    "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
                                    "OMPI_MCA_rmaps_base_oversubscribe": "1"}
        cohort("generate", "--users", 900, "--items", 500, "--interactions", 14000, "--segments", 5, "--noise", 0.2,
               "--seed", 3, "--output", cls.path / "data")
        cls.config = cls.path / "data" / "config.toml"
        cls.whole = {}

    def submit(self, name, nodes, *settings, options=(), script="run.sbatch"):
        """options: of sbatch, over those of the file."""
        return self.cluster.submit("-p", "main", "-N", nodes, "--ntasks-per-node=1", "-c", 1, "-t", 30,
                                   "-o", self.path / f"{name}.log", *options, SLURM / script, self.config,
                                   "--set", f"output.directory={self.path / name}",
                                   *(part for setting in settings for part in ("--set", setting)))

    def log(self, name):
        path = self.path / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def done(self, job, name):
        self.assertEqual(self.cluster.finish(job, LIMIT), ("COMPLETED", 0), self.log(name))

    def same_as_alone(self, name, *settings):
        """The bits of a run to which nothing happened, by one process."""
        if settings not in self.whole:
            place = f"alone{len(self.whole)}"
            self.done(self.submit(place, 1, *settings), place)
            self.whole[settings] = datasets(self.path / place / "segments.h5")
        self.assertEqual(datasets(self.path / name / "segments.h5"), self.whole[settings])

    def wait_for_checkpoint(self, name):
        self.cluster.wait(lambda: (self.path / name / "model.h5").exists(), LIMIT, f"no checkpoint\n{self.log(name)}")

    def test_nodes_give_the_same_bits_as_one_process(self):
        self.done(self.submit("three", 3, "train.epochs=3"), "three")
        self.assertIn("3 nodes, 3 ranks, 1 threads a rank, by srun", self.log("three"))
        self.same_as_alone("three", "train.epochs=3")

    def test_mpirun_gives_the_same_bits(self):
        self.cluster.environment["COHORT_LAUNCHER"] = "mpirun"
        self.addCleanup(self.cluster.environment.pop, "COHORT_LAUNCHER")
        self.done(self.submit("by-mpirun", 2, "train.epochs=3"), "by-mpirun")
        self.assertIn("by mpirun", self.log("by-mpirun"))
        self.same_as_alone("by-mpirun", "train.epochs=3")

    def test_requeued_job_goes_on_from_its_checkpoint(self):
        settings = ("train.epochs=30", "train.checkpoint_every=1", "train.batch=14000")
        job = self.submit("again", 2, *settings)
        self.wait_for_checkpoint("again")
        self.cluster.run("scontrol", "requeue", job)
        self.done(job, "again")
        self.assertIn("going on after epoch", self.log("again"))
        self.same_as_alone("again", *settings)

    def test_error_ends_the_job_with_its_code(self):
        job = self.submit("wrong", 2, "train.epochs=1", "segment.count=100000")
        state, code = self.cluster.finish(job, LIMIT)
        self.assertEqual((state, code), ("FAILED", 2), self.log("wrong"))
        self.assertIn("segment.count", self.log("wrong"))
        self.assertEqual(self.cluster.restarts(job), 0)

    # SIGUSR1 comes after half a minute: Slurm counts limits in minutes.
    SOON = ("-t", 3, "--signal=B:USR1@150")

    def until_done(self, name, nodes):
        settings = (*LASTING[:1], "train.epochs=4000", *LASTING[2:])
        job = self.submit(name, nodes, *settings, options=self.SOON)
        self.cluster.wait(lambda: self.cluster.restarts(job) >= 1, LIMIT, f"not requeued\n{self.log(name)}")
        # However slow this machine is today, some start will be the last.
        self.cluster.run("scontrol", "update", f"JobId={job}", "TimeLimit=60")
        self.done(job, name)
        self.assertIn("requeueing job", self.log(name))
        self.assertNotIn("DUE TO TIME LIMIT", self.log(name))
        self.same_as_alone(name, *settings)

    @long
    def test_time_limit_requeues_until_done(self):
        self.until_done("limit", 2)

    @long
    def test_time_limit_requeues_until_done_by_mpirun(self):
        self.cluster.environment["COHORT_LAUNCHER"] = "mpirun"
        self.addCleanup(self.cluster.environment.pop, "COHORT_LAUNCHER")
        self.until_done("limit-one-node", 1)
        self.until_done("limit-by-mpirun", 2)

    @long
    def test_job_that_comes_no_further_is_not_requeued(self):
        # Interrupted before anything is trained: while a graph of some seconds is read and cut.
        log = self.path / "large.tsv"
        log.write_text("".join(f"u{n * 7919 % 100_003}\ti{n * 104_729 % 20_011}\n" for n in range(2_000_000)))
        job = self.submit("never", 1, f'input.interactions="{log}"')
        self.cluster.wait(lambda: "reading the input" in self.log("never"), LIMIT, "reading does not begin")
        self.cluster.run("scancel", "--batch", "--signal=USR1", job)
        state, code = self.cluster.finish(job, LIMIT)
        self.assertEqual((state, self.cluster.restarts(job)), ("FAILED", 0), self.log("never"))
        self.assertNotEqual(code, 0)
        self.assertIn("interrupted before it came further", self.log("never"))
        self.assertNotIn("requeueing", self.log("never"))

    @long
    def test_preempted_job_goes_on(self):
        settings = (*LASTING[:1], "train.epochs=4000", *LASTING[2:])
        job = self.submit("preempted", 4, *settings)
        self.wait_for_checkpoint("preempted")
        urgent = self.cluster.submit("-p", "high", "-N", 4, "--exclusive", "-o", "/dev/null", "--wrap", "sleep 1")
        self.assertEqual(self.cluster.finish(urgent, LIMIT), ("COMPLETED", 0))
        self.done(job, "preempted")
        self.assertGreaterEqual(self.cluster.restarts(job), 1)
        self.assertIn("going on after epoch", self.log("preempted"))
        self.same_as_alone("preempted", *settings)

    def cancelled(self, name, nodes):
        settings = (*LASTING[:3], "train.checkpoint_every=0")
        job = self.submit(name, nodes, *settings)
        self.cluster.wait(lambda: "epoch 5" in self.log(name), LIMIT, "training does not begin")
        self.cluster.run("scancel", job)
        self.assertEqual(self.cluster.finish(job, LIMIT)[0], "CANCELLED")
        self.wait_for_checkpoint(name)
        self.assertTrue((self.path / name / "interrupted.json").exists(), self.log(name))
        self.assertEqual(self.cluster.restarts(job), 0)
        self.done(self.submit(name, 1, *settings), name)
        self.assertIn("going on after epoch", self.log(name))
        self.same_as_alone(name, *settings)

    @long
    def test_scancel_leaves_a_checkpoint(self):
        self.cancelled("cancelled", 2)

    @long
    def test_scancel_of_mpirun_leaves_a_checkpoint(self):
        self.cluster.environment["COHORT_LAUNCHER"] = "mpirun"
        self.addCleanup(self.cluster.environment.pop, "COHORT_LAUNCHER")
        self.cancelled("cancelled-mpirun", 1)

    @long
    def test_lost_node(self):
        job = self.submit("lost", 3, *LASTING)
        self.wait_for_checkpoint("lost")
        self.cluster.lose_node("n3")
        self.cluster.wait(lambda: self.cluster.restarts(job) >= 1, LIMIT, f"not requeued\n{self.log('lost')}")
        self.cluster.find_node("n3")
        self.done(job, "lost")
        self.assertIn("going on after epoch", self.log("lost"))
        self.same_as_alone("lost", *LASTING)

    @long
    def test_sweep_over_seeds_and_configurations(self):
        job = self.submit("sweep", 1, "train.epochs=3", script="sweep.sbatch", options=("--array=3-5",))
        for seed in (3, 4, 5):
            self.assertEqual(self.cluster.finish(f"{job}_{seed}", LIMIT), ("COMPLETED", 0), self.log("sweep"))
            self.same_as_alone(f"sweep/seed-{seed}", "train.epochs=3", f"train.seed={seed}")
        configs = []
        for name in ("one", "two"):
            configs.append(self.path / "data" / f"{name}.toml")
            configs[-1].write_text(self.config.read_text())
        job = self.cluster.submit("-p", "main", "-N", 1, "--ntasks-per-node=1", "-c", 1, "--array=1", "-o",
                                  self.path / "second.log", SLURM / "sweep.sbatch", *configs, "--set",
                                  f"output.directory={self.path / 'second'}", "--set", "train.epochs=3")
        self.assertEqual(self.cluster.finish(f"{job}_1", LIMIT), ("COMPLETED", 0), self.log("second"))
        self.same_as_alone("second", "train.epochs=3")

    @long
    def test_array_task_at_its_limit_requeues_itself_alone(self):
        settings = (*LASTING[:1], "train.epochs=4000", *LASTING[2:])
        job = self.submit("tasks", 1, *settings, script="sweep.sbatch", options=(*self.SOON, "--array=1-2"))
        for seed in (1, 2):
            task = f"{job}_{seed}"
            self.cluster.wait(lambda: self.cluster.restarts(task) >= 1, LIMIT, f"not requeued\n{self.log('tasks')}")
            self.cluster.run("scontrol", "update", f"JobId={task}", "TimeLimit=60")
        for seed in (1, 2):
            self.assertEqual(self.cluster.finish(f"{job}_{seed}", LIMIT), ("COMPLETED", 0), self.log("tasks"))
            self.same_as_alone(f"tasks/seed-{seed}", *settings, f"train.seed={seed}")


    @long
    def test_study_and_its_collecting_job(self):
        study = self.path / "study"
        done = self.cluster.run(SLURM.parent / "scripts" / "scaling.py", "submit", study, "--nodes", 1, 2, 4, "--ranks", 1,
                                "--repetitions", 2, "--users", 300, "--items", 100, "--interactions", 3000, "--set",
                                "train.epochs=2", "--", "-p", "main", "-t", "30")
        job = done.split("collecting: job ")[1].split(",")[0]
        self.assertEqual(self.cluster.finish(job, LIMIT), ("COMPLETED", 0), done)
        with open(study / "runs.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(sorted((row["kind"], int(row["nodes"]), int(row["ranks"]), int(row["repetition"])) for row in rows),
                         [(kind, nodes, nodes, repetition) for kind in ("strong", "weak") for nodes in (1, 2, 4)
                          for repetition in (0, 1)])
        for row in rows:
            phases = sum(float(row[phase]) for phase in ("prepare", "partition", "train", "segment", "profile", "recommend"))
            self.assertAlmostEqual(phases, float(row["seconds"]))
            self.assertLess(float(row["seconds"]), float(row["wall_seconds"]))
            self.assertEqual(int(row["ranks"]) > 1, int(row["halo_bytes"]) > 0)
        for name in ("speedup", "phases", "traffic"):
            self.assertGreater((study / f"{name}.png").stat().st_size, 1000)
            self.assertIn("<svg", (study / f"{name}.svg").read_text())
        self.assertIn("| strong | 4 | 4", (study / "table.md").read_text())


class WithoutSlurm(unittest.TestCase):
    def test_files_say_that_there_is_no_slurm(self):
        for name in sorted(SLURM.glob("*.sbatch")):
            done = subprocess.run(["bash", name, "x.toml"], env={"PATH": "/nonexistent:/bin"}, capture_output=True,
                                  text=True)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn("Slurm" if not pathlib.Path("/bin/sbatch").exists() else "sbatch", done.stderr)


if __name__ == "__main__":
    if os.environ.get("CI") != "true" and not ALL:
        print("skipped: it runs under continuous integration, or with COHORT_SLURM_TESTS=1")
        sys.exit(77)
    if missing():
        print(f"skipped: {missing()}")
        sys.exit(77)
    unittest.main(verbosity=2)
