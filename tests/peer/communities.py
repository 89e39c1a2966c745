"""Communities of a graph.h5 of Cohort that holds social edges; prints one JSON object.

usage: PYTHON communities.py GRAPH.h5 --method spectral --count 12 [--truth FILE] [--seed 1]
       (numpy, scipy, h5py, scikit-learn; Leiden: igraph, leidenalg)

spectral  the leading eigenvectors of D^-1/2 A D^-1/2, D the degrees + their mean (regularised: Qin and Rohe 2013), as
          many as segments, rows scaled to length 1, k-means with ten restarts
leiden    Leiden on modularity until nothing improves (Traag et al. 2019), which finds the number itself
"""

import argparse
import json
import resource
import sys
import time

import numpy
import scipy.sparse
import scipy.sparse.linalg
from measures import modularity


def read(path):
    """Ids and the symmetric weighted adjacency of the social edges."""
    import h5py
    with h5py.File(path) as file:
        if "social" not in file:
            raise SystemExit(f"{path} has no social edges")
        ids = file["users/id"].asstr()[...]
        adjacency = scipy.sparse.csr_matrix(
            (file["social/weight"][...].astype(float), file["social/user"][...], file["social/row_begin"][...]),
            (len(ids),) * 2)
    return ids, adjacency


def spectral(adjacency, count, seed):
    from sklearn.cluster import KMeans
    degree = numpy.asarray(adjacency.sum(1)).ravel()
    scale = scipy.sparse.diags((degree + degree.mean()) ** -0.5)
    normalised = scale @ adjacency @ scale
    if count >= adjacency.shape[0] - 1:
        vectors = numpy.linalg.eigh(normalised.toarray())[1][:, -count:]
    else:
        start = numpy.random.default_rng(seed).standard_normal(adjacency.shape[0])
        vectors = scipy.sparse.linalg.eigsh(normalised, count, which="LA", v0=start)[1]
    length = numpy.linalg.norm(vectors, axis=1, keepdims=True)
    rows = vectors / numpy.where(length > 0, length, 1)
    return KMeans(count, n_init=10, random_state=seed).fit(rows).labels_


def leiden(adjacency, count, seed):
    import igraph
    import leidenalg
    upper = scipy.sparse.triu(adjacency).tocoo()
    graph = igraph.Graph(adjacency.shape[0], numpy.stack([upper.row, upper.col], axis=1).tolist())
    found = leidenalg.find_partition(graph, leidenalg.ModularityVertexPartition, weights=upper.data.tolist(),
                                     n_iterations=-1, seed=seed)
    return numpy.array(found.membership)


METHODS = {"spectral": spectral, "leiden": leiden}


def agreement(ids, segment, path):
    """ARI and NMI (over the mean of both entropies, as Cohort's) of the users in the file: lines of user and class."""
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
    lines = numpy.loadtxt(path, dtype=str, ndmin=2)
    class_of = dict(zip(lines[:, 0], lines[:, 1]))
    labelled = [place for place, name in enumerate(ids) if name in class_of]
    truth = [class_of[ids[place]] for place in labelled]
    return {"ari": adjusted_rand_score(truth, segment[labelled]),
            "nmi": normalized_mutual_info_score(truth, segment[labelled]), "labelled_users": len(labelled)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("graph")
    parser.add_argument("--method", choices=METHODS, required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--truth")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    ids, adjacency = read(options.graph)
    result = {"users": len(ids), "edges": adjacency.nnz // 2}
    start = time.perf_counter()
    try:
        segment = METHODS[options.method](adjacency, options.count, options.seed)
    except ModuleNotFoundError as missing:
        raise SystemExit(f"{options.method} needs the module {missing.name}: tests/peer/README.md says how to have it")
    result["seconds"] = {"cluster": time.perf_counter() - start}
    result["segments"] = len(numpy.unique(segment))
    edges = adjacency.tocoo()
    result["modularity"] = modularity(edges.row, edges.col, edges.data, segment)
    if options.truth:
        result |= agreement(ids, segment, options.truth)
    result["peak_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main()
