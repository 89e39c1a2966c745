#!/usr/bin/env python3
"""Networks of PyTorch Geometric and of the package pyagc on Cora, citeseer, pubmed and football, beside Cohort: agreement with the
known classes, modularity of the graph, CPU seconds. One markdown table, line by line as it comes.

    tests/peer/networks.py --cohort build/release/cohort --data DIRECTORY --python PYTHON [--sets cora football] [--seeds 1 2]

Modules of PYTHON: torch, torch_geometric, pyagc, scikit-learn. DIRECTORY holds cora, citeseer, pubmed and football, each with
edges.txt, labels.txt and, but for the last two, features.npy.

NS4GC, DMoN  pyagc's models with the settings of its own benchmark for Cora: a GCN of two layers of 64 with relu (NS4GC) or
             one of 64 with selu and dropout 0.5 (DMoN), k-means of ten starts on rows of length 1 (NS4GC)
DGI          PyTorch Geometric's DeepGraphInfomax as in its example (one GCNConv of 512, PReLU), then k-means
Cohort       its defaults; "gcn": with model.encoder = "gcn", which is the default where there are features

Where there are no features, peers read 64 columns of normal random numbers, and Cohort's network a learned row of each
node. NS4GC compares all pairs of nodes and is left out above 10,000."""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy

CLASSES = {"cora": 7, "citeseer": 6, "pubmed": 3, "football": 12}


def edge_file(directory):
    return next(directory.glob("edges.txt*"))


def rows_of(directory):
    labels = numpy.loadtxt(directory / "labels.txt", dtype=int)
    number = {node: i for i, node in enumerate(labels[:, 0])}
    pairs = {tuple(sorted((number[u], number[v]))) for u, v in numpy.loadtxt(edge_file(directory), dtype=int)}
    low, high = numpy.array(sorted(pair for pair in pairs if pair[0] != pair[1])).T
    return labels[:, 1], numpy.stack([numpy.concatenate([low, high]), numpy.concatenate([high, low])])


def ns4gc(x, edges, count, seed):
    import torch
    from pyagc.encoders import create_tuned_gnn
    from pyagc.models import NS4GC
    from pyagc.transforms import GSSLTransform

    encoder = create_tuned_gnn("gcn", in_channels=x.shape[1], hidden_channels=64, num_layers=2, act="relu")
    model = NS4GC(encoder, GSSLTransform(0.2, 0.3), GSSLTransform(0.2, 0.3))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001, weight_decay=1e-5)
    for _ in range(200):
        optimizer.zero_grad()
        model.loss(x, edges).total.backward()
        optimizer.step()
    return by_kmeans(torch.nn.functional.normalize(model.embed(x, edges), dim=1), count, seed)


def dmon(x, edges, count, _seed):
    import torch
    from pyagc.encoders import create_tuned_gnn
    from pyagc.models import DMoN

    encoder = create_tuned_gnn("gcn", in_channels=x.shape[1], hidden_channels=64, num_layers=1, act="selu", dropout=0.5)
    model = DMoN(encoder, 64, count)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001, weight_decay=1e-5)
    best, since = float("inf"), 0
    for _ in range(1000):  # as its benchmark: until 50 steps bring nothing
        model.train()
        optimizer.zero_grad()
        loss = model.loss(x, edges).total
        loss.backward()
        optimizer.step()
        since = 0 if loss.item() < best else since + 1
        best = min(best, loss.item())
        if since >= 50:
            break
    model.eval()
    return model(x, edges).numpy(force=True)


