"""Gives a file of Cohort that was changed by h5py the checksums that Cohort would have written: so that tests reach what
is checked behind them. docs/file-formats.md describes checksums and seal."""

import os
import struct
import zlib

import h5py
import numpy

SEAL = 8192       # bytes before the HDF5 part
NUMBERS_AT = 128  # where its numbers begin
BLOCK = 1 << 20


def _datasets(file):
    found = {}
    file.visititems(lambda name, item: found.update({name: item}) if isinstance(item, h5py.Dataset) else None)
    return {name: item for name, item in found.items() if not name.startswith("checksums/")}


def reseal(path):
    extents = []
    with h5py.File(path, "r+") as file:
        if "checksums" in file:
            del file["checksums"]
        for name, item in _datasets(file).items():
            if item.size == 0:
                continue
            data = item[...].tobytes()
            file.create_dataset("checksums/" + name, dtype="<u4", data=numpy.array(
                [zlib.crc32(data[at:at + BLOCK]) for at in range(0, len(data), BLOCK)], dtype="<u4"))
            extents.append((item.id.get_offset(), len(data)))
    write_seal(path, extents)


def write_seal(path, extents):
    runs = []
    for offset, size in sorted(extents):
        if runs and sum(runs[-1]) == offset:
            runs[-1][1] += size
        else:
            runs.append([offset, size])
    with open(path, "r+b") as file:
        content = file.read()
        crc, at = 0, SEAL
        for offset, size in [*runs, [len(content), 0]]:
            crc = zlib.crc32(content[at:offset], crc)
            at = offset + size
        seal = bytearray(content[:NUMBERS_AT])
        seal += struct.pack("<4Q", 1, len(content), crc, len(runs))
        for run in runs:
            seal += struct.pack("<2Q", *run)
        seal += bytes(SEAL - 8 - len(seal))
        seal += struct.pack("<Q", zlib.crc32(seal))
        file.seek(0)
        file.write(seal)
        file.flush()
        os.fsync(file.fileno())
