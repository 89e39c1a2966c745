"""A LightGCN training step in PyTorch, as the authors' program (LightGCN-PyTorch) computes it: the peer of the step
benchmark.

usage: PYTHON pytorch_step_peer.py DIRECTORY USERS COLUMNS LAYERS BATCH THREADS

Propagation by torch.sparse.mm, mean over the layers, softplus of the scores' difference, L2 of the layer-0 rows,
autograd, Adam. Tries how to multiply (COO as the authors do; CSR; CSR with the backward pass told that the matrix is
symmetric) until the times settle, keeps the fastest, names it on standard error, and answers every line on standard
input with the seconds of one step. Drawing the triples is not in the time.
"""

import os
import statistics
import sys
import time
import warnings


def main():
    directory = sys.argv[1]
    users, columns, layers, batch, threads = map(int, sys.argv[2:])
    os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(threads)
    import numpy
    import torch

    warnings.filterwarnings("ignore", message="Sparse")  # beta state, invariants unchecked: known

    torch.set_num_threads(threads)
    row_begin = torch.from_numpy(numpy.fromfile(os.path.join(directory, "row_begin"), numpy.int64))
    column = torch.from_numpy(numpy.fromfile(os.path.join(directory, "column"), numpy.int32)).to(torch.int64)
    value = torch.from_numpy(numpy.fromfile(os.path.join(directory, "value"), numpy.float32))
    nodes = row_begin.numel() - 1
    csr = torch.sparse_csr_tensor(row_begin, column, value, (nodes, nodes))
    coo = csr.to_sparse_coo().coalesce()

    class Symmetric(torch.autograd.Function):
        @staticmethod
        def forward(context, dense):
            return csr @ dense

        @staticmethod
        def backward(context, gradient):
            return csr @ gradient

    multiplications = {
        "COO": lambda dense: torch.sparse.mm(coo, dense),
        "CSR": lambda dense: torch.sparse.mm(csr, dense),
        "CSR, symmetric": Symmetric.apply,
    }
    torch.manual_seed(1)
    user_embedding = torch.nn.Embedding(users, columns)
    item_embedding = torch.nn.Embedding(nodes - users, columns)
    for embedding in (user_embedding, item_embedding):
        torch.nn.init.normal_(embedding.weight, std=0.1)
    optimizer = torch.optim.Adam([user_embedding.weight, item_embedding.weight], lr=0.001)
    interactions = int(row_begin[users])
    row_of = torch.repeat_interleave(torch.arange(nodes), row_begin[1:] - row_begin[:-1])

    def step(multiply):
        chosen = torch.randint(interactions, (batch,))
        user, positive = row_of[chosen], column[chosen] - users
        negative = torch.randint(nodes - users, (batch,))
        start = time.perf_counter()
        layer = torch.cat([user_embedding.weight, item_embedding.weight])
        of_layers = [layer]
        for _ in range(layers):
            layer = multiply(layer)
            of_layers.append(layer)
        propagated = torch.mean(torch.stack(of_layers, dim=1), dim=1)
        all_users, all_items = torch.split(propagated, [users, nodes - users])
        users_rows, positives, negatives = all_users[user], all_items[positive], all_items[negative]
        regularisation = (
            user_embedding(user).norm(2).pow(2)
            + item_embedding(positive).norm(2).pow(2)
            + item_embedding(negative).norm(2).pow(2)
        ) / (2 * batch)
        scores = torch.sum(users_rows * negatives, dim=1) - torch.sum(users_rows * positives, dim=1)
        loss = torch.mean(torch.nn.functional.softplus(scores)) + 1e-4 * regularisation
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return time.perf_counter() - start

    settled = {}
    for name, multiply in multiplications.items():
        try:
            settled[name] = statistics.median([step(multiply) for _ in range(8)][3:])
        except RuntimeError:
            pass  # this PyTorch has no such product or no such derivative
    best = min(settled, key=settled.get)
    times = ", ".join(f"{name} {1e3 * seconds:.0f} ms" for name, seconds in settled.items())
    print(f"PyTorch {torch.__version__}, {threads} threads: {times}; {best} is kept", file=sys.stderr, flush=True)
    for _ in sys.stdin:
        print(f"{step(multiplications[best]):.9f}", flush=True)


if __name__ == "__main__":
    main()
