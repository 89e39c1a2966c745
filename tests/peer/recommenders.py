"""Recommenders without training by gradients, on the pairs of a graph.h5 of Cohort; prints one JSON object.

usage: PYTHON recommenders.py GRAPH.h5 --method ease [--seed 1] [-k 20] [--memory-limit 4]       (numpy, scipy, h5py)

popularity  items by their number of users
itemcf      sums of cosines of items' columns over 100 nearest items, of each of the user's or of each that is ranked
svd         64 singular vectors of R~ = D_u^-1/2 R D_i^-1/2: users R D_i^-b V, items D_i^b V
gfcf        R (R~' R~ + w D_i^-1/2 V V' D_i^1/2), V of 256 columns (GF-CF, Shen et al. 2021)
ease        R B, B the ridge regression of each item on the others (EASE, Steck 2019)

R is binary. All items are ranked but those that the user has. b, w, EASE's lambda and whose nearest items are those of
the best NDCG on a tenth of every user's training pairs, held back by --seed; then all training pairs are used. Held-out
pairs of the file serve for the last figures alone. A method that would need more memory than the limit (GiB) says so.
"""

import argparse
import json
import resource
import sys
import time

import numpy
import scipy.linalg
import scipy.sparse
import scipy.sparse.linalg
from measures import best_items, recall_and_ndcg

NEIGHBOURS, SVD_COLUMNS, LOW_PASS_COLUMNS = 100, 64, 256
HELD_BACK, VALIDATED_USERS = 0.1, 5_000
SCORES_AT_ONCE = 2**24  # a block of 128 MiB


class Lists:
    """Items of every user, in compressed rows; -1: one that no list can have."""

    def __init__(self, begin, item):
        self.begin, self.item = begin, item
        self.users = numpy.flatnonzero(numpy.diff(begin))  # those that have any

    def of(self, user):
        return self.item[self.begin[user]:self.begin[user + 1]]


def degree_power(matrix, axis, power):
    """Diagonal of the degrees' power, 0 where there is none."""
    degree = numpy.asarray(matrix.sum(axis)).ravel()
    return scipy.sparse.diags(numpy.where(degree > 0, numpy.maximum(degree, 1) ** power, 0))


def normalised(matrix):
    return (degree_power(matrix, 1, -0.5) @ matrix @ degree_power(matrix, 0, -0.5)).tocsr()


def right_vectors(matrix, columns, seed):
    """(items, at most columns): the leading right singular vectors, without those of the null space."""
    if columns >= min(matrix.shape):
        _, values, vectors = numpy.linalg.svd(matrix.toarray(), full_matrices=False)
    else:
        start = numpy.random.default_rng(seed).standard_normal(min(matrix.shape))
        _, values, vectors = scipy.sparse.linalg.svds(matrix, columns, v0=start)
    return vectors[values > 1e-8].T


def product_bytes(matrix):
    """No less than what R'R takes: 8 bytes a value and 8 an index of every pair of items that a user has."""
    degree = numpy.diff(matrix.indptr).astype(float)
    return 16 * min(float((degree**2).sum()), float(matrix.shape[1]) ** 2)


class Popularity:
    settings = (None,)
    name = ""

    def __init__(self, matrix, settings, seed):
        self.count = numpy.asarray(matrix.sum(0)).ravel()

    @staticmethod
    def bytes_needed(matrix):
        return 0

    def scores(self, users, settings):
        """For each of settings, the dense scores of users, an array of rows of the matrix."""
        yield numpy.tile(self.count, (len(users), 1))


class ItemCf:
    """Scores are sums of cosines: over the user's items that have the candidate among their nearest (Deshpande and
    Karypis 2004), or over the candidate's nearest that the user has (Sarwar et al. 2001)."""

    settings = ("user's items", "candidate")
    name = "nearest of"

    def __init__(self, matrix, settings, seed, neighbours=NEIGHBOURS):
        self.matrix = matrix
        columns = (matrix @ degree_power(matrix, 0, -0.5)).tocsc()
        begin, kept, values = [0], [], []
        for first in range(0, matrix.shape[1], 1024):
            cosine = (columns[:, first:first + 1024].T @ columns).tocsr()
            for item in range(cosine.shape[0]):
                row = slice(cosine.indptr[item], cosine.indptr[item + 1])
                others, value = cosine.indices[row], cosine.data[row]
                others, value = others[others != first + item], value[others != first + item]
                nearest = numpy.lexsort((others, -value.round(12)))[:neighbours]  # equal ones by number
                kept.append(others[nearest])
                values.append(value[nearest])
                begin.append(begin[-1] + len(nearest))
        self.nearest = scipy.sparse.csr_matrix(
            (numpy.concatenate(values), numpy.concatenate(kept), begin), shape=(matrix.shape[1],) * 2)

    @staticmethod
    def bytes_needed(matrix):
        return 16 * 1024 * matrix.shape[1]

    def scores(self, users, settings):
        for whose in settings:
            yield (self.matrix[users] @ (self.nearest if whose == "user's items" else self.nearest.T)).toarray()


