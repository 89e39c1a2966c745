"""One training step of a GCN in PyTorch Geometric or DGL: the peer of the network benchmark.

usage: PYTHON network_step_peer.py LIBRARY DIRECTORY LAYERS COLUMNS THREADS

LIBRARY is "PyTorch Geometric" or "DGL". The graph is row_begin (int64), column (int32) and value (float32) in DIRECTORY;
D^-1/2 (A + I) D^-1/2 is made of it once, outside the time. A learned row of every node, GCNConv or GraphConv without
bias and relu between them, the gradient of the embedding given (the loss is its product with a constant), autograd, Adam
on rows and weights. Of PyTorch Geometric the ways to hand the matrix over (CSR told that it is symmetric, CSR, list of
edges where it would not take more than 1 GiB) are tried, the fastest is kept and named on standard error. Answers
every line on standard input with the seconds of one step.
"""

import os
import statistics
import sys
import time
import warnings


def main():
    library, directory = sys.argv[1:3]
    layers, columns, threads = map(int, sys.argv[3:])
    os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(threads)
    import numpy
    import torch

    warnings.filterwarnings("ignore")  # beta state of sparse tensors: known
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    row_begin = numpy.fromfile(os.path.join(directory, "row_begin"), numpy.int64)
    column = numpy.fromfile(os.path.join(directory, "column"), numpy.int32)
    value = numpy.fromfile(os.path.join(directory, "value"), numpy.float32)
    nodes = len(row_begin) - 1
    loops = numpy.arange(nodes, dtype=numpy.int32)
    row = numpy.concatenate([numpy.repeat(loops, numpy.diff(row_begin)), loops])
    column = numpy.concatenate([column, loops])
    value = numpy.concatenate([value, numpy.ones(nodes, numpy.float32)])
    root = numpy.sqrt(numpy.bincount(row, value, nodes))
    value = (value / root[row] / root[column]).astype(numpy.float32)
    order = numpy.lexsort((column, row))
    row, column, value = (torch.from_numpy(part[order]) for part in (row, column, value))
    row_begin = torch.zeros(nodes + 1, dtype=torch.int64)
    row_begin[1:] = torch.bincount(row, minlength=nodes).cumsum(0)

    given = 1e-4 * torch.randn(nodes, columns)
    rows = torch.nn.Parameter(0.1 * torch.randn(nodes, columns))

    if library == "DGL":
        import dgl
        from dgl.nn.pytorch import GraphConv

        graph = dgl.graph((row, column), num_nodes=nodes).formats(["csr", "csc"])
        graph.create_formats_()
        convolutions = [GraphConv(columns, columns, norm="none", bias=False) for _ in range(layers)]
        ways = {"GraphConv": lambda conv, x: conv(graph, x, edge_weight=value)}
        version = dgl.__version__
    else:
        import torch_geometric
        from torch_geometric.nn import GCNConv

        csr = torch.sparse_csr_tensor(row_begin, column.long(), value, (nodes, nodes))

        class Symmetric(torch.autograd.Function):
            @staticmethod
            def forward(context, dense):
                return csr @ dense

            @staticmethod
            def backward(context, gradient):
                return csr @ gradient

        class SymmetricConv(GCNConv):
            def message_and_aggregate(self, adj_t, x):
                return Symmetric.apply(x)

        edges = torch.stack([column.long(), row.long()])
        convolutions = [SymmetricConv(columns, columns, bias=False, normalize=False) for _ in range(layers)]
        ways = {"CSR, symmetric": lambda conv, x: conv(x, csr),
                "CSR": lambda conv, x: GCNConv.forward(plain[conv], x, csr)}
        if len(value) * columns * 4 < 1 << 30:
            ways["list of edges"] = lambda conv, x: GCNConv.forward(plain[conv], x, edges, value)
        plain = {conv: GCNConv(columns, columns, bias=False, normalize=False) for conv in convolutions}
        for conv, other in plain.items():
            other.lin = conv.lin
        version = torch_geometric.__version__

    parameters = [rows, *(parameter for conv in convolutions for parameter in conv.parameters())]
    optimizer = torch.optim.Adam(parameters, lr=0.001)

    def step(way):
        start = time.perf_counter()
        x = rows
        for number, conv in enumerate(convolutions):
            x = way(conv, x if number == 0 else torch.relu(x))
        loss = torch.sum(x * given)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return time.perf_counter() - start

    settled = {}
    for name, way in ways.items():
        try:
            settled[name] = statistics.median([step(way) for _ in range(4)][1:])
        except (RuntimeError, NotImplementedError):
            pass  # this version has no such product or no such derivative
    best = min(settled, key=settled.get)
    times = ", ".join(f"{name} {1e3 * seconds:.0f} ms" for name, seconds in settled.items())
    print(f"{library} {version}, PyTorch {torch.__version__}, {threads} threads: {times}; {best} is kept",
          file=sys.stderr, flush=True)
    for _ in sys.stdin:
        print(f"{step(ways[best]):.9f}", flush=True)


if __name__ == "__main__":
    main()
