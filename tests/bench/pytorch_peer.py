"""PyTorch's sparse times dense on a graph that cohort_bench wrote: the peer of the SpMM benchmark.

usage: PYTHON pytorch_peer.py DIRECTORY COLUMNS THREADS

Tries the layouts (CSR with 32- and 64-bit indices, COO) until their times settle, keeps the fastest, names it on
standard error, and answers every line on standard input with the seconds of one run.
"""

import os
import statistics
import sys
import time
import warnings


def main():
    directory, columns, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(threads)
    import numpy
    import torch

    warnings.filterwarnings("ignore", message="Sparse")  # beta state, invariants unchecked: known

    torch.set_num_threads(threads)
    row_begin = torch.from_numpy(numpy.fromfile(os.path.join(directory, "row_begin"), numpy.int64))
    column = torch.from_numpy(numpy.fromfile(os.path.join(directory, "column"), numpy.int32))
    value = torch.from_numpy(numpy.fromfile(os.path.join(directory, "value"), numpy.float32))
    nodes = row_begin.numel() - 1
    dense = torch.randn(nodes, columns)

    wide = torch.sparse_csr_tensor(row_begin, column.to(torch.int64), value, (nodes, nodes))
    layouts = {"CSR, int64": wide, "COO": wide.to_sparse_coo().coalesce()}
    try:
        narrow = torch.sparse_csr_tensor(row_begin.to(torch.int32), column, value, (nodes, nodes))
        narrow @ dense
        layouts["CSR, int32"] = narrow
    except RuntimeError:
        pass  # this PyTorch multiplies 64-bit indices only

    def seconds(matrix):
        start = time.perf_counter()
        matrix @ dense
        return time.perf_counter() - start

    with torch.inference_mode():
        settled = {
            name: statistics.median([seconds(matrix) for _ in range(20)][10:]) for name, matrix in layouts.items()
        }
        best = min(settled, key=settled.get)
        times = ", ".join(f"{name} {1e3 * time:.1f} ms" for name, time in settled.items())
        print(f"PyTorch {torch.__version__}, {threads} threads: {times}; {best} is kept", file=sys.stderr, flush=True)
        for _ in sys.stdin:
            print(f"{seconds(layouts[best]):.9f}", flush=True)


if __name__ == "__main__":
    main()
