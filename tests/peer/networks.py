"""Graph neural networks that cluster nodes, beside Cohort's: one line of a Markdown table for each set and method.

usage: PYTHON networks.py --data DIRECTORY [--sets cora football pubmed] [--methods cohort ns4gc gae dmon pyagc]
       [--seeds 1 2 3 4 5] [--cohort PROGRAM]       (torch, torch_geometric, scikit-learn, numpy; pyagc: pyagc)

DIRECTORY/SET holds edges.txt or edges.txt.gz (two ids a line), labels.txt (an id and a class a line) and, if nodes have
any, features.npy, whose row r is that of the r-th id in the order of length and then bytes. Where they have none, the
peers read a column for each node, or of more than 5,000 nodes 64 columns drawn at random. The number of classes is given to
every method, their labels to none. NMI is over the mean of both entropies, as Cohort's.

cohort  `cohort run` with its defaults, on one rank of one thread
ns4gc   NS4GC (arXiv 2408.03765) from its formulas with PyTorch Geometric: GCN to 256 (SELU) and 64 columns, edges dropped
        0.3, features masked 0.2, Adam 1e-3, decay 1e-5, 300 steps; of all pairs up to 5,000 nodes, else of a pool of 512
        nodes a step; then k-means on rows of length 1
gae     PyTorch Geometric's GAE: GCN to 32 (ReLU) and 16 columns, Adam 1e-2, 200 steps; then k-means
dmon    PyTorch Geometric's DMoNPooling on a GCN of 64 columns (SELU), dense, so up to 5,000 nodes; Adam 1e-3, 1,000 steps
pyagc   the package's NS4GC with the same encoder and steps, and its k-means; all pairs, so up to 5,000 nodes
pyagc-ccassg, pyagc-dmon  its CCA-SSG (512 columns, 50 steps) and DMoN (64 columns, 1,000 steps)
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy
from measures import modularity

DENSE_NODES = 5000


class Graph:
    """edges: both directions of each; features: None where there are none."""

    def __init__(self, directory):
        self.edge_file = next(file for file in (directory / "edges.txt", directory / "edges.txt.gz") if file.exists())
        lines = numpy.loadtxt(self.edge_file, dtype=str, usecols=(0, 1))
        labels = dict(numpy.loadtxt(directory / "labels.txt", dtype=str))
        self.ids = sorted(set(lines.ravel().tolist()), key=lambda name: (len(name), name))
        place = {name: number for number, name in enumerate(self.ids)}
        pairs = numpy.array([[place[a], place[b]] for a, b in lines if a != b])
        pairs = numpy.unique(numpy.sort(pairs, axis=1), axis=0)
        self.edges = numpy.concatenate([pairs, pairs[:, ::-1]]).T
        classes = sorted(set(labels.values()))
        self.count = len(classes)
        self.truth = numpy.array([classes.index(labels[name]) for name in self.ids])
        file = directory / "features.npy"
        self.feature_file = file if file.exists() else None
        if self.feature_file:
            self.features = numpy.load(file).astype("f4")
        elif len(self.ids) <= DENSE_NODES:
            self.features = numpy.eye(len(self.ids), dtype="f4")
        else:
            self.features = numpy.random.default_rng(1).standard_normal((len(self.ids), 64), dtype="f4")
        if len(self.features) != len(self.ids):
            raise SystemExit(f"{file} has {len(self.features)} rows, but the edges have {len(self.ids)} nodes")

    def rows(self, torch):
        """Rows of non-negative features to sum 1, others to length 1, as Cohort scales arrays."""
        features = torch.tensor(self.features)
        size = features.sum(1) if (self.features >= 0).all() else features.norm(dim=1)
        return features / size.clamp(min=1e-12)[:, None]


def k_means(rows, count, seed):
    from sklearn.cluster import KMeans
    return KMeans(count, n_init=20, random_state=seed).fit(rows.detach().numpy()).labels_


def gcn(torch, widths, activation):
    from torch_geometric.nn import GCNConv

    class Encoder(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = torch.nn.ModuleList(GCNConv(a, b) for a, b in zip(widths, widths[1:]))

        def forward(self, x, edge_index):
            for layer in self.layers[:-1]:
                x = activation(layer(x, edge_index))
            return self.layers[-1](x, edge_index)

    return Encoder()


def train(torch, model, loss, steps, rate, decay):
    optimizer = torch.optim.Adam(model.parameters(), lr=rate, weight_decay=decay)
    model.train()
    for _ in range(steps):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
    model.eval()


def ns4gc(graph, seed):
    import torch
    from torch_geometric.utils import dropout_edge
    normalize = torch.nn.functional.normalize
    x, edges = graph.rows(torch), torch.tensor(graph.edges)
    encoder = gcn(torch, (x.shape[1], 256, 64), torch.nn.functional.selu)

    def view():
        kept, _ = dropout_edge(edges, 0.3, force_undirected=True)
        return normalize(encoder(x * (torch.rand(x.shape[1]) >= 0.2), kept))

    def loss():
        a, b = view(), view()
        others = b if len(b) <= DENSE_NODES else b[torch.randint(len(b), (512,))]
        pairs = torch.sigmoid((a @ others.T - 0.6) / 0.1).mean()
        return pairs - (a * b).sum(1).mean() - (a[edges[0]] * b[edges[1]]).sum(1).mean()

    train(torch, encoder, loss, 300, 1e-3, 1e-5)
    return k_means(normalize(encoder(x, edges)), graph.count, seed)


def gae(graph, seed):
    import torch
    from torch_geometric.nn import GAE
    x, edges = graph.rows(torch), torch.tensor(graph.edges)
    model = GAE(gcn(torch, (x.shape[1], 32, 16), torch.relu))
    train(torch, model, lambda: model.recon_loss(model.encode(x, edges), edges), 200, 1e-2, 0)
    return k_means(model.encode(x, edges), graph.count, seed)


def dmon(graph, seed):
    import torch
    from torch_geometric.nn import DMoNPooling
    from torch_geometric.utils import to_dense_adj
    if len(graph.ids) > DENSE_NODES:
        return None
    x, edges = graph.rows(torch), torch.tensor(graph.edges)
    adjacency = to_dense_adj(edges)
    model = torch.nn.ModuleDict({"encoder": gcn(torch, (x.shape[1], 64), None), "pool": DMoNPooling(64, graph.count, 0.5)})

    def pooled():
        return model["pool"](torch.nn.functional.selu(model["encoder"](x, edges)), adjacency)

    def loss():
        _, _, _, spectral, _, collapse = pooled()
        return spectral + collapse

    train(torch, model, loss, 1000, 1e-3, 0)
    return pooled()[0][0].argmax(1).numpy()


def by_pyagc(model_of, widths, steps, rate, decay=0.0, own_clusters=False):
    def run(graph, seed):
        import torch
        from pyagc.clusters import KMeansClusterHead
        if len(graph.ids) > DENSE_NODES and model_of is not ccassg_model:
            return None
        x, edges = graph.rows(torch), torch.tensor(graph.edges)
        encoder = gcn(torch, (x.shape[1], *widths), torch.nn.functional.selu)
        model = model_of(encoder, widths[-1], graph.count)
        train(torch, model, lambda: model.loss(x, edges).total, steps, rate, decay)
        with torch.no_grad():
            if own_clusters:
                return model(x, edges).numpy()
            rows = torch.nn.functional.normalize(model.embed(x, edges))
            return KMeansClusterHead(graph.count, n_init=20, random_state=seed).fit_predict(rows).numpy()
    return run


def transforms():
    from pyagc.transforms import GSSLTransform
    return [GSSLTransform(p_feat_mask=0.2, p_edge_drop=0.3) for _ in range(2)]


def ns4gc_model(encoder, _width, _count):
    from pyagc.models import NS4GC
    return NS4GC(encoder, *transforms())


def ccassg_model(encoder, _width, _count):
    from pyagc.models import CCASSG
    return CCASSG(encoder, *transforms())


def dmon_model(encoder, width, count):
    from pyagc.models import DMoN
    return DMoN(encoder, width, count)


METHODS = {"ns4gc": ns4gc, "gae": gae, "dmon": dmon, "pyagc": by_pyagc(ns4gc_model, (256, 64), 300, 1e-3, 1e-5),
           "pyagc-ccassg": by_pyagc(ccassg_model, (512, 512), 50, 1e-3),
           "pyagc-dmon": by_pyagc(dmon_model, (64,), 1000, 1e-3, own_clusters=True)}


def cohort(program, graph, seed):
    """Segments by the program's defaults, and the seconds that `run` took."""
    import h5py
    with tempfile.TemporaryDirectory() as scratch:
        settings = [f"output.directory={scratch}/run", f"input.social={graph.edge_file}",
                    f"segment.count={graph.count}", f"train.seed={seed}"]
        if graph.feature_file:
            settings.append(f"input.user_features={graph.feature_file}")
        config = pathlib.Path(scratch, "empty.toml")
        config.write_text("")
        start = time.perf_counter()
        subprocess.run([program, "run", config, "--quiet", *(part for one in settings for part in ("--set", one))],
                       check=True, env=dict(os.environ, OMP_NUM_THREADS="1"))
        seconds = time.perf_counter() - start
        with h5py.File(f"{scratch}/run/segments.h5") as file:
            of_user = dict(zip(file["users/id"].asstr()[...], file["users/segment"][...]))
    return numpy.array([of_user[name] for name in graph.ids]), seconds


