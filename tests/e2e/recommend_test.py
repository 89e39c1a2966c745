"""`recommend` and `evaluate --strategies` on generated data, against what numpy computes from the files."""

import csv
import gzip
import io
import json
import math
import pathlib
import shutil
import tempfile
import unittest

import h5py
import numpy

from support import WithDirectory, cohort, datasets

STRATEGIES = ("global", "segment", "personal", "blend", "filter", "hybrid")


class Recommend(WithDirectory):
    @classmethod
    def setUpClass(cls):
        holder = tempfile.TemporaryDirectory(prefix="cohort-e2e-")
        cls.addClassCleanup(holder.cleanup)
        cls.data = pathlib.Path(holder.name)
        cohort("generate", "--users", 400, "--items", 200, "--interactions", 8000, "--segments", 4, "--noise", 0.2,
               "--seed", 5, "--output", cls.data)
        cls.config = cls.data / "config.toml"
        cohort("run", cls.config, *cls.settings(cls.data), ranks=2)

    @classmethod
    def settings(cls, path, *more):
        values = [f"output.directory={path}/out", "input.holdout=0.2", "train.epochs=3", "recommend.count=7",
                  "recommend.strategy=auto", *more]
        return [part for value in values for part in ("--set", value)]

    def setUp(self):
        super().setUp()
        shutil.copytree(self.data / "out", self.path / "out")
        self.result = self.path / "out" / "segments.h5"

    def recommend(self, strategy, *arguments, more=(), ranks=1, check=True):
        return cohort("recommend", self.config, "--strategy", strategy, *arguments, *self.settings(self.path, *more),
                      ranks=ranks, check=check)

    def scores(self, strategy, file):
        """Users x items, by the strategy's definition; smoothing and weight as the file has them."""
        with h5py.File(self.result.parent / "graph.h5") as graph:
            rows, item = graph["interactions/row_begin"][...], graph["interactions/item"][...]
        users, items = file["users/embedding"][...], file["items/embedding"][...]
        segment = file["users/segment"][...]
        seen = numpy.zeros((len(users), len(items)), bool)
        seen[numpy.repeat(numpy.arange(len(users)), numpy.diff(rows)), item] = True
        inside = numpy.array([seen[segment == s].sum(0) for s in range(len(file["segments/size"]))], float)
        if strategy == "global":
            return numpy.tile(seen.sum(0), (len(users), 1)).astype(float), seen
        popularity = (seen.sum(0) + 1) / (seen.sum() + len(items))
        smoothing = file.attrs["recommend_smoothing"]
        if not math.isinf(smoothing):
            popularity = (inside + smoothing * popularity) / (inside.sum(1, keepdims=True) + smoothing)
        popularity = numpy.broadcast_to(popularity, inside.shape)
        if strategy == "segment":
            return popularity[segment], seen
        product = users.astype(float) @ items.astype(float).T
        if strategy == "personal":
            return product, seen
        if strategy in ("filter", "hybrid"):
            return self.filtered(strategy, file, seen.astype(float), product), seen
        z = (product - product.mean(1, keepdims=True)) / product.std(1, keepdims=True)
        return z + file.attrs["recommend_blend_weight"] * numpy.log(popularity[segment]), seen

    @staticmethod
    def filtered(strategy, file, had, product):
        """By the spectrum of the dense graph, T_k being cos(k arccos)."""
        degree, power = had.sum(0), file.attrs["recommend_filter_power"]
        coefficients, ridge = (0.5, -0.4927, 0, -0.0323, 0, 0.0211), file.attrs["recommend_filter_ridge"]
        if ridge > 0:
            p = (1 - numpy.cos(numpy.pi * (numpy.arange(4000) + 0.5) / 4000)) / 2
            coefficients = numpy.polynomial.chebyshev.chebfit(1 - 2 * p, p / (p + ridge), 5)
            coefficients[0] -= coefficients.sum()
        known = numpy.maximum(degree, 1)
        normalised = had / numpy.sqrt(had.sum(1, keepdims=True) * known)
        values, vectors = numpy.linalg.eigh(normalised.T @ normalised)
        angle = numpy.arccos(numpy.clip(1 - 2 * values, -1, 1))
        response = sum(c * numpy.cos(k * angle) for k, c in enumerate(coefficients))
        scores = had / known ** power @ (vectors * response) @ vectors.T * numpy.where(degree > 0, known ** power, 0)
        scores /= scores.std(1, keepdims=True)
        if strategy == "filter":
            return scores
        return scores + file.attrs["recommend_filter_weight"] * product / product.std(1, keepdims=True)

    def test_every_strategy_is_numpys(self):
        for strategy in STRATEGIES:
            self.recommend(strategy, ranks=3)
            with h5py.File(self.result) as file:
                self.assertEqual(file.attrs["recommend_strategy"], strategy)
                self.assertEqual(file.attrs["recommend_count"], 7)
                scores, seen = self.scores(strategy, file)
                item, score = file["users/recommendations/item"][...], file["users/recommendations/score"][...]
                self.assertEqual(file["segments/recommendations/item"].shape, (4, 7))
            scores[seen] = -numpy.inf
            self.assertEqual(item.shape, (len(scores), 7))
            self.assertEqual([len(set(row)) for row in item], [7] * len(item))
            found = numpy.take_along_axis(scores, item, 1)
            numpy.testing.assert_allclose(found, score, rtol=1e-4, atol=1e-4)
            # Rounding may swap items of nearly equal score, never let a better one be missed.
            numpy.testing.assert_allclose(found, -numpy.sort(-scores, 1)[:, :7], rtol=1e-5, atol=1e-5)

    def test_ranks_do_not_matter_and_what_was_there_stays(self):
        before = datasets(self.result)
        self.recommend("global")
        one = datasets(self.result)
        self.recommend("global", ranks=4)
        self.assertEqual(one, datasets(self.result))
        self.assertEqual(list(before), list(one))
        self.assertEqual({name for name in one if one[name] != before[name]},
                         {f"{of}/recommendations/{what}" for of in ("users", "segments") for what in ("item", "score")} |
                         {"segments/recommendations/known"})
        self.recommend("auto", ranks=3)
        self.assertEqual(before, datasets(self.result), "what run recommends")

    def test_text_says_what_the_file_says(self):
        table, lines = self.path / "lists.csv", self.path / "lists.jsonl"
        self.recommend("segment", "--csv", table, ranks=3)
        self.recommend("segment", "--jsonl", lines)
        with h5py.File(self.result) as file:
            ids = [name.decode() for name in file["items/id"][...]]
            expected = [(name, int(segment), [ids[i] for i in items]) for name, segment, items in
                        [("", s, row) for s, row in enumerate(file["segments/recommendations/item"][...])] +
                        list(zip([name.decode() for name in file["users/id"][...]], file["users/segment"][...],
                                 file["users/recommendations/item"][...]))]
        parsed = [json.loads(line) for line in lines.read_text().splitlines()]
        self.assertEqual(expected, [(line.get("user", ""), line["segment"], [entry["item"] for entry in line["items"]])
                                    for line in parsed])
        rows = list(csv.DictReader(io.StringIO(table.read_bytes().decode(), newline="")))
        self.assertEqual([(row["user"], int(row["segment"]), row["item"]) for row in rows],
                         [(user, segment, item) for user, segment, items in expected for item in items])
        self.assertEqual([int(row["rank"]) for row in rows[:8]], [1, 2, 3, 4, 5, 6, 7, 1])

    def test_filters(self):
        allowed = self.path / "allowed.txt.gz"
        with gzip.open(allowed, "wt") as file:
            file.write("\n".join([f"i{n}" for n in range(0, 60, 2)] + ["nothing", " i1 ", ""]) + "\n")
        for strategy in STRATEGIES:
            done = self.recommend(strategy, more=[f"recommend.allowed_items={allowed}", "recommend.min_support=20"],
                                  ranks=2)
            self.assertIn("1 id of no item passed over", done.stderr)
            with h5py.File(self.result) as file, h5py.File(self.result.parent / "graph.h5") as graph:
                users = numpy.bincount(graph["interactions/item"][...], minlength=len(file["items/id"]))
                names = [name.decode() for name in file["items/id"][...]]
                for item in numpy.unique(file["users/recommendations/item"][...]):
                    if item >= 0:
                        self.assertGreaterEqual(users[item], 20)
                        self.assertTrue(names[item] == "i1" or int(names[item][1:]) % 2 == 0, names[item])

    def test_errors(self):
        nothing = self.write("nothing.txt", "x\ny\n")
        for ranks in (1, 3):
            for more, exit_code, words in (
                    ([f"recommend.allowed_items={nothing}"], 2, "none of its 2 ids is among the"),
                    ([f"recommend.allowed_items={self.path}/missing"], 2, "missing"),
                    (["recommend.min_support=100000"], 2, "recommend.min_support"),
                    (["segment.count=3"], 2, "run `cohort segment` again"),
                    (["recommend.count=0"], 2, "recommend.count")):
                done = self.recommend("blend", more=more, ranks=ranks, check=False)
                self.assertEqual(done.returncode, exit_code, done.stderr)
                self.assertIn(words, done.stderr)
                self.assertEqual(done.stderr.count("error"), 1, done.stderr)

    def test_strategies_are_compared(self):
        comparisons = [json.loads(cohort("evaluate", "--strategies", "--json", "--result", self.result,
                                         ranks=ranks).stdout) for ranks in (1, 3)]
        self.assertEqual(comparisons[0], comparisons[1])
        comparison = comparisons[0]
        self.assertEqual(list(comparison["strategies"]), [*STRATEGIES, "itemcf"])
        ranking = json.loads(cohort("evaluate", "--json", "--result", self.result).stdout)
        personal = comparison["strategies"]["personal"]["overall"]
        for measure in ("recall", "ndcg", "hit_rate"):
            self.assertAlmostEqual(personal[measure]["mean"], ranking[f"{measure}@20"], places=6)
        segment = comparison["strategies"]["segment"]["overall"]
        self.assertTrue(segment["beats_global"])
        self.assertGreater(segment["ndcg"]["gain_interval"][0], 0)
        table = cohort("evaluate", "--strategies", "--result", self.result, ranks=2).stdout
        self.assertIn("segment beats global overall", table)

    def test_comparing_needs_held_out_interactions(self):
        cohort("run", self.config, "--restart", *self.settings(self.path, "input.holdout=0.0", "train.epochs=1"))
        done = cohort("evaluate", "--strategies", "--result", self.result, ranks=2, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("no held-out interactions", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
