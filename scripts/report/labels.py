"""What items are called: the labels in the table of attributes that `cohort profile` read."""

import bz2
import codecs
import collections
import csv
import gzip
import hashlib
import io
import lzma
import pathlib
import re
import zlib

UNPACK = {b"\x1f\x8b": gzip.decompress, b"BZh": bz2.decompress, b"\xfd7zXZ\0": lzma.decompress}
NOT_READ = {b"\x28\xb5\x2f\xfd": "is compressed by zstd", b"PAR1": "is Parquet"}
MARKS = {codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32", codecs.BOM_UTF16_LE: "utf-16",
         codecs.BOM_UTF16_BE: "utf-16"}  # the longer ones first
LATIN_1 = {"latin1", "iso88591", "l1", "cp819", "ibm819"}
SEPARATORS = ("\t", ",", ";", "|", "\x01", "::")
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")

# As browsers and Cohort have it: the five bytes that Windows-1252 leaves free are the controls of Latin-1.
codecs.register_error("controls", lambda error: (chr(error.object[error.start]), error.start + 1))


class Unreadable(Exception):
    """Why a table gives no labels."""


def labels_of(path, sha256, encoding, known):
    """{id: label} of a table's rows; empty where it has no column of labels. sha256: of the table that was profiled.
    encoding: as input.encoding. known: {id: what the profile calls it}, by which is told whether the table is read as
    Cohort read it. Throws Unreadable."""
    if sha256 is None:
        raise Unreadable("it is not the table that cohort profile read; run cohort profile again")
    try:
        content = pathlib.Path(path).read_bytes()
    except OSError as error:
        raise Unreadable(error.strerror) from None
    if hashlib.sha256(content).hexdigest() != sha256:
        raise Unreadable("it has changed since cohort profile read it; run cohort profile again")
    text = _decoded(_unpacked(content), encoding)
    if text.lstrip()[:1] in ("{", "["):
        raise Unreadable("the report does not read JSON")
    read = False
    for separator in SEPARATORS:
        header, rows = _table(text, separator)
        read = read or bool(header)
        for labels in _columns_of_labels(header, rows):
            if all(labels.get(item, item).strip() == name.strip() for item, name in known.items()):
                return labels
    if known or not read:
        raise Unreadable("the report reads a header and columns by tabs, by one of , ; | or by :: alone, and does not find "
                         "in it what cohort profile did")
    return {}


def _unpacked(content):
    for mark, what in NOT_READ.items():
        if content.startswith(mark):
            raise Unreadable(f"it {what}, which the report does not read")
    for mark, unpack in UNPACK.items():
        if content.startswith(mark):
            try:
                return unpack(content)
            except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as error:
                raise Unreadable(f"it cannot be unpacked ({error})") from None
    return content


def _decoded(content, encoding):
    if encoding == "auto":
        encoding = next((name for mark, name in MARKS.items() if content.startswith(mark)), "utf-8")
    try:
        if re.sub("[^a-z0-9]", "", encoding.lower()) in LATIN_1:
            return content.decode("cp1252", errors="controls")
        return content.decode(encoding).removeprefix("\ufeff")
    except (LookupError, ValueError) as error:
        raise Unreadable(f"it cannot be decoded ({error})") from None


def _table(text, separator):
    """(header, rows), all of as many columns, at least two; nothing where it is no such table."""
    csv.field_size_limit(len(text) + 1)
    if len(separator) > 1:
        rows = [line.split(separator) for line in text.replace("\r\n", "\n").split("\n")]
    else:
        try:
            # By tabs quotes are letters.
            quoting = csv.QUOTE_NONE if separator == "\t" else csv.QUOTE_MINIMAL
            rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, quoting=quoting,
                                   skipinitialspace=True))
        except csv.Error:
            return [], []
    rows = [[cell.strip(" \t") for cell in row] for row in rows if row and (len(row) > 1 or row[0].strip())]
    if not rows or len(rows[0]) < 2 or any(len(row) != len(rows[0]) for row in rows):
        return [], []
    # Such tables need no header.
    if separator in ("|", "::") and NUMBER.fullmatch(rows[0][0]):
        return [f"column_{column + 1}" for column in range(len(rows[0]))], rows
    return rows[0], rows[1:]


def _columns_of_labels(header, rows):
    """{id: label} of each column that is named like one and whose values nearly all differ."""
    for column, name in enumerate(header):
        name = re.sub(":(token|float)(_seq)?$", "", name)
        if column == 0 or not re.search("name|title", name, re.IGNORECASE):
            continue
        labels = {row[0]: row[column] for row in rows if row[column]}
        several = collections.Counter(labels.values())
        if len(several) * 2 > len(labels) and not all(NUMBER.fullmatch(label) for label in several):
            yield labels
