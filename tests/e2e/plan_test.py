"""What `cohort plan` predicts of ranks that are not there: traffic to the byte, memory, what it advises and refuses."""

import json
import unittest

import h5py

from support import WithDirectory, cohort

RANKS = (1, 3)


class Plan(WithDirectory):
    def prepared(self, *settings, ranks=2):
        """A graph with its partition; returns the command line that goes on from it."""
        config = self.path / "data" / "config.toml"
        if not config.exists():
            cohort("generate", "--output", self.path / "data", "--users", 3000, "--items", 1200, "--interactions",
                   40000, "--segments", 5, "--seed", 3)
        line = [config, *(part for setting in (f"output.directory={self.path}/run", *settings)
                          for part in ("--set", setting))]
        for command in ("prepare", "partition"):
            cohort(command, *line, "--quiet", ranks=ranks)
        return line

    def plan(self, line, *arguments, ranks=1, processes=1):
        numbers = ",".join(map(str, ranks if isinstance(ranks, tuple) else (ranks,)))
        done = cohort("plan", *line, "--ranks", numbers, "--json", "--quiet", *arguments, ranks=processes)
        return json.loads(done.stdout)

    def trained(self, line, ranks):
        cohort("train", *line, "--quiet", "--restart", ranks=ranks)
        with h5py.File(self.path / "run" / "model.h5", "r") as model:
            traffic = model["history/traffic"]
            return {name: traffic[name][...].tolist() for name in ("halo_bytes", "pair_bytes")}

    def check_traffic(self, *settings):
        line = self.prepared("segment.count=5", *settings)
        plan = self.plan(line, ranks=RANKS)
        self.assertEqual([entry["ranks"] for entry in plan["ranks"]], list(RANKS))
        self.assertTrue(plan["traffic_exact"])
        for entry in plan["ranks"]:
            measured = self.trained(line, entry["ranks"])
            for name in ("halo_bytes", "pair_bytes"):
                self.assertEqual(entry["training"][name], measured[name], f"{name} at {entry['ranks']} ranks")
            self.assertGreater(entry["seconds_per_step"], 0)
            self.assertGreaterEqual(entry["balance"], 1)
            self.assertAlmostEqual(entry["seconds_per_step"], sum(entry["seconds"].values()))
            if entry["ranks"] > 1:
                self.assertGreater(max(measured["halo_bytes"]), 0)
                self.assertGreater(entry["reduction_bytes"], 0)
        return line, plan

    def test_lightgcn_with_softmax(self):
        # 25 epochs: two checkpoints on the way, whose embeddings count.
        line, plan = self.check_traffic("train.loss=softmax", "train.epochs=25", "train.batch=700", "train.start=random",
                                        "train.checkpoint_minutes=0")
        self.assertEqual(plan["steps_per_epoch"], 5)
        # By other processes, and for machines of their own: what is sent does not change.
        apart = self.plan(line, "--network", "1Gb,50us", ranks=RANKS, processes=3)
        for one, other in zip(plan["ranks"], apart["ranks"]):
            for name in ("training", "halo_bytes", "pair_bytes", "reduction_bytes", "balance"):
                self.assertEqual(one[name], other[name])
        self.assertAlmostEqual(apart["network"]["bytes_per_second"], 1.25e8)
        self.assertAlmostEqual(apart["network"]["latency_seconds"], 5e-5, places=12)
        self.assertEqual(apart["ranks"][0]["seconds"]["halo"], 0)
        # A network a thousand times as slow can only be worse, and costs at least what its wire takes.
        slow = self.plan(line, "--network", "1Mb,50us", ranks=3)
        for entry in slow["ranks"]:
            self.assertGreater(entry["seconds"]["reductions"], 8e-6 * entry["reduction_bytes"])
            self.assertLess(entry["efficiency"], 0.5)
        for found in (plan, apart, slow):
            self.assertIn(found["advice"]["ranks"], [entry["ranks"] for entry in found["ranks"]])
            self.assertGreater(len(found["advice"]["why"]), 20)

    def test_a_network_on_the_user_graph(self):
        self.check_traffic("graph.kind=user", "graph.neighbours=10", "model.encoder=gcn", "train.loss=softmax",
                           "train.batch=1500", "train.epochs=3", "train.start=random")

    def test_bpr_draws_its_first_epoch(self):
        line, plan = self.check_traffic("train.loss=bpr", "train.epochs=1", "train.batch=5000")
        self.assertGreater(max(plan["ranks"][-1]["training"]["pair_bytes"]), 0)
        longer = self.plan([*line, "--set", "train.epochs=4"], ranks=3)
        self.assertFalse(longer["traffic_exact"])

    def test_refusals(self):
        line = self.prepared("partition.shards=16")
        for arguments, settings, parts in (
                (["--ranks", "4,17"], [], ["16 shards", "partition.shards"]),
                (["--ranks", "2", "--network", "100Gb"], [], ["--network", "100Gb,2us"]),
                (["--ranks", "2", "--network", "-1Gb,2us"], [], ["--network"]),
                (["--ranks", "2", "--network", "1Gx,2us"], [], ["--network"]),
                (["--ranks", "0"], [], ["--ranks"]),
                ([], [], ["--ranks"])):
            with self.subTest(arguments=arguments, settings=settings):
                for processes in (1, 2):
                    done = cohort("plan", *line, *arguments, *(p for s in settings for p in ("--set", s)), "--quiet",
                                  ranks=processes, check=False)
                    self.assertEqual(done.returncode, 2, done.stderr)
                    self.assertEqual(done.stdout, "")
                    for part in parts:
                        self.assertEqual(done.stderr.count(part), 1, done.stderr)
        cohort("prepare", *line, "--quiet")
        done = cohort("plan", *line, "--ranks", 2, "--quiet", check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("run `cohort partition` first", done.stderr)
        done = cohort("plan", line[0], "--set", f"output.directory={self.path}/none", "--ranks", 2, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertFalse((self.path / "none").exists())

    def test_memory_alone_where_no_steps_can_be_planned(self):
        line = self.prepared()
        for settings, why in ((["model.encoder=spectral"], "nothing is trained"),
                              (["model.encoder=gcn", "train.loss=dmon"], "train.loss")):
            line_of_case = [*line, *(part for setting in settings for part in ("--set", setting))]
            plan = self.plan(line_of_case, ranks=RANKS, processes=2)
            self.assertIn(why, plan["no_steps"])
            self.assertEqual(plan["advice"]["ranks"], 1)
            for entry in plan["ranks"]:
                self.assertNotIn("seconds_per_step", entry)
                stages = entry["stages"]
                self.assertEqual(list(stages), ["prepare", "partition", "train", "segment", "profile", "recommend",
                                                "evaluate"])
                for stage in stages.values():
                    self.assertGreater(stage["memory_bytes"], plan["base_bytes"])
                    self.assertGreaterEqual(entry["ranks"] * stage["memory_bytes"], stage["machine_bytes"])
                # What is to be run yet decides.
                ahead = {name: stages[name]["machine_bytes"] for name in list(stages)[2:]}
                self.assertEqual(entry["largest_stage"], max(ahead, key=ahead.get))
                self.assertEqual(entry["machine_bytes"], max(ahead.values()))
                self.assertEqual(entry["fits"], entry["machine_bytes"] <= plan["available_bytes"])
            done = cohort("plan", *line_of_case, "--ranks", "1,2", "--quiet")
            self.assertIn("memory alone: ", done.stdout)
            self.assertIn(why, done.stdout)

    def test_the_stage_that_needs_most_decides(self):
        line = self.prepared("model.encoder=spectral")

        few, many = (self.plan([*line, "--set", "recommend.strategy=personal", "--set", f"recommend.count={count}"],
                               ranks=(1, 2)) for count in (20, 1200))
        for one, other in zip(few["ranks"], many["ranks"]):
            self.assertEqual(other["largest_stage"], "recommend")
            self.assertGreater(other["machine_bytes"], one["machine_bytes"])
            lists = 3000 * (1200 - 20) * 12
            more = other["stages"]["recommend"]["machine_bytes"] - one["stages"]["recommend"]["machine_bytes"]
            self.assertGreater(more, 0.99 * lists)

    def test_features_and_the_filter_are_in_it(self):
        line = self.prepared("graph.kind=user", "graph.neighbours=10", "model.encoder=gcn", "train.loss=dmon",
                             "segment.count=5")
        def stages(*settings):
            words = [part for setting in settings for part in ("--set", setting)]
            found = self.plan([*line, *words], ranks=1)["ranks"][0]["stages"]
            return {name: stage["memory_bytes"] for name, stage in found.items()}

        plain = stages("recommend.strategy=personal")
        filtered = stages("recommend.strategy=filter")
        # Three rows of 64 columns of every user and item; processes differ by some pages before they begin.
        pages = 1 << 20
        self.assertGreater(filtered["recommend"] - plain["recommend"] + pages, 4200 * 3 * 256)
        self.assertGreater(filtered["evaluate"] + pages, plain["evaluate"])
        with h5py.File(self.path / "run" / "graph.h5", "r") as graph:
            ids = [name.decode() for name in graph["users/id"][...]]
        with open(self.path / "features.tsv", "w", encoding="utf-8") as table:
            table.write("user\t" + "\t".join(f"c{c}" for c in range(400)) + "\n")
            for i, name in enumerate(ids):
                table.write(f"{name}\t" + "\t".join(str(i % (c + 2) + 1) for c in range(400)) + "\n")
        line = self.prepared("graph.kind=user", "graph.neighbours=10", "model.encoder=gcn", "train.loss=dmon",
                             "segment.count=5", f"input.user_features={self.path}/features.tsv")
        featured = stages("recommend.strategy=personal")
        # Numbers and columns: in a table on its way to its rows; as the network is given them, beside the table.
        self.assertGreater(featured["prepare"] - plain["prepare"] + pages, 40 * len(ids) * 400)
        self.assertGreater(featured["train"] - plain["train"] + pages, 20 * len(ids) * 400)

    def test_says_it_in_words(self):
        line = self.prepared()
        done = cohort("plan", *line, "--ranks", "1,2", "--quiet")
        self.assertIn("all ranks on one machine", done.stdout)
        self.assertIn("advice: ", done.stdout)
        self.assertIn("memory of the rank that has most, by stage", done.stdout)
        self.assertEqual(len(done.stdout.strip().splitlines()), 10)


if __name__ == "__main__":
    unittest.main(verbosity=2)
