#!/usr/bin/env python3
"""The recipe of Cohort's network on features written once more, with autograd and none of Cohort's code: what its segments and their
agreement with known classes are by the number of smoothings. One markdown table.

    tests/peer/ns4gc.py --data ../shared/data/cora --clusters 7 [--seeds 15] [--held-back 0.1] [--authors]

A GCN of widths 256 and 64 with SELU, NS4GC (arXiv 2408.03765), 200 steps, two views with 0.3 of the edges and 0.2 of the columns
left out, Adam 0.001 with decay 1e-5, rows of features to sum 1; k-means of twenty starts on the embedding, of length 1, after 0 to 4
products with the normalised adjacency, of length 1 again. --data holds edges.txt, features.npy and labels.txt.

--held-back  so much of the edges, drawn anew for every seed, is left out of everything and then asked for: their modularity by the
             segments, and how often such a pair has a higher cosine than two nodes drawn at random (AUC). No label is needed.
--authors    as the authors' own program: biases, each direction of an edge dropped by itself

Modules: torch, scipy, scikit-learn."""

import argparse
import pathlib
import statistics

import numpy
import scipy.sparse
import torch
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from torch.nn.functional import normalize, selu

from measures import modularity

SMOOTHINGS = range(5)
POOL, SPLIT, WIDTH, STEPS = 512, 0.6, 0.1, 200


class Product(torch.autograd.Function):
    """A sparse matrix times a dense one."""

    @staticmethod
    def forward(context, dense, sparse):
        context.sparse = sparse
        return torch.from_numpy(sparse @ dense.detach().numpy())

    @staticmethod
    def backward(context, gradient):
        return torch.from_numpy(context.sparse.T @ gradient.numpy()), None


def normalised(ends, nodes):
    adjacency = scipy.sparse.csr_matrix((numpy.ones(ends.shape[1], "f4"), ends), (nodes, nodes)) + scipy.sparse.eye(nodes, dtype="f4")
    root = scipy.sparse.diags(numpy.asarray(adjacency.sum(0)).ravel() ** -0.5)
    return (root @ adjacency @ root).tocsr().astype("f4")


def both_ways(pairs):
    return numpy.concatenate([pairs, pairs[::-1]], axis=1)


def embedding(features, pairs, seed, authors):
    """Trained on the pairs (2 x n, each once)."""
    nodes, columns = features.shape
    draw = numpy.random.default_rng(1000 + seed)
    torch.manual_seed(seed)
    weights = [torch.empty(columns, 256), torch.empty(256, 64)]
    biases = [torch.zeros(256), torch.zeros(64)]
    for weight in weights:
        torch.nn.init.xavier_uniform_(weight)
    learned = weights + (biases if authors else [])
    for each in learned:
        each.requires_grad_()
    optimizer = torch.optim.Adam(learned, lr=1e-3, weight_decay=1e-5)
    ends = both_ways(pairs)

    def encode(adjacency, rows):
        hidden = selu(Product.apply(Product.apply(weights[0], rows), adjacency) + biases[0])
        return Product.apply(hidden @ weights[1], adjacency) + biases[1]

    def view():
        if authors:
            left = ends[:, draw.random(ends.shape[1]) >= 0.3]
        else:
            left = both_ways(pairs[:, draw.random(pairs.shape[1]) >= 0.3])
        rows = features.copy()
        rows.data *= (draw.random(columns) >= 0.2)[rows.indices]
        return normalize(encode(normalised(left, nodes), rows), dim=1)

    for _ in range(STEPS):
        first, second = view(), view()
        pool = second[draw.integers(nodes, size=POOL)]
        loss = (torch.sigmoid((first @ pool.T - SPLIT) / WIDTH).mean() - (first * second).sum(1).mean()
                - (first[ends[0]] * second[ends[1]]).sum(1).mean())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        return encode(normalised(ends, nodes), features).numpy()


def unit(rows):
    return rows / numpy.maximum(numpy.linalg.norm(rows, axis=1, keepdims=True), 1e-30)


def modularity_of(pairs, segment):
    return float(modularity(*both_ways(pairs), numpy.ones(2 * pairs.shape[1]), segment))


def measures(rows, segment, classes, pairs, held_back):
    found = {"NMI": normalized_mutual_info_score(classes, segment), "ARI": adjusted_rand_score(classes, segment),
             "modularity": modularity_of(pairs, segment)}
    if held_back.shape[1] > 0:
        draw = numpy.random.default_rng(5)
        apart = (rows[draw.integers(len(rows), size=20000)] * rows[draw.integers(len(rows), size=20000)]).sum(1)
        joined = (rows[held_back[0]] * rows[held_back[1]]).sum(1)
        found["modularity of held-back edges"] = modularity_of(held_back, segment)
        found["AUC of held-back edges"] = float((joined[:, None] > apart).mean())
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--clusters", type=int, required=True)
    parser.add_argument("--seeds", type=int, default=15)
    parser.add_argument("--held-back", type=float, default=0)
    parser.add_argument("--authors", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    labels = numpy.loadtxt(options.data / "labels.txt", dtype=int)
    number = {node: i for i, node in enumerate(labels[:, 0])}
    edges = numpy.loadtxt(options.data / "edges.txt", dtype=int)
    all_pairs = numpy.array(sorted({tuple(sorted((number[u], number[v]))) for u, v in edges if u != v})).T
    features = numpy.load(options.data / "features.npy").astype("f4")
    features = scipy.sparse.csr_matrix(features / numpy.maximum(features.sum(1, keepdims=True), 1))
    found = {times: [] for times in SMOOTHINGS}
    for seed in range(1, options.seeds + 1):
        back = numpy.random.default_rng(77 + seed).random(all_pairs.shape[1]) < options.held_back
        pairs = all_pairs[:, ~back]
        adjacency = normalised(both_ways(pairs), len(labels))
        rows = unit(embedding(features, pairs, seed, options.authors))
        for times in SMOOTHINGS:
            if times > 0:
                rows = adjacency @ rows
            segment = KMeans(options.clusters, n_init=20, random_state=seed).fit_predict(unit(rows))
            found[times].append(measures(unit(rows), segment, labels[:, 1], pairs, all_pairs[:, back]))
    names = list(found[0][0])
    print("| smoothings | " + " | ".join(names) + " |\n| --- |" + " --- |" * len(names))
    for times, runs in found.items():
        cells = []
        for name in names:
            values = [run[name] for run in runs]
            error = f" ± {statistics.stdev(values) / len(values) ** 0.5:.4f}" if len(values) > 1 else ""
            cells.append(f"{statistics.mean(values):.4f}{error}")
        print(f"| {times} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