class Svd:
    settings = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
    name = "b"

    def __init__(self, matrix, settings, seed):
        self.matrix = matrix
        self.vectors = right_vectors(normalised(matrix), SVD_COLUMNS, seed)
        self.by_item = {b: degree_power(matrix, 0, b) for b in settings}
        self.inverse = {b: degree_power(matrix, 0, -b) for b in settings}

    @staticmethod
    def bytes_needed(matrix):
        return 8 * 3 * SVD_COLUMNS * sum(matrix.shape)

    def scores(self, users, settings):
        for b in settings:
            yield (self.matrix[users] @ (self.inverse[b] @ self.vectors)) @ (self.by_item[b] @ self.vectors).T


class GfCf:
    settings = (0.0, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0)
    name = "w"

    def __init__(self, matrix, settings, seed):
        self.matrix, normal = matrix, normalised(matrix)
        self.linear = (normal.T @ normal).tocsr()
        vectors = right_vectors(normal, LOW_PASS_COLUMNS, seed)
        self.users = degree_power(matrix, 0, -0.5) @ vectors
        self.items = (degree_power(matrix, 0, 0.5) @ vectors).T

    @staticmethod
    def bytes_needed(matrix):
        return product_bytes(matrix) + 8 * 3 * LOW_PASS_COLUMNS * sum(matrix.shape)

    def scores(self, users, settings):
        rows = self.matrix[users]
        linear = (rows @ self.linear).toarray()
        low_pass = (rows @ self.users) @ self.items
        for w in settings:
            yield linear + w * low_pass


class Ease:
    """B = I - P diag(1 / diag P) with P = (R'R + lambda I)^-1. Where there are fewer users than items, the same through
    K = (R R' + lambda I)^-1: R P = K R, and P = (I - R' K R) / lambda, of which the diagonal alone is needed."""

    settings = (10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0)
    name = "lambda"
    one_at_a_time = True  # each has an inverse of its own

    def __init__(self, matrix, settings, seed):
        (self.decay,) = settings
        self.matrix, self.by_users = matrix, matrix.shape[0] < matrix.shape[1]
        gram = (matrix @ matrix.T if self.by_users else matrix.T @ matrix).toarray(order="F")
        gram[numpy.diag_indices_from(gram)] += self.decay
        factor, failed = scipy.linalg.lapack.dpotrf(gram, lower=1, overwrite_a=1, clean=0)
        if not failed:
            self.inverse, failed = scipy.linalg.lapack.dpotri(factor, lower=1, overwrite_c=1)
        if failed:
            raise SystemExit(f"EASE: the matrix of lambda {self.decay} cannot be inverted ({failed})")
        for first in range(0, len(gram), 1024):  # LAPACK fills the lower half
            last = min(first + 1024, len(gram))
            lower = numpy.tril(self.inverse[first:last, first:last])
            self.inverse[first:last, first:last] = lower + numpy.tril(lower, -1).T
            self.inverse[first:last, last:] = self.inverse[last:, first:last].T
        self.diagonal = numpy.diag(self.inverse)
        if self.by_users:
            leverage = [numpy.zeros(0)]
            for first in range(0, matrix.shape[1], 1024):
                columns = matrix[:, first:first + 1024].T.tocsr()
                leverage.append(numpy.asarray(columns.multiply(columns @ self.inverse).sum(1)).ravel())
            self.diagonal = (1 - numpy.concatenate(leverage)) / self.decay

    @staticmethod
    def bytes_needed(matrix):
        return (8 + 12) * min(matrix.shape) ** 2  # dense, and the sparse product of which it is made

    def scores(self, users, settings):
        rows = self.matrix[users]
        # R P = K R
        product = self.inverse[users] @ self.matrix if self.by_users else rows @ self.inverse
        yield rows.toarray() - product / self.diagonal


METHODS = {"popularity": Popularity, "itemcf": ItemCf, "svd": Svd, "gfcf": GfCf, "ease": Ease}


