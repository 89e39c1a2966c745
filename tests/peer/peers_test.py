"""The peers against what defines them, on small sets: EASE against the ridge regression of each item on the others,
ItemCF against loops, GF-CF and the SVD against dense matrices; their measures against Cohort's own."""

import os
import pathlib
import sys
import unittest

import numpy

try:
    import scipy.sparse
except ImportError as missing:
    print(f"skipped: {missing} (Debian: python3-scipy)")
    sys.exit(77)

import measures
import recommenders

HERE = pathlib.Path(__file__).resolve().parent


def small_set(users, items, share, seed):
    """Binary, with an item and a user that have nothing."""
    dense = (numpy.random.default_rng(seed).random((users, items)) < share).astype(float)
    dense[-1] = dense[:, -1] = 0
    return dense


def all_scores(method, dense, setting):
    model = method(scipy.sparse.csr_matrix(dense), [setting], 1)
    (scores,) = model.scores(numpy.arange(len(dense)), [setting])
    return scores


def both_normalised(dense):
    user, item = dense.sum(1, keepdims=True), dense.sum(0, keepdims=True)
    return dense / numpy.sqrt(numpy.where(user > 0, user, 1)) / numpy.sqrt(numpy.where(item > 0, item, 1))


class Recommenders(unittest.TestCase):
    shapes = ((40, 15), (15, 40))  # EASE has a way for each

    def test_ease_is_the_ridge_regression_of_each_item_on_the_others(self):
        for users, items in self.shapes:
            dense = small_set(users, items, 0.3, 1)
            for decay in (0.5, 20.0):
                expected = numpy.zeros(dense.shape)
                for item in range(items):
                    others = numpy.delete(dense, item, axis=1)
                    gram = others.T @ others + decay * numpy.eye(items - 1)
                    expected[:, item] = others @ numpy.linalg.solve(gram, others.T @ dense[:, item])
                numpy.testing.assert_allclose(all_scores(recommenders.Ease, dense, decay), expected, atol=1e-10)

    def test_ease_of_more_users_and_items_than_a_block_solves_its_normal_equations(self):
        for users, items in ((1100, 1060), (1060, 1100)):
            matrix = scipy.sparse.random(users, items, 0.01, "csr", random_state=3)
            matrix.data[:] = 1
            decay = 5.0
            (found,) = recommenders.Ease(matrix, [decay], 1).scores(numpy.arange(users), [decay])
            inverse = numpy.linalg.inv((matrix.T @ matrix).toarray() + decay * numpy.eye(items))
            weights = -inverse / numpy.diag(inverse)
            numpy.fill_diagonal(weights, 0)
            numpy.testing.assert_allclose(found, matrix @ weights, atol=1e-9)

    def test_itemcf_is_the_sum_over_the_nearest_items(self):
        for users, items in self.shapes:
            dense = small_set(users, items, 0.4, 2)
            for neighbours in (3, 100):
                norm = numpy.sqrt(dense.sum(0))
                by_users_items, by_candidate = numpy.zeros(dense.shape), numpy.zeros(dense.shape)
                for item in range(items):
                    cosine = {other: dense[:, item] @ dense[:, other] / (norm[item] * norm[other])
                              for other in range(items) if other != item and dense[:, item] @ dense[:, other] > 0}
                    for other in sorted(cosine, key=lambda one: (-round(cosine[one], 12), one))[:neighbours]:
                        by_users_items[:, other] += dense[:, item] * cosine[other]
                        by_candidate[:, item] += dense[:, other] * cosine[other]
                model = recommenders.ItemCf(scipy.sparse.csr_matrix(dense), [], 1, neighbours)
                found = model.scores(numpy.arange(users), recommenders.ItemCf.settings)
                for scores, expected in zip(found, (by_users_items, by_candidate), strict=True):
                    numpy.testing.assert_allclose(scores, expected, atol=1e-10)

    def test_gfcf_and_svd_are_the_dense_products(self):
        for columns in (4, 15):  # by Lanczos, and of a whole decomposition
            for users, items in self.shapes:
                dense = small_set(users, items, 0.3, 4)
                normal, degree = both_normalised(dense), numpy.maximum(dense.sum(0), 1)
                values, vectors = numpy.linalg.svd(normal, full_matrices=False)[1:]
                leading = vectors[:columns][values[:columns] > 1e-8]
                low_pass = leading.T @ leading
                with Constants(SVD_COLUMNS=columns, LOW_PASS_COLUMNS=columns):
                    numpy.testing.assert_allclose(
                        all_scores(recommenders.GfCf, dense, 0.3),
                        dense @ (normal.T @ normal + 0.3 * degree[:, None] ** -0.5 * low_pass * degree ** 0.5), atol=1e-9)
                    for b in (0.0, 0.4):
                        numpy.testing.assert_allclose(all_scores(recommenders.Svd, dense, b),
                                                      dense @ (degree[:, None] ** -b * low_pass * degree ** b), atol=1e-9)

    def test_every_user_with_two_items_holds_some_back_and_keeps_one(self):
        matrix = scipy.sparse.csr_matrix(small_set(60, 50, 0.4, 5))
        matrix = scipy.sparse.vstack([matrix, scipy.sparse.eye(1, 50), [[1, 1] + [0] * 48]]).tocsr()
        kept, back = recommenders.hold_back(matrix, 7)
        for user in range(62):
            had, stay = set(matrix[user].indices), set(kept[user].indices)
            self.assertEqual(had - stay, set(back.of(user)))
            self.assertEqual(len(back.of(user)), 0 if len(had) < 2 else max(1, len(had) // 10))
        self.assertNotEqual(list(back.item), list(recommenders.hold_back(matrix, 8)[1].item))

    def test_the_setting_chosen_is_the_best_on_what_is_held_back_not_on_the_test(self):
        matrix = scipy.sparse.csr_matrix(small_set(120, 40, 0.2, 6))
        chosen, found = recommenders.choose(recommenders.Ease, matrix, 3, 5)
        kept, back = recommenders.hold_back(matrix, 3)
        self.assertEqual(list(found), list(recommenders.Ease.settings))
        for decay, value in found.items():
            ((_, ndcg),) = recommenders.evaluate(recommenders.Ease(kept, [decay], 3), [decay], kept, back, back.users, 5)
            self.assertEqual(value, ndcg)
        self.assertEqual(found[chosen], max(found.values()))


class Constants:
    """Module constants of recommenders for a while."""

    def __init__(self, **values):
        self.values = values

    def __enter__(self):
        self.before = {name: getattr(recommenders, name) for name in self.values}
        for name, value in self.values.items():
            setattr(recommenders, name, value)

    def __exit__(self, *_):
        for name, value in self.before.items():
            setattr(recommenders, name, value)


class Measures(unittest.TestCase):
    def test_the_best_items_are_those_of_a_stable_sort(self):
        scores = numpy.random.default_rng(1).integers(0, 6, (50, 30)).astype(float)
        scores[:, 3:9] = -numpy.inf
        for k in (1, 7, 30, 40):
            expected = numpy.argsort(-scores, axis=1, kind="stable")[:, :k]
            numpy.testing.assert_array_equal(measures.best_items(scores, k), expected)

    def test_recall_and_ndcg_by_hand(self):
        lists = numpy.array([[4, 0, 2], [1, 3, -1]])
        recall, ndcg = measures.recall_and_ndcg(lists, [[2, 4, -1, 9], [7]], 3)
        gain = 1 / numpy.log2([2, 3, 4])
        numpy.testing.assert_allclose(recall, [0.5, 0])
        numpy.testing.assert_allclose(ndcg, [(gain[0] + gain[2]) / gain.sum(), 0])

    def test_two_triangles_and_an_edge(self):
        edges = [(0, 1), (1, 2), (0, 2), (3, 4), (4, 5), (3, 5), (2, 3)]
        row, column = numpy.array(edges + [edge[::-1] for edge in edges]).T
        segment = numpy.array([0, 0, 0, 1, 1, 1])
        self.assertAlmostEqual(measures.modularity(row, column, numpy.ones(14), segment), 6 / 7 - 1 / 2)


@unittest.skipUnless("COHORT_PROGRAM" in os.environ, "no program: set COHORT_PROGRAM")
class BesideCohort(unittest.TestCase):
    def test_measures_are_cohorts_and_popularity_is_its_global_strategy(self):
        sys.path.insert(0, str(HERE.parent / "e2e"))
        import h5py
        import tempfile
        from support import cohort, evaluate
        with tempfile.TemporaryDirectory(prefix="cohort-peers-") as name:
            data = pathlib.Path(name)
            cohort("generate", "--users", 300, "--items", 150, "--interactions", 6000, "--segments", 4, "--noise", 0.2,
                   "--social", 400, "--seed", 5, "--output", data)
            settings = ("input.holdout=0.2", "train.epochs=3", "model.dim=16", "recommend.strategy=personal",
                        f"output.directory={data / 'out'}")
            cohort("run", data / "config.toml", *(part for one in settings for part in ("--set", one)))
            result = data / "out" / "segments.h5"
            found = evaluate(result)
            train, held_out = recommenders.read(data / "out" / "graph.h5")
            with h5py.File(result) as file:
                lists, segment = file["users/recommendations/item"][...], file["users/segment"][...]
            with h5py.File(data / "out" / "graph.h5") as file:
                begin, other = file["social/row_begin"][...], file["social/user"][...]
                weight = file["social/weight"][...].astype(float)
        wanted = [held_out.of(user) for user in held_out.users]
        recall, ndcg = measures.recall_and_ndcg(lists[held_out.users], wanted, 20)
        self.assertEqual(len(held_out.users), found["test_users"])
        self.assertAlmostEqual(recall.mean(), found["recall@20"], places=9)
        self.assertAlmostEqual(ndcg.mean(), found["ndcg@20"], places=9)
        ((recall, ndcg),) = recommenders.evaluate(recommenders.Popularity(train, [None], 1), [None], train, held_out,
                                                  held_out.users, 20)
        self.assertAlmostEqual(recall, found["strategies"]["global"]["recall@20"], places=9)
        self.assertAlmostEqual(ndcg, found["strategies"]["global"]["ndcg@20"], places=9)
        row = numpy.repeat(numpy.arange(len(segment)), numpy.diff(begin))
        self.assertAlmostEqual(measures.modularity(row, other, weight, segment), found["social_modularity"], places=9)


if __name__ == "__main__":
    unittest.main()
