"""Planted segments found again: Cohort beside k-means on a truncated SVD of the normalised interactions, for 4, 16 and
64 segments and noise 0.1, 0.3, 0.5 and 0.7; one markdown table of adjusted Rand indices.

usage: PYTHON planted_svd.py --cohort build/release/cohort      (PYTHON has numpy, scipy and scikit-learn)

Both sides know the true number of segments and restart k-means four times. The SVD is of D_u^-1/2 R D_i^-1/2; with as
many columns as segments and with 64, its rows as they are and scaled to length 1. The table has the plain one (64
columns, as they are) and the best of the four, which is chosen by the truth and so flatters the SVD.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys

import numpy
import scipy.sparse
from sklearn.cluster import KMeans
from sklearn.decomposition import TruncatedSVD
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import normalize

COLUMNS = 64


def run(options, *command):
    environment = dict(os.environ, OMP_NUM_THREADS=str(options.threads), OMPI_ALLOW_RUN_AS_ROOT="1",
                       OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    done = subprocess.run([str(options.cohort), *map(str, command)], env=environment, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"cohort {' '.join(map(str, command))} exited {done.returncode}")
    return done.stdout


def cohort_index(options, data, *settings):
    run(options, "run", data / "config.toml", "--quiet", "--set", f"output.directory={data / 'run'}",
        *(part for setting in settings for part in ("--set", setting)))
    measures = run(options, "evaluate", "--json", "--result", data / "run" / "segments.h5", "--truth",
                   data / "truth.tsv")
    return json.loads(measures)["ari"]


def table_of(path):
    """The two columns of a file with a header, as strings."""
    return numpy.loadtxt(path, dtype=str, delimiter="\t", skiprows=1, usecols=(0, 1), unpack=True)


def svd_indices(data, segments, seed):
    user_id, item_id = table_of(data / "interactions.tsv")
    users, user = numpy.unique(user_id, return_inverse=True)
    items, item = numpy.unique(item_id, return_inverse=True)
    labelled, label = table_of(data / "truth.tsv")
    label_of = dict(zip(labelled, label))
    truth = [label_of[name] for name in users]
    matrix = scipy.sparse.csr_matrix((numpy.ones(len(user)), (user, item)), shape=(len(users), len(items)))
    by_user = scipy.sparse.diags(1 / numpy.sqrt(matrix.sum(1).A1))
    by_item = scipy.sparse.diags(1 / numpy.sqrt(matrix.sum(0).A1))
    normalised = by_user @ matrix @ by_item
    found = {}
    for columns in sorted({segments, COLUMNS}):
        rows = TruncatedSVD(columns, random_state=seed).fit_transform(normalised)
        for scaled in (False, True):
            means = KMeans(segments, n_init=4, random_state=seed).fit(normalize(rows) if scaled else rows)
            found[columns, scaled] = adjusted_rand_score(truth, means.labels_)
    return found[COLUMNS, False], max(found.values())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohort", required=True, type=pathlib.Path)
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path("build/peer/planted"))
    parser.add_argument("--users", type=int, default=5000)
    parser.add_argument("--items", type=int, default=2000)
    parser.add_argument("--interactions", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    options.cohort = options.cohort.resolve()

    print(f"{options.users} users, {options.items} items, {options.interactions} interactions, seed {options.seed}\n")
    print("| segments | noise | Cohort | Cohort, spherical | SVD, 64 columns | SVD, best of four |")
    print("| --- | --- | --- | --- | --- | --- |")
    for segments in (4, 16, 64):
        for noise in (0.1, 0.3, 0.5, 0.7):
            data = (options.output / f"{segments}-{noise}").resolve()
            shutil.rmtree(data, ignore_errors=True)
            run(options, "generate", "--users", options.users, "--items", options.items, "--interactions",
                options.interactions, "--segments", segments, "--noise", noise, "--seed", options.seed, "--output", data)
            indices = [cohort_index(options, data), cohort_index(options, data, "segment.method=spherical"),
                       *svd_indices(data, segments, options.seed)]
            print(f"| {segments} | {noise} | " + " | ".join(f"{index:.3f}" for index in indices) + " |", flush=True)


if __name__ == "__main__":
    main()
