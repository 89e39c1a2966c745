#!/usr/bin/python3
"""Writes a report of a result as one HTML file that needs no network: what the segments are, how good they are, what
is recommended to each, and how the run went.

  scripts/report.py run/segments.h5 --output report.html

Where Python has umap or scikit-learn, the report has a second map of the users, made by UMAP or t-SNE.
"""

import argparse
import os
import pathlib
import sys
import tempfile

try:
    import h5py  # noqa: F401 - looked for here, used in report/
    import jinja2  # noqa: F401
    import matplotlib  # noqa: F401
    import numpy
except ImportError as missing:
    sys.exit(f"error: {missing} in {sys.executable}; scripts/bootstrap.sh installs it for /usr/bin/python3 (Debian: "
             "python3-h5py python3-jinja2 python3-matplotlib python3-numpy)")

from report import InputError, comparisons, page
from report.result import Result


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("result", metavar="SEGMENTS.h5", help="what cohort run or cohort segment wrote")
    parser.add_argument("--strategies", metavar="FILE", help="what cohort evaluate --strategies --json printed of it")
    parser.add_argument("--compare", metavar="FILE", help="what cohort compare --json printed of it and another result")
    parser.add_argument("--users", metavar="N", type=int, default=3000, help="users on the map (%(default)s)")
    parser.add_argument("--output", metavar="FILE", default="report.html", help="(%(default)s)")
    chosen = parser.parse_args()
    if chosen.users < 1:
        parser.error("--users must be at least 1")
    return chosen


def sample_of(users, count):
    if users <= count:
        return numpy.arange(users)
    return numpy.sort(numpy.random.default_rng(0).choice(users, count, replace=False))


def write(path, text):
    """Under a temporary name first: a reader never sees half a file. A device, a pipe or a link is written through."""
    path = pathlib.Path(path)
    temporary = None
    try:
        if path.is_symlink() or path.exists() and not path.is_file():
            path.write_text(text, encoding="utf-8")
            return
        descriptor, temporary = tempfile.mkstemp(prefix=path.name + ".", dir=path.parent)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, path)
    except OSError as error:
        if temporary:
            pathlib.Path(temporary).unlink(missing_ok=True)
        raise InputError(f"{path}: cannot be written ({error.strerror})") from None


def main():
    chosen = arguments()
    try:
        result = Result(chosen.result)
        for warning in result.warnings:
            print(f"warning: {warning}", file=sys.stderr)
        strategies = comparisons.Strategies(chosen.strategies, result.count) if chosen.strategies else None
        comparison = comparisons.Comparison(chosen.compare, result.size) if chosen.compare else None
        write(chosen.output, page.render(result, strategies, comparison, sample_of(result.users, chosen.users)))
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
