"""graph.kind = "user": users alone are nodes, and every command serves them."""

import json
import unittest

import h5py
import numpy

from support import WithDirectory, cohort, datasets, evaluate, shared


class UserGraph(WithDirectory):
    def run_config(self, config, *settings, ranks=1, threads=1, name="run"):
        output = self.path / name
        cohort("run", config, "--quiet", "--set", f"output.directory={output}", "--set", "graph.kind=user",
               *(part for setting in settings for part in ("--set", setting)), ranks=ranks, threads=threads)
        return output / "segments.h5"

    def generated(self, *options):
        cohort("generate", "--output", self.path / "data", "--users", 600, "--items", 300, "--interactions", 9000,
               "--segments", 5, "--noise", 0.2, "--seed", 3, *options)
        return self.path / "data" / "config.toml"

    def test_the_graph_is_that_of_every_pair_looked_at(self):
        result = self.run_config(self.generated("--social", 300), "graph.neighbours=7", "recommend.strategy=personal")
        with h5py.File(result.parent / "graph.h5", "r") as file:
            self.assertEqual(file.attrs["nodes"], "user")
            users, items = len(file["users/id"]), len(file["items/id"])
            matrix = numpy.zeros((users, items))
            begin = file["interactions/row_begin"][...]
            matrix[numpy.repeat(numpy.arange(users), numpy.diff(begin)), file["interactions/item"][...]] = 1
            begin = file["neighbours/row_begin"][...]
            found = numpy.zeros((users, users))
            found[numpy.repeat(numpy.arange(users), numpy.diff(begin)), file["neighbours/user"][...]] = \
                file["neighbours/weight"][...]
            self.assertEqual(len(file["partition/shard"]), users)
        shared_items = matrix @ matrix.T
        own = numpy.diag(shared_items).copy()
        numpy.fill_diagonal(shared_items, 0)
        wanted = numpy.zeros((users, users))
        for user in range(users):
            squares = shared_items[user] ** 2 / numpy.maximum(own, 1)
            nearest = numpy.lexsort((numpy.arange(users), -squares))[:7]
            nearest = nearest[squares[nearest] > 0]
            wanted[user, nearest] = shared_items[user, nearest] / numpy.sqrt(own[user] * own[nearest])
        numpy.testing.assert_allclose(found, numpy.maximum(wanted, wanted.T), rtol=1e-6)

    def test_every_command_serves_it(self):
        config = self.generated("--social", 300)
        result = self.run_config(config, "input.holdout=0.2")
        measures = evaluate(result, "--truth", self.path / "data" / "truth.tsv")
        self.assertGreater(measures["ari"], 0.9)
        self.assertIn("graph_modularity", measures)
        strategies = measures["strategies"]
        for strategy in ("segment", "personal"):
            self.assertGreater(strategies[strategy]["recall@20"], 1.5 * strategies["global"]["recall@20"])
        with h5py.File(result, "r") as file:
            ids, segment = file["users/id"].asstr()[...], file["users/segment"][...]
            self.assertGreaterEqual(file["users/recommendations/item"][...].min(), 0)
            self.assertEqual(len(file["items/embedding"]), len(file["items/id"]))
        answers = cohort("assign", "--result", result, "--interactions", self.path / "data" / "interactions.tsv").stdout
        answered = {answer["user"]: answer["segment"] for answer in map(json.loads, answers.splitlines())}
        self.assertGreater(sum(answered[user] == own for user, own in zip(ids, segment)), 0.9 * len(ids))
        exact = json.loads(cohort("explain", "--result", result, "--user", ids[0], "--json", ranks=2).stdout)
        self.assertTrue(all("user" in part for part in exact["exact"]["contributions"]))
        total = exact["exact"]["constant"] + exact["exact"]["own"]
        total += sum(part["contribution"] for part in exact["exact"]["contributions"])
        self.assertAlmostEqual(total, exact["difference"], places=4)
        cohort("explain", "--result", result, "--segment", 0)
        self.assertIn("identical", cohort("rerun", result).stdout)
        for strategy in ("hybrid", "filter", "blend", "segment"):
            cohort("recommend", result.parent.parent / "data" / "config.toml", "--quiet", "--set", "graph.kind=user",
                   "--set", "input.holdout=0.2", "--set", f"output.directory={result.parent}", "--set",
                   f"recommend.strategy={strategy}", ranks=2)

    def test_same_bits_from_stages_and_ranks(self):
        config = self.generated("--social", 300)
        for encoder in ("spectral", "lightgcn"):
            settings = (f"model.encoder={encoder}", "model.dim=10", "recommend.strategy=segment", "train.epochs=3",
                        "graph.weight=log")
            results = [datasets(self.run_config(config, *settings, ranks=ranks, threads=threads, name=f"{encoder}{ranks}"))
                       for ranks, threads in ((1, 2), (3, 1))]
            self.assertEqual(results[0], results[1])
            output = self.path / f"{encoder}-stages"
            for command in ("prepare", "partition", "train", "segment", "profile", "recommend"):
                cohort(command, config, "--quiet", "--set", f"output.directory={output}", "--set", "graph.kind=user",
                       *(part for setting in settings for part in ("--set", setting)), ranks=2)
            self.assertEqual(results[0], datasets(output / "segments.h5"))

    def test_other_settings_are_another_graph(self):
        config = self.generated()
        self.run_config(config, "recommend.strategy=global")
        for setting in ("graph.kind=bipartite", "graph.neighbours=7", "graph.similarity=count", "graph.max_item_users=99"):
            again = cohort("segment", config, "--set", f"output.directory={self.path}/run", "--set", "graph.kind=user",
                           "--set", setting, check=False)
            self.assertEqual(again.returncode, 2, again.stderr)
            self.assertIn("cohort prepare", again.stderr)

    def test_friends_alone_are_the_same_graph(self):
        config = self.write("football.toml", f'[input]\nsocial = "{shared("football", "edges.txt")}"\n[segment]\ncount = 12\n')
        result = self.run_config(config)
        cohort("run", config, "--quiet", "--set", f"output.directory={self.path}/plain")
        self.assertEqual(datasets(result), datasets(self.path / "plain" / "segments.h5"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
