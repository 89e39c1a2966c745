"""Gives a file of Cohort that was changed by h5py the checksums that Cohort would have written, so that tests reach what
is checked behind them; and checks those of a file that Cohort wrote. docs/file-formats.md describes checksums and seal."""

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


def checksums_of(item):
    data = item[...].tobytes()
    return numpy.array([zlib.crc32(data[at:at + BLOCK]) for at in range(0, len(data), BLOCK)], dtype="<u4")


def reseal(path):
    extents = []
    with h5py.File(path, "r+") as file:
        if "checksums" in file:
            del file["checksums"]
        for name, item in _datasets(file).items():
            if item.size == 0:
                continue
            file.create_dataset("checksums/" + name, dtype="<u4", data=checksums_of(item))
            extents.append((item.id.get_offset(), item.size * item.dtype.itemsize))
    write_seal(path, extents)


def structure_crc(content, runs):
    """Of what stands outside the seal and the runs, (offset, bytes)."""
    crc, at = 0, SEAL
    for offset, size in [*runs, (len(content), 0)]:
        crc = zlib.crc32(content[at:offset], crc)
        at = offset + size
    return crc


def wrong_checksums(path):
    """["the seal"] where the structure is not what it was made for, else the datasets whose checksums are not right."""
    content = path.read_bytes()
    _, size, crc, count = struct.unpack_from("<4Q", content, NUMBERS_AT)
    numbers = struct.unpack_from(f"<{2 * count}Q", content, NUMBERS_AT + 32)
    mark, = struct.unpack_from("<Q", content, SEAL - 8)
    right = (len(content), structure_crc(content, list(zip(numbers[::2], numbers[1::2]))), zlib.crc32(content[:SEAL - 8]))
    if (size, crc, mark) != right:
        return ["the seal"]
    with h5py.File(path, "r") as file:
        return [name for name, item in _datasets(file).items()
                if item.size > 0 and not numpy.array_equal(file["checksums/" + name][...], checksums_of(item))]


def write_seal(path, extents):
    runs = []
    for offset, size in sorted(extents):
        if runs and sum(runs[-1]) == offset:
            runs[-1][1] += size
        else:
            runs.append([offset, size])
    with open(path, "r+b") as file:
        content = file.read()
        crc = structure_crc(content, runs)
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
