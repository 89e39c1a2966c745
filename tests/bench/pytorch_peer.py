"""PyTorch's sparse times dense on a graph that cohort_bench wrote: the peer of the SpMM benchmark.

usage: PYTHON pytorch_peer.py DIRECTORY COLUMNS THREADS

Answers every line on standard input with one line: the seconds of the fastest layout (CSR with 32- and 64-bit indices,
COO), each run once, and its name.
"""

import os
import sys
import time


def main():
    directory, columns, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(threads)
    import numpy
    import torch

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
        for _ in sys.stdin:
            best, name = min((seconds(matrix), name) for name, matrix in layouts.items())
            print(f"{best:.9f} {name} (PyTorch {torch.__version__})", flush=True)


if __name__ == "__main__":
    main()
