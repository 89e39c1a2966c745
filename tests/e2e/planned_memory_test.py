"""The memory that `cohort plan` predicts beside the highest resident set of the ranks that then train."""

import json
import os
import unittest

from support import MPIEXEC, PROGRAM, WithDirectory, cohort

from peak_of import peaks  # support.py says where


class PlannedMemory(WithDirectory):
    def check(self, all_ranks, *settings):
        config = self.path / "data" / "config.toml"
        if not config.exists():
            cohort("generate", "--output", self.path / "data", "--users", 24000, "--items", 6000, "--interactions",
                   160000, "--segments", 5, "--seed", 3)
        settings = (f"output.directory={self.path}/run", "train.epochs=1", "train.start=random", "input.holdout=0.1",
                    "recommend.strategy=personal", *settings)
        line = [config, *(word for setting in settings for word in ("--set", setting)), "--quiet"]
        for command in ("prepare", "partition"):
            cohort(command, *line, ranks=2)
        numbers = ",".join(map(str, all_ranks))
        plan = json.loads(cohort("plan", *line, "--ranks", numbers, "--json").stdout)
        environment = dict(os.environ, OMP_NUM_THREADS="1", OMP_WAIT_POLICY="passive", OMPI_ALLOW_RUN_AS_ROOT="1",
                           OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", OMPI_MCA_mpi_yield_when_idle="1")
        for ranks, planned in zip(all_ranks, plan["ranks"]):
            # What is measured last leaves a graph without its partition.
            cohort("partition", *line, ranks=2)
            launch = [MPIEXEC, "--oversubscribe", "--bind-to", "none", "-n", str(ranks)]
            measured = max(peaks(launch, ranks, self.path, [PROGRAM, "train", *line, "--restart"], env=environment))
            with self.subTest(ranks=ranks, settings=settings):
                self.assertGreater(measured, 2 * plan["base_bytes"])  # or it says nothing
                self.assertGreater(planned["memory_bytes"], 0.8 * measured)
                self.assertLess(planned["memory_bytes"], 1.25 * measured)
                self.check_stages(plan_of=planned, launch=launch, ranks=ranks, line=line, environment=environment)
                # What ranks share is counted once.
                of_machine = {name: stage["machine_bytes"] for name, stage in planned["stages"].items()}
                self.assertLessEqual(of_machine["train"], ranks * planned["memory_bytes"])
                self.assertEqual(planned["machine_bytes"], of_machine[planned["largest_stage"]])

    def check_stages(self, plan_of, launch, ranks, line, environment):
        """Blocks of less than 32 MiB stay with the allocator once they are free, up to 64 MiB of them."""
        for stage in ("segment", "profile", "recommend", "evaluate", "partition", "prepare"):
            planned = plan_of["stages"][stage]["memory_bytes"]
            words = ["--result", self.path / "run" / "segments.h5", "--quiet"] if stage == "evaluate" else line
            measured = max(peaks(launch, ranks, self.path, [PROGRAM, stage, *words], env=environment))
            self.assertLess(planned, 1.25 * measured, stage)
            self.assertGreater(planned + (64 << 20), measured, stage)

    def test_lightgcn(self):
        self.check((1, 3), "train.loss=softmax", "train.batch=8000", "model.dim=128")

    def test_pairs(self):
        self.check((3,), "train.loss=bpr", "train.batch=40000", "model.dim=128")

    def test_a_network_on_the_user_graph(self):
        self.check((1, 3), "graph.kind=user", "graph.neighbours=10", "model.encoder=gcn", "train.loss=softmax",
                   "train.batch=8000", "model.dim=128")


if __name__ == "__main__":
    unittest.main(verbosity=2)
