"""Which criterion finds the planted number of segments: silhouette, silhouette above that of a normal distribution, the gap
statistic, stability over subsamples.

    tests/peer/count_criteria.py --cohort build/release/cohort [--segments 4 8 16 32 64] [--noise 0.1 0.3 0.5] [--nothing 20]

Populations are those of `generate` (sizes 5 to 1), embedded by `run`, and clouds of equal size around normal centres.
Clusters are scikit-learn's k-means; numbers from 2 to 96, at most a fifth apart. One markdown table, and what each said, a
line of JSON each, on standard error. scikit-learn and h5py are needed."""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import h5py
import numpy
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, silhouette_score

COUNTS = [2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 18, 20, 23, 26, 29, 32, 36, 40, 45, 50, 56, 64, 72, 81, 96]
LEAST_EXCESS = 0.1  # below it none stands apart; the program asks halves of the users instead
REFERENCES = 3      # sets of points that the gap is taken to
PAIRS = 3           # of subsamples
KEPT = 0.8          # of the points, in a subsample


def cluster(points, count, seed, runs=1):
    return KMeans(count, n_init=runs, random_state=seed, max_iter=50).fit(points)


def silhouette(points, labels):
    return float(silhouette_score(points, labels, sample_size=min(2000, len(points)), random_state=0))


def stability(points, count, random):
    """Ben-Hur, Elisseeff and Guyon 2002, with the adjusted Rand index."""
    found = []
    for pair in range(PAIRS):
        first, second = (random.choice(len(points), int(KEPT * len(points)), replace=False) for _ in range(2))
        _, in_first, in_second = numpy.intersect1d(first, second, return_indices=True)
        found.append(adjusted_rand_score(cluster(points[first], count, pair).labels_[in_first],
                                         cluster(points[second], count, pair + PAIRS).labels_[in_second]))
    return float(numpy.mean(found))


def chosen(points):
    """What each criterion says."""
    random = numpy.random.default_rng(0)
    mean = points.mean(axis=0)
    _, values, axes = numpy.linalg.svd(points - mean, full_matrices=False)
    along = (points - mean) @ axes.T
    boxes = [random.uniform(along.min(axis=0), along.max(axis=0), along.shape) for _ in range(REFERENCES)]
    normal = random.standard_normal(along.shape) * values / numpy.sqrt(len(points))
    counts = [count for count in COUNTS if count <= len(points) // 4]
    wide, excess, stable = [], [], []
    scatter = [[numpy.log(numpy.square(some - some.mean(axis=0)).sum()) for some in (points, *boxes)]]
    for count in counts:
        found = cluster(points, count, 1, runs=2)
        wide.append(silhouette(points, found.labels_))
        excess.append(wide[-1] - silhouette(normal, cluster(normal, count, 1).labels_))
        stable.append(stability(points, count, random))
        scatter.append([numpy.log(found.inertia_), *(numpy.log(cluster(box, count, 1).inertia_) for box in boxes)])
    # Tibshirani, Walther and Hastie 2001: the first number whose gap is not below the next one's by a standard error.
    scatter = numpy.array(scatter)
    gap = scatter[:, 1:].mean(axis=1) - scatter[:, 0]
    error = scatter[:, 1:].std(axis=1) * numpy.sqrt(1 + 1 / REFERENCES)
    by_gap = next((count for count, here, after, off in zip([1, *counts], gap, gap[1:], error[1:]) if here >= after - off),
                  counts[-1])
    best = int(numpy.argmax(excess))
    return {"silhouette": counts[int(numpy.argmax(wide))],
            "silhouette above a normal distribution's": counts[best] if excess[best] >= LEAST_EXCESS else 1,
            "gap": by_gap, "stability": counts[int(numpy.argmax(stable))], "largest excess": excess[best]}


def embedded(cohort, directory, segments, noise, seed):
    users = 4000 if segments >= 32 else 2000
    for command in (("generate", "--quiet", "--users", users, "--items", users * 2 // 5, "--interactions", 20 * users,
                     "--segments", segments, "--noise", noise, "--seed", seed, "--output", directory),
                    ("run", pathlib.Path(directory) / "config.toml", "--quiet", "--set", "recommend.strategy=global")):
        subprocess.run([cohort, *map(str, command)], check=True, capture_output=True)
    with h5py.File(pathlib.Path(directory) / "run" / "segments.h5", "r") as file:
        return file["users/embedding"][...].astype(float)


def clouds(segments, seed):
    random = numpy.random.default_rng(seed)
    centres = random.standard_normal((segments, 16))
    return centres[numpy.arange(2000) % segments] + 0.6 * random.standard_normal((2000, 16))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cohort", required=True)
    parser.add_argument("--segments", type=int, nargs="+", default=[4, 8, 16, 32, 64])
    parser.add_argument("--noise", type=float, nargs="+", default=[0.1, 0.3, 0.5])
    parser.add_argument("--nothing", type=int, default=20, help="populations without segments (%(default)s)")
    options = parser.parse_args()
    right = {}

    def count(kind, planted, points):
        said = chosen(points)
        print(json.dumps({"population": kind, "planted": planted, **said}), file=sys.stderr, flush=True)
        for criterion, number in said.items():
            if criterion != "largest excess":
                of = right.setdefault(criterion, {}).setdefault(kind, [0, 0])
                of[0] += number == planted
                of[1] += 1

    with tempfile.TemporaryDirectory(prefix="cohort-count-") as directory:
        for segments in options.segments:
            for noise in options.noise:
                count(f"noise {noise:g}", segments, embedded(options.cohort, f"{directory}/{segments}-{noise}", segments,
                                                             noise, 1))
            count("clouds", segments, clouds(segments, 1))
        for seed in range(1, options.nothing + 1):
            count("no segments", 1, embedded(options.cohort, f"{directory}/nothing-{seed}", 8, 1, seed))
    kinds = list(next(iter(right.values())))
    print("| criterion | " + " | ".join(kinds) + " |")
    print("| --- " * (len(kinds) + 1) + "|")
    for criterion, found in right.items():
        print(f"| {criterion} | " + " | ".join(f"{found[kind][0]} of {found[kind][1]}" for kind in kinds) + " |")


if __name__ == "__main__":
    main()
