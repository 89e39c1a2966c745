"""One Lloyd iteration of scikit-learn's k-means: the peer of the k-means benchmark.

usage: PYTHON kmeans_peer.py POINTS COLUMNS K THREADS

Answers every line on standard input with the seconds of one iteration: assignment and new centres, from inside
KMeans.fit (sklearn.cluster._kmeans._kmeans_single_lloyd), so without its checks, copies and start.
"""

import os
import sys
import time


def main():
    points, columns, clusters, threads = map(int, sys.argv[1:5])
    os.environ["OMP_NUM_THREADS"] = str(threads)
    import numpy
    import sklearn
    from sklearn.cluster._k_means_lloyd import lloyd_iter_chunked_dense
    from threadpoolctl import threadpool_limits

    random = numpy.random.default_rng(1)
    rows = random.standard_normal((points, columns), dtype=numpy.float32)
    centres = random.standard_normal((clusters, columns), dtype=numpy.float32)
    moved = numpy.zeros_like(centres)
    weight = numpy.ones(points, dtype=numpy.float32)
    of_cluster = numpy.zeros(clusters, dtype=numpy.float32)
    shift = numpy.zeros(clusters, dtype=numpy.float32)
    labels = numpy.full(points, -1, dtype=numpy.int32)
    print(f"scikit-learn {sklearn.__version__}, {threads} threads", file=sys.stderr, flush=True)
    with threadpool_limits(limits=1, user_api="blas"):
        for _ in sys.stdin:
            start = time.perf_counter()
            lloyd_iter_chunked_dense(rows, weight, centres, moved, of_cluster, labels, shift, threads)
            print(f"{time.perf_counter() - start:.9f}", flush=True)


if __name__ == "__main__":
    main()