def dgi(x, edges, count, seed):
    import torch
    from torch_geometric.nn import DeepGraphInfomax, GCNConv

    class Encoder(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.convolution = GCNConv(x.shape[1], 512)
            self.activation = torch.nn.PReLU(512)

        def forward(self, rows, edge_index):
            return self.activation(self.convolution(rows, edge_index))

    model = DeepGraphInfomax(512, Encoder(), summary=lambda z, *_: z.mean(0).sigmoid(),
                             corruption=lambda rows, edge_index: (rows[torch.randperm(len(rows))], edge_index))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
    for _ in range(300):
        optimizer.zero_grad()
        positive, negative, summary = model(x, edges)
        model.loss(positive, negative, summary).backward()
        optimizer.step()
    return by_kmeans(model(x, edges)[0], count, seed)


def by_kmeans(rows, count, seed):
    from sklearn.cluster import KMeans
    return KMeans(count, n_init=10, random_state=seed).fit_predict(rows.numpy(force=True))


METHODS = {"NS4GC": ns4gc, "DMoN": dmon, "DGI": dgi}


def peer(directory, method, seed):
    """One run in this process: prints JSON."""
    import torch
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    from measures import modularity

    classes, edges = rows_of(directory)
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    numpy.random.seed(seed)
    if (directory / "features.npy").exists():
        x = torch.from_numpy(numpy.load(directory / "features.npy").astype("f4"))
        x = x / x.sum(1, keepdim=True).clamp(min=1)
    else:
        x = torch.randn(len(classes), 64)
    segment = METHODS[method](x, torch.from_numpy(edges), len(set(classes)), seed)
    print(json.dumps({"nmi": normalized_mutual_info_score(classes, segment), "ari": adjusted_rand_score(classes, segment),
                      "modularity": float(modularity(*edges, numpy.ones(edges.shape[1]), segment))}))


def cpu_seconds(command, **options):
    """Of the process and its children, and what it printed."""
    before = os.times()
    done = subprocess.run(list(map(str, command)), check=True, stdout=subprocess.PIPE, text=True, **options)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system, done.stdout


def of_cohort(options, directory, count, seed, settings):
    with tempfile.TemporaryDirectory() as scratch:
        config = pathlib.Path(scratch) / "config.toml"
        features = directory.resolve() / "features.npy"
        config.write_text(f'[input]\nsocial = "{edge_file(directory.resolve())}"\n' +
                          (f'user_features = "{features}"\n' if features.exists() else "") +
                          f'[segment]\ncount = {count}\n[train]\nseed = {seed}\n[output]\ndirectory = "{scratch}/run"\n')
        seconds, _ = cpu_seconds([options.cohort, "run", config, "--quiet",
                                  *(part for setting in settings for part in ("--set", setting))])
        said = subprocess.run([options.cohort, "evaluate", "--result", f"{scratch}/run/segments.h5", "--truth",
                               str(directory / "labels.txt"), "--json"], check=True, capture_output=True, text=True).stdout
        return seconds, json.loads(said)


def line(data, method, found):
    cells = []
    for name, digits in (("nmi", 4), ("ari", 4), ("modularity", 4), ("seconds", 1)):
        values = [run[name] for run in found]
        spread = f" ± {numpy.std(values, ddof=1):.{digits}f}" if len(values) > 1 and name != "seconds" else ""
        cells.append(f"{numpy.mean(values):.{digits}f}{spread}")
    print(f"| {data} | {method} | " + " | ".join(cells) + " |", flush=True)


def main():
    if len(sys.argv) > 1 and sys.argv[1] == "--one":
        return peer(pathlib.Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
    parser = argparse.ArgumentParser()
    parser.add_argument("--cohort", required=True)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--sets", nargs="+", choices=CLASSES, default=list(CLASSES))
    parser.add_argument("--methods", nargs="+", default=[*METHODS, "Cohort", "Cohort, gcn"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3, 4, 5])
    options = parser.parse_args()
    environment = dict(os.environ, OMP_NUM_THREADS="1", MKL_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    os.environ["OMP_NUM_THREADS"] = "1"
    print("| data | method | NMI | ARI | modularity | CPU s |\n| --- | --- | --- | --- | --- | --- |", flush=True)
    for data in options.sets:
        directory = options.data / data
        featured = (directory / "features.npy").exists()
        nodes = len(numpy.loadtxt(directory / "labels.txt", dtype=int))
        for method in options.methods:
            if (method == "NS4GC" and nodes > 10_000) or (method == "Cohort, gcn" and featured):
                continue
            found = []
            for seed in options.seeds:
                if method.startswith("Cohort"):
                    seconds, run = of_cohort(options, directory, CLASSES[data], seed,
                                             ["model.encoder=gcn"] if "gcn" in method else [])
                else:
                    seconds, said = cpu_seconds([options.python, "-B", __file__, "--one", directory, method, seed],
                                                env=environment, stderr=subprocess.DEVNULL)
                    run = json.loads(said)
                found.append({**run, "seconds": seconds})
            line(data, method, found)


if __name__ == "__main__":
    main()
