"""model.encoder = "spectral": embeddings without training, of users and items and of friends alone."""

import json
import unittest

import h5py
import numpy

from support import WithDirectory, cohort, datasets, evaluate, shared


class Spectral(WithDirectory):
    def run_config(self, config, *settings, ranks=1, name="run"):
        output = self.path / name
        cohort("run", config, "--quiet", "--set", f"output.directory={output}",
               *(part for setting in settings for part in ("--set", setting)), ranks=ranks)
        return output / "segments.h5"

    def generated(self):
        cohort("generate", "--output", self.path / "data", "--users", 900, "--items", 500, "--interactions", 14000,
               "--segments", 5, "--noise", 0.2, "--seed", 3)
        return self.path / "data" / "config.toml"

    def friends(self, sizes, inside, outside, pairs):
        """Communities of such sizes, mean degrees inside and outside, beside pairs who know nobody else."""
        random = numpy.random.default_rng(1)
        group = numpy.repeat(numpy.arange(len(sizes)), sizes)
        edges = set()
        for user, own in enumerate(group):
            for friend in random.choice(numpy.flatnonzero(group == own), inside // 2):
                edges.add((user, int(friend)))
            for friend in random.choice(len(group), outside // 2):
                edges.add((user, int(friend)))
        edges = {edge for edge in edges if edge[0] != edge[1]}
        edges |= {(len(group) + 2 * i, len(group) + 2 * i + 1) for i in range(pairs)}
        self.write("friends.txt", "".join(f"u{a} u{b}\n" for a, b in sorted(edges)))
        self.write("truth.txt", "".join(f"u{user} {own}\n" for user, own in enumerate(group)))
        return self.write("friends.toml", f'[input]\nsocial = "friends.txt"\n[segment]\ncount = {len(sizes)}\n')

    def test_users_and_items_are_projected_interactions(self):
        config = self.generated()
        result = self.run_config(config, "model.encoder=spectral", "model.dim=8", "recommend.strategy=personal",
                                 "input.holdout=0.2")
        with h5py.File(result, "r") as file:
            users, items = file["users/embedding"][...], file["items/embedding"][...]
            ids = {name: {value: i for i, value in enumerate(file[name]["id"].asstr()[...])} for name in ("users", "items")}
        with h5py.File(result.parent / "graph.h5", "r") as file:
            begin, other = file["interactions/row_begin"][...], file["interactions/item"][...]
        rows = numpy.repeat(numpy.arange(len(users)), numpy.diff(begin))
        matrix = numpy.zeros((len(ids["users"]), len(ids["items"])))
        matrix[rows, other] = 1
        of_user, of_item = matrix.sum(1), matrix.sum(0)
        normalised = matrix / numpy.sqrt(numpy.maximum(numpy.outer(of_user, of_item), 1))
        _, values, right = numpy.linalg.svd(normalised)
        errors = []
        for power in (0.2, 0.3, 0.4, 0.5):
            basis = items.astype(float) / numpy.maximum(of_item, 1)[:, None] ** power
            if not numpy.allclose(basis.T @ basis, numpy.eye(8), atol=1e-3):
                continue
            errors.append(0)
            # The leading ones are well apart from the noise; those inside it need not have come to rest.
            leading = basis[:, :5]
            self.assertLess(numpy.abs(leading @ leading.T - right[:5].T @ right[:5]).max(), 1e-2)
            wanted = (matrix / numpy.sqrt(of_user)[:, None] / numpy.maximum(of_item, 1) ** power) @ basis
            numpy.testing.assert_allclose(users, wanted, atol=1e-4)
        self.assertEqual(len(errors), 1, "one power fits the items' embedding")
        measures = evaluate(result, "--truth", self.path / "data" / "truth.tsv")
        self.assertGreater(measures["ari"], 0.95)
        self.assertGreater(measures["recall@20"], 1.5 * measures["strategies"]["global"]["recall@20"])

    def test_every_command_takes_it(self):
        config = self.generated()
        result = self.run_config(config, "model.encoder=spectral", "model.dim=16")
        with h5py.File(result, "r") as file:
            ids, segment = file["users/id"].asstr()[...], file["users/segment"][...]
        # Nothing of a user but its interactions is in its embedding, so new users with the same ones come back.
        answers = cohort("assign", "--result", result, "--interactions", self.path / "data" / "interactions.tsv").stdout
        answered = {answer["user"]: answer["segment"] for answer in map(json.loads, answers.splitlines())}
        same = sum(answered[user] == own for user, own in zip(ids, segment))
        self.assertGreater(same, 0.995 * len(ids))
        exact = json.loads(cohort("explain", "--result", result, "--user", ids[0], "--json").stdout)["exact"]
        self.assertEqual(exact["own"], 0)
        self.assertIn("identical", cohort("rerun", result).stdout)
        # Again in the same directory: what is there is used, and gives the same.
        before = datasets(result)
        self.assertEqual(before, datasets(self.run_config(config, "model.encoder=spectral", "model.dim=16", ranks=3)))

    def test_same_bits_with_friends_and_items(self):
        cohort("generate", "--output", self.path / "data", "--users", 400, "--items", 200, "--interactions", 5000,
               "--segments", 4, "--social", 900, "--seed", 3)
        found = [datasets(self.run_config(self.path / "data" / "config.toml", "model.encoder=spectral", "model.dim=10",
                                          "recommend.strategy=personal", ranks=ranks, name=f"run{ranks}"))
                 for ranks in (1, 3)]
        self.assertEqual(found[0], found[1])

    def test_communities_of_friends(self):
        config = self.friends([200, 100, 60, 60, 40, 40], 10, 4, 12)
        results = [self.run_config(config, ranks=ranks, name=f"run{ranks}") for ranks in (1, 4)]
        self.assertEqual(datasets(results[0]), datasets(results[1]))
        measures = evaluate(results[0], "--truth", self.path / "truth.txt")
        self.assertGreater(measures["ari"], 0.9)
        with h5py.File(results[0], "r") as file:
            self.assertEqual(file["users/embedding"].shape[1], 6)
            self.assertEqual(file["history/loss"].shape, (0,))
            user = file["users/id"].asstr()[0]
        explained = json.loads(cohort("explain", "--result", results[0], "--user", user, "--json", ranks=2).stdout)
        exact = explained["exact"]
        self.assertEqual(exact["own"], 0)
        total = exact["constant"] + sum(part["contribution"] for part in exact["contributions"])
        self.assertAlmostEqual(total, explained["difference"], places=4)
        self.assertIn("identical", cohort("rerun", results[0]).stdout)

    def test_other_segments_are_another_model(self):
        config = self.friends([40, 40], 8, 2, 0)
        self.run_config(config)
        again = cohort("run", config, "--set", f"output.directory={self.path}/run", "--set", "segment.count=3", check=False)
        self.assertEqual(again.returncode, 2)
        self.assertIn("segment.count is 3, but was 2", again.stderr)

    def test_football(self):
        config = self.write("football.toml", f"""
[input]
social = "{shared('football', 'edges.txt')}"
[segment]
count = 12
""")
        self.assertGreaterEqual(evaluate(self.run_config(config), "--truth", shared("football", "labels.txt"))["ari"], 0.9)

    def test_lastfm_friendships(self):
        config = self.write("lastfm.toml", f'[input]\nsocial = "{shared("lastfm", "lastfm.net")}"\n[segment]\ncount = 8\n')
        self.assertGreaterEqual(evaluate(self.run_config(config, ranks=2))["social_modularity"], 0.43)


if __name__ == "__main__":
    unittest.main(verbosity=2)
