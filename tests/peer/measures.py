"""The measures of quality, once for all peers; numpy alone. peers_test.py checks them against Cohort's own."""

import numpy


def best_items(scores, k):
    """The k best columns of every row, best first; of equal scores the lower number goes first, as in Cohort."""
    k = min(k, scores.shape[1])
    threshold = numpy.partition(scores, scores.shape[1] - k, axis=1)[:, scores.shape[1] - k]
    best = numpy.empty((len(scores), k), numpy.int64)
    for row, least, chosen in zip(scores, threshold, best):
        above = numpy.flatnonzero(row > least)
        chosen[:len(above)] = above[numpy.argsort(-row[above], kind="stable")]
        chosen[len(above):] = numpy.flatnonzero(row == least)[:k - len(above)]
    return best


def recall_and_ndcg(lists, held_out, k):
    """Two arrays, an entry a user: lists (users, up to k) of items, best first, beside each user's held-out items, of
    which one that no list can have (-1) counts as missed. The ideal list has every held-out item first."""
    discount = 1 / numpy.log2(numpy.arange(2, k + 2))
    recall, ndcg = numpy.zeros(len(lists)), numpy.zeros(len(lists))
    for user, (best, wanted) in enumerate(zip(lists, held_out)):
        best = best[:k]
        hit = numpy.isin(best, wanted) & (best >= 0)
        recall[user] = hit.sum() / len(wanted)
        ndcg[user] = discount[:len(best)][hit].sum() / discount[:len(wanted)].sum()
    return recall, ndcg


def modularity(row, column, weight, segment):
    """Newman's modularity at resolution 1; every edge stands in both directions."""
    total = weight.sum()
    inside = weight[segment[row] == segment[column]].sum()
    strength = numpy.bincount(segment[row], weights=weight)
    return inside / total - float(((strength / total) ** 2).sum())
