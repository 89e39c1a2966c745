"""Nothing that grows with the graph stands on one rank: what each of many ranks needs above what it needs idle, stage by
stage, on a population with 200 users to an item. There, even blocks of nodes would put all items on the last rank."""

import os
import statistics
import subprocess
import sys
import unittest

import support

RANKS = int(os.environ.get("COHORT_LEVEL_RANKS", "32"))  # 64: four minutes and 17 GiB
LARGEST_OF_MEAN = 1.5  # what the rank that needs most may need
MEAN = 20 * 2**20  # bytes; below, it is the program and not the graph that is measured

# Runs the program and writes the highest resident memory of that process, in KiB, to a file of the rank's own.
MEASURE = """
import os, sys
child = os.fork()
if child == 0:
    os.execv(sys.argv[2], sys.argv[2:])
_, status, usage = os.wait4(child, 0)
with open(os.path.join(sys.argv[1], os.environ["OMPI_COMM_WORLD_RANK"]), "w") as file:
    file.write(str(usage.ru_maxrss))
sys.exit(os.waitstatus_to_exitcode(status))
"""


class Level(support.WithDirectory):
    def peaks(self, *arguments):
        """Of every rank, bytes."""
        directory = self.path / "peaks"
        directory.mkdir(exist_ok=True)
        environment = dict(os.environ, OMP_NUM_THREADS="1", OMPI_ALLOW_RUN_AS_ROOT="1",
                           OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", OMPI_MCA_mpi_yield_when_idle="1")
        done = subprocess.run([support.MPIEXEC, "--oversubscribe", "--bind-to", "none", "-n", str(RANKS), sys.executable,
                               "-c", MEASURE, str(directory), support.PROGRAM, *map(str, arguments)],
                              env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=900)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [1024 * int((directory / str(rank)).read_text()) for rank in range(RANKS)]

    def test_no_rank_needs_much_more_than_the_mean(self):
        data = self.path / "data"
        support.cohort("generate", "--users", 17000 * RANKS, "--items", 85 * RANKS, "--interactions", 355000 * RANKS,
                       "--output", data)
        idle = self.peaks("--version")
        # Plain blocks, since METIS works in the memory of rank 0; few steps, since 32 ranks share two cores.
        settings = ["partition.tool=block", "train.epochs=1", "train.batch=2000000",
                    "model.layers=1", "model.dim=16"]
        arguments = [data / "config.toml", *(word for setting in settings for word in ("--set", setting))]
        for stage in ("prepare", "partition", "train", "segment"):
            with self.subTest(stage):
                above = [peak - before for peak, before in zip(self.peaks(stage, *arguments), idle)]
                mean = statistics.mean(above)
                print(f"{stage}: mean {mean / 2**20:.1f} MiB, largest {max(above) / mean:.2f} of it", flush=True)
                self.assertGreater(mean, MEAN)
                self.assertLess(max(above), LARGEST_OF_MEAN * mean)


if __name__ == "__main__":
    unittest.main()
