"""Modularity of friendships under the segments of a result that need not know them: segments.h5, and lines of two users
(a header is passed over)."""

import sys

import h5py
import numpy

import measures


def main():
    result, friendships = sys.argv[1:]
    with h5py.File(result) as file:
        number = {name.decode(): i for i, name in enumerate(file["users/id"][...])}
        segment = file["users/segment"][...]
    pairs = set()
    with open(friendships, encoding="utf-8") as lines:
        for line in lines:
            ends = [number.get(word) for word in line.split()[:2]]
            if None not in ends and ends[0] != ends[1]:
                pairs.add(tuple(sorted(ends)))
    low, high = numpy.array(sorted(pairs)).T
    row, column = numpy.concatenate([low, high]), numpy.concatenate([high, low])
    value = measures.modularity(row, column, numpy.ones(len(row)), segment)
    print(f"modularity of {len(pairs):,} friendships: {value:.4f}")


if __name__ == "__main__":
    main()