def measured(graph, segment, seconds):
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
    return {"nmi": normalized_mutual_info_score(graph.truth, segment), "ari": adjusted_rand_score(graph.truth, segment),
            "modularity": modularity(graph.edges[0], graph.edges[1], numpy.ones(graph.edges.shape[1]), segment),
            "seconds": seconds}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--sets", nargs="+", default=["cora", "football", "pubmed"])
    parser.add_argument("--methods", nargs="+", choices=["cohort", *METHODS], default=["cohort", *METHODS])
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3, 4, 5])
    parser.add_argument("--cohort", help="the program; without it the method cohort is left out")
    options = parser.parse_args()
    print("| data | method | NMI | ARI | modularity | s a seed |\n| --- | --- | --- | --- | --- | --- |", flush=True)
    for name in options.sets:
        graph = Graph(options.data / name)
        for method in options.methods:
            if method == "cohort" and not options.cohort:
                continue
            found = []
            for seed in options.seeds:
                if method == "cohort":
                    segment, seconds = cohort(options.cohort, graph, seed)
                else:
                    import torch
                    torch.set_num_threads(1)
                    torch.manual_seed(seed)
                    start = time.perf_counter()
                    segment = METHODS[method](graph, seed)
                    seconds = time.perf_counter() - start
                if segment is None:
                    break
                found.append(measured(graph, segment, seconds))
                print(json.dumps({"data": name, "method": method, "seed": seed, **found[-1]}), file=sys.stderr, flush=True)
            if not found:
                continue
            values = {key: numpy.array([each[key] for each in found]) for key in found[0]}
            spread = [f"{values[key].mean():.4f} ± {values[key].std(ddof=1 if len(found) > 1 else 0):.4f}"
                      for key in ("nmi", "ari", "modularity")]
            print(f"| {name} | {method} | {' | '.join(spread)} | {values['seconds'].mean():.1f} |", flush=True)


if __name__ == "__main__":
    main()
