"""How well the strategies rank on real data, beside a truncated SVD by numpy on the same pairs."""

import unittest

import h5py
import numpy

from support import WithDirectory, cohort, evaluate, shared

RECIPROCAL = 1 / numpy.log2(numpy.arange(2, 22))


def pairs(file, group, shape):
    rows, item = file[f"{group}/row_begin"][...], file[f"{group}/item"][...]
    user = numpy.repeat(numpy.arange(len(rows) - 1), numpy.diff(rows))
    found = numpy.zeros(shape, bool)
    found[user[item >= 0], item[item >= 0]] = True
    return found, numpy.diff(rows)


def ndcg(scores, had, held, count):
    """NDCG@20 of all that a user has not had, by `scores`; items that training does not know count as missed."""
    best = numpy.argsort(-numpy.where(had, -numpy.inf, scores), axis=1, kind="stable")[:, :20]
    ideal = numpy.cumsum(RECIPROCAL)[numpy.minimum(count, 20) - 1]
    gained = (numpy.take_along_axis(held, best, 1) * RECIPROCAL).sum(1)
    return (gained / ideal)[count > 0].mean()


class Quality(WithDirectory):
    def movielens(self, *settings):
        config = self.write("ml.toml", f"""
[input]
interactions = "{shared('ml-100k', 'ml-100k.inter.gz')}"
holdout = 0.2
[segment]
count = 2
""")
        values = (f"output.directory={self.path}/out", *settings)
        cohort("run", config, *(part for value in values for part in ("--set", value)), threads=2)
        return self.path / "out" / "segments.h5"

    def singular_vectors(self, result):
        """NDCG@20 of the best of 64 singular vectors of the normalised pairs over powers of the items' degrees."""
        with h5py.File(result.parent / "graph.h5") as file:
            shape = len(file["users/id"]), len(file["items/id"])
            (had, _), (held, count) = pairs(file, "interactions", shape), pairs(file, "holdout", shape)
        degree = numpy.maximum(had.sum(0), 1)
        rows = had / numpy.sqrt(numpy.maximum(had.sum(1, keepdims=True), 1) * degree)
        vectors = numpy.linalg.svd(rows, full_matrices=False)[2][:64]
        return max(ndcg((had / degree ** b) @ vectors.T @ vectors * degree ** b, had, held, count)
                   for b in (0, 0.1, 0.2, 0.3, 0.4, 0.5))

    def test_the_filter_of_dense_data_is_not_below_singular_vectors(self):
        result = self.movielens("recommend.strategy=filter", "train.loss=bpr", "train.epochs=1", "model.dim=8")
        with h5py.File(result) as file:
            self.assertGreater(file.attrs["recommend_filter_ridge"], 0)
        # ChebyCF's filter has 0.37 at most, 64 singular vectors have 0.43.
        self.assertGreater(evaluate(result)["strategies"]["filter"]["ndcg@20"], self.singular_vectors(result))

    def test_the_strategy_that_is_chosen_is_not_either(self):
        result = self.movielens("recommend.strategy=auto")
        measures = evaluate(result)
        self.assertGreater(measures["strategies"][measures["written_strategy"]]["ndcg@20"],
                           self.singular_vectors(result))


if __name__ == "__main__":
    unittest.main()