def evaluate(model, settings, known, wanted, users, k):
    """(recall, ndcg) of each of settings: known, what the model was made of, is not ranked; wanted are Lists."""
    found = [([], []) for _ in settings]
    at_once = max(1, SCORES_AT_ONCE // known.shape[1])
    for first in range(0, len(users), at_once):
        block = users[first:first + at_once]
        trained = known[block].nonzero()
        held_out = [wanted.of(user) for user in block]
        for (recall, ndcg), scores in zip(found, model.scores(block, settings)):
            scores[trained] = -numpy.inf
            of_block = recall_and_ndcg(best_items(scores, k), held_out, k)
            recall.append(of_block[0])
            ndcg.append(of_block[1])
    return [tuple(float(numpy.concatenate(of).mean()) for of in measured) for measured in found]


def hold_back(matrix, seed):
    """The matrix without a tenth of every user's pairs, at least one where there are two, and Lists of those."""
    degree = numpy.diff(matrix.indptr)
    user = numpy.repeat(numpy.arange(matrix.shape[0]), degree)
    order = numpy.lexsort((numpy.random.default_rng(seed).random(len(user)), user))  # shuffled within each user
    count = numpy.where(degree > 1, numpy.maximum(1, (HELD_BACK * degree).astype(int)), 0)
    back = numpy.arange(len(user)) - matrix.indptr[user] < count[user]
    item = matrix.indices[order]
    kept = scipy.sparse.csr_matrix((numpy.ones(numpy.count_nonzero(~back)), (user[~back], item[~back])), matrix.shape)
    return kept, Lists(numpy.concatenate([[0], numpy.cumsum(count)]), item[back])


def choose(method, matrix, seed, k):
    """The setting of the highest NDCG on pairs held back, and what each measured there."""
    if len(method.settings) == 1:
        return method.settings[0], {}
    kept, back = hold_back(matrix, seed)
    users = back.users
    if len(users) == 0:
        raise SystemExit("no user has two items: nothing can be held back to choose by")
    if len(users) > VALIDATED_USERS:
        users = numpy.sort(numpy.random.default_rng(seed).choice(users, VALIDATED_USERS, replace=False))
    single = getattr(method, "one_at_a_time", False)
    found = {}
    for settings in [[one] for one in method.settings] if single else [list(method.settings)]:
        model = method(kept, settings, seed)
        found |= {one: ndcg for one, (_, ndcg) in zip(settings, evaluate(model, settings, kept, back, users, k))}
    return max(found, key=found.get), found


def read(path):
    """Training pairs of a graph.h5 as a binary CSR matrix, held-out ones as Lists."""
    import h5py  # here: the peers' test has no file to read
    with h5py.File(path) as file:
        if "interactions" not in file:
            raise SystemExit(f"{path} has no items")
        if "holdout" not in file:
            raise SystemExit(f"{path} holds nothing out: set input.holdout or input.test")
        item = file["interactions/item"][...]
        train = scipy.sparse.csr_matrix((numpy.ones(len(item)), item, file["interactions/row_begin"][...]),
                                        (len(file["users/id"]), len(file["items/id"])))
        return train, Lists(file["holdout/row_begin"][...], file["holdout/item"][...])


def in_words(setting):
    return setting if isinstance(setting, str) else f"{setting:g}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("graph")
    parser.add_argument("--method", choices=METHODS, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--memory-limit", type=float, default=4, help="GiB")
    parser.add_argument("-k", type=int, default=20)
    options = parser.parse_args()
    method = METHODS[options.method]
    train, held_out = read(options.graph)
    result = {"test_users": len(held_out.users), "users": train.shape[0], "items": train.shape[1], "pairs": train.nnz}
    needed = method.bytes_needed(train) / 2**30
    if needed > options.memory_limit:
        result["skipped"] = f"needs {needed:.1f} GiB"
    else:
        seconds = [time.perf_counter()]
        setting, curve = choose(method, train, options.seed, options.k)
        seconds.append(time.perf_counter())
        model = method(train, [setting], options.seed)
        seconds.append(time.perf_counter())
        ((result["recall"], result["ndcg"]),) = evaluate(model, [setting], train, held_out, held_out.users, options.k)
        seconds.append(time.perf_counter())
        result["setting"] = f"{method.name} {in_words(setting)}" if method.name else ""
        result["held_back_ndcg"] = {in_words(one): value for one, value in curve.items()}
        result["seconds"] = dict(zip(("choose", "fit", "rank"), numpy.diff(seconds).tolist()))
    result["peak_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main()
