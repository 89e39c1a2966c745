"""Reads one file of (user, item) or of records as a peer of the reading benchmark does.

usage: PYTHON reading_peer.py make LINES                makes LINES.gz, .bz2, .xz, .zst and Parquet files of the same records
       PYTHON reading_peer.py LIBRARY FILE COLUMN...    LIBRARY: pyarrow, pandas or polars
       PYTHON reading_peer.py unpack FILE               zlib, libbz2, liblzma or libzstd alone

Answers every line on standard input with the seconds of reading the columns into the library's table, on one thread.
"""

import bz2
import gzip
import lzma
import os
import sys
import time

os.environ["POLARS_MAX_THREADS"] = "1"


def make(lines):
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.csv
    import pyarrow.parquet

    names = ["user", "item", "rating", "time"]
    table = pyarrow.csv.read_csv(lines, read_options=pyarrow.csv.ReadOptions(column_names=names),
                                 parse_options=pyarrow.csv.ParseOptions(delimiter="\t"))
    pyarrow.parquet.write_table(table, lines + ".numbers.parquet")
    words = [pc.binary_join_element_wise(word, table.column(name).cast(pa.string()), "-") for word, name in
             (("customer", "user"), ("article", "item"))]
    pyarrow.parquet.write_table(pa.table([*words, *table.columns[2:]], names=names), lines + ".words.parquet")
    with open(lines, "rb") as file:
        content = file.read()
    for ending, codec in ((".gz", "gzip"), (".bz2", "bz2"), (".zst", "zstd")):
        with pa.CompressedOutputStream(lines + ending, codec) as out:
            out.write(content)
    with lzma.open(lines + ".xz", "wb", preset=1) as out:
        out.write(content)


def unpacker(path):
    def whole(file):
        with file:
            while file.read(1 << 20):
                pass

    if path.endswith(".zst"):
        import pyarrow

        return lambda: whole(pyarrow.CompressedInputStream(pyarrow.OSFile(path), "zstd"))
    opened = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}[path[path.rindex("."):]]
    return lambda: whole(opened(path, "rb"))


def reader(library, path, columns):
    parquet = path.endswith(".parquet")
    names = ["user", "item", "rating", "time"]
    if library == "pyarrow":
        import pyarrow
        import pyarrow.csv
        import pyarrow.parquet

        pyarrow.set_cpu_count(1)
        if parquet:
            return lambda: pyarrow.parquet.read_table(path, columns=columns, use_threads=False)
        return lambda: pyarrow.csv.read_csv(
            path, read_options=pyarrow.csv.ReadOptions(use_threads=False, column_names=names),
            parse_options=pyarrow.csv.ParseOptions(delimiter="\t"),
            convert_options=pyarrow.csv.ConvertOptions(include_columns=columns))
    if library == "pandas":
        import pandas

        if parquet:
            return lambda: pandas.read_parquet(path, columns=columns, use_threads=False)
        return lambda: pandas.read_csv(path, sep="\t", names=names, usecols=columns, engine="c")
    import polars

    if parquet:
        return lambda: polars.read_parquet(path, columns=columns)
    return lambda: polars.read_csv(path, separator="\t", has_header=False, new_columns=names,
                                   columns=[names.index(column) for column in columns])


def main():
    if sys.argv[1] == "make":
        make(sys.argv[2])
        return
    library, path, *columns = sys.argv[1:]
    read = unpacker(path) if library == "unpack" else reader(library, path, columns)
    if library != "unpack":
        print(f"{library} {sys.modules[library].__version__}", file=sys.stderr, flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        table = read()
        seconds = time.perf_counter() - start
        del table
        print(f"{seconds:.9f}", flush=True)


if __name__ == "__main__":
    main()
