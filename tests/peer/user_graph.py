#!/usr/bin/env python3
"""Segments of users joined by what they share, beside Leiden on the same graph of users. One markdown table.

    tests/peer/user_graph.py --cohort build/release/cohort --data DIRECTORY [--sets LastFM] [--seeds 1 2 3]

Modules: numpy, scipy, h5py, scikit-learn, igraph, leidenalg. LastFM: modularity of the friendships, which nobody sees.
MovieLens 100k, a fifth held out: how much better the items that most users of a segment have predict what is held out
than those that most users have, in NDCG@20 over all test users (items that a user has are left out). Both: agreement
(adjusted Rand index) between the seeds, the mean over pairs. Cohort makes 8 segments, Leiden as many as it finds."""

import argparse
import itertools
import pathlib
import subprocess
import tempfile

import h5py
import numpy
import scipy.sparse
from communities import leiden
from measures import best_items, modularity, recall_and_ndcg
from sklearn.metrics import adjusted_rand_score

SETS = {"LastFM": ("lastfm/lastfm.inter.gz", 0, "lastfm/lastfm.net"), "MovieLens 100k": ("ml-100k/ml-100k.inter.gz", 0.2, None)}
ENCODERS = ("gcn", "spectral")


def items_of(file, group):
    """By user: its items, -1 for those that the graph does not know."""
    with h5py.File(file) as graph:
        return numpy.split(graph[f"{group}/item"][...], graph[f"{group}/row_begin"][1:-1])


def ndcg_of_groups(segment, known, held_out):
    """NDCG@20, over the users who have something held out, of the items that most users of their group have."""
    popular = numpy.zeros((segment.max() + 1, 1 + max(items.max(initial=0) for items in known)))
    for group, items in zip(segment, known):
        popular[group, items] += 1
    tested = [user for user, items in enumerate(held_out) if len(items)]
    lists = []
    for user in tested:
        score = popular[segment[user]].copy()
        score[known[user]] = -1
        lists.append(best_items(score[None], 20)[0])
    return recall_and_ndcg(lists, [held_out[user] for user in tested], 20)[1].mean()


def friendships(path, users):
    number = {name: i for i, name in enumerate(users)}
    ends = [[number.get(word) for word in line.split()[:2]] for line in path.read_text().splitlines()]
    pairs = {tuple(sorted(pair)) for pair in ends if None not in pair and pair[0] != pair[1]}
    low, high = numpy.array(sorted(pairs)).T
    return numpy.concatenate([low, high]), numpy.concatenate([high, low])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cohort", required=True)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    options = parser.parse_args()
    print("| data | method | segments | modularity of friendships | NDCG@20 over global | agreement of seeds |\n"
          "| --- | --- | --- | --- | --- | --- |", flush=True)
    for data in options.sets:
        path, holdout, social = SETS[data]
        found = {}
        for seed, encoder in itertools.product(options.seeds, ENCODERS):
            with tempfile.TemporaryDirectory() as scratch:
                run = pathlib.Path(scratch)
                (run / "config.toml").write_text(
                    f'[input]\ninteractions = "{(options.data / path).resolve()}"\nholdout = {holdout}\n[graph]\nkind = "user"\n'
                    f'[model]\nencoder = "{encoder}"\n[train]\nseed = {seed}\n[segment]\ncount = 8\n'
                    f'[recommend]\nstrategy = "segment"\n[output]\ndirectory = "{run}/run"\n')
                subprocess.run([options.cohort, "run", str(run / "config.toml"), "--quiet"], check=True)
                graph = run / "run" / "graph.h5"
                with h5py.File(run / "run" / "segments.h5") as file:
                    users, segment = file["users/id"].asstr()[...], file["users/segment"][...]
                with h5py.File(graph) as file:
                    adjacency = scipy.sparse.csr_matrix(
                        (file["neighbours/weight"][...].astype(float), file["neighbours/user"][...],
                         file["neighbours/row_begin"][...]), (len(users),) * 2)
                segments = {f"Cohort, {encoder}": segment}
                if encoder == ENCODERS[0]:
                    segments["Leiden"] = leiden(adjacency, 8, seed)
                for method, segment in segments.items():
                    row = {"segment": segment, "count": len(set(segment))}
                    if social:
                        row["value"] = modularity(*(ends := friendships(options.data / social, users)),
                                                  numpy.ones(len(ends[0])), segment)
                    else:
                        known, held_out = items_of(graph, "interactions"), items_of(graph, "holdout")
                        row["value"] = (ndcg_of_groups(segment, known, held_out) -
                                        ndcg_of_groups(numpy.zeros(len(users), int), known, held_out))
                    found.setdefault(method, []).append(row)
        for method, rows in found.items():
            agreement = numpy.mean([adjusted_rand_score(one["segment"], other["segment"])
                                    for one, other in itertools.combinations(rows, 2)] or [numpy.nan])
            value = f"{numpy.mean([row['value'] for row in rows]):.4f}"
            counts = sorted({row["count"] for row in rows})
            print(f"| {data} | {method} | {counts[0]}{f' to {counts[-1]}' if len(counts) > 1 else ''} | "
                  f"{value if social else ''} | {'' if social else value} | {agreement:.2f} |", flush=True)


if __name__ == "__main__":
    main()
