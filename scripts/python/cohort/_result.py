"""segments.h5 as data frames; docs/file-formats.md describes the file."""

from __future__ import annotations

import functools
import os
import pathlib
import tomllib
from typing import Any

import h5py
import numpy
import pandas

SCHEMA_VERSION = 2
PROFILE = "segments/profile/"
# What a profile says of a segment in a value: other datasets of /segments/profile may have as many by chance.
OF_SEGMENT = ("description", "interactions", "distinct_items", "mean_interactions", "median_interactions", "first_time",
              "last_time", "median_last_time", "social_inside", "social_outside")
# The tables of a profile, with the columns that each has where it has rows at all.
LIFTS = {"name": object, "count": "int64", "population": "int64", "share": "float64", "population_share": "float64",
         "lift": "float64"}
TABLES = {"items": {"item": "int64"} | LIFTS, "categories": {"attribute": object} | LIFTS,
          "user_categories": {"attribute": object} | LIFTS} | {
              name: {"id": "int64", "value": "float64"} for name in ("representative", "border", "nearest")}


def read(path: str | os.PathLike[str]) -> Result:
    """The result in a segments.h5. Nothing but the kind of the file is looked at before it is asked for."""
    return Result(path)


class Result:
    """U users, k segments. Every table is read when it is first asked for, and kept. Ids are texts: 00001 stays 00001."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = pathlib.Path(path).expanduser().absolute()  # tables are read later, perhaps from another directory
        with h5py.File(self.path, "r") as file:
            kind = _text(file.attrs.get("kind", ""))
            version = int(file.attrs.get("schema_version", -1))
        if kind != "segments":
            raise ValueError(f"{self.path}: is {'a ' + kind + ' file' if kind else 'no file'} of Cohort; "
                             "results are in segments.h5")
        if version != SCHEMA_VERSION:
            raise ValueError(f"{self.path}: has schema version {version}; this package reads {SCHEMA_VERSION}")

    def __repr__(self) -> str:
        return f"<cohort.Result {self.path}: {len(self._ids('users'))} users, {len(self.segments)} segments>"

    def _get(self, name: str) -> numpy.ndarray | None:
        with h5py.File(self.path, "r") as file:
            return file[name][...] if name in file else None

    def _need(self, name: str, made_by: str) -> numpy.ndarray:
        found = self._get(name)
        if found is None:
            raise LookupError(f"{self.path}: has no {name}; {made_by} makes it")
        return found

    @functools.lru_cache(maxsize=2)
    def _ids(self, of: str) -> numpy.ndarray:
        ids = self._get(f"{of}/id")
        return numpy.array([], object) if ids is None else _texts(ids)

    @functools.cached_property
    def attributes(self) -> dict[str, Any]:
        """What the file says of the run: version, seed, ranks, inputs."""
        with h5py.File(self.path, "r") as file:
            return {name: _text(value) if isinstance(value, (bytes, str)) else value
                    for name, value in file.attrs.items()}

    @functools.cached_property
    def configuration(self) -> dict[str, Any]:
        """Every key, by section."""
        return tomllib.loads(self.attributes["configuration"])

    @functools.cached_property
    def users(self) -> pandas.DataFrame:
        """Index: the user's id. segment, distance, margin, map_x, map_y; of nested segments also level_1, level_2, ...,
        the last of which is segment again."""
        place = self._need("users/map", "cohort segment")
        return pandas.DataFrame({"segment": self._numbers[self._need("users/segment", "cohort segment")]}
                                | {name: self._need(f"users/{name}", "cohort segment") for name in ("distance", "margin")}
                                | {"map_x": place[:, 0], "map_y": place[:, 1]} | self._levels_of_users(),
                                index=pandas.Index(self._ids("users"), name="user", dtype=object))

    def _levels_of_users(self) -> dict[str, numpy.ndarray]:
        table = self._get("users/levels")
        return {} if table is None else {f"level_{n + 1}": self._numbers_at(n + 1, table[:, n].max() + 1)[table[:, n]]
                                         for n in range(table.shape[1])}

    def _numbers_at(self, level: int, count: int) -> numpy.ndarray:
        """What the segments of a level are called, 1 being the coarsest."""
        last = len(self._need("segments/levels/count", "cohort segment with segment.levels"))
        numbers = self._get("segments/number" if level == last else f"segments/levels/{level}/number")
        return numpy.arange(count, dtype=numpy.int32) if numbers is None else numbers

    @functools.cached_property
    def levels(self) -> list[pandas.DataFrame]:
        """Of nested segments, a table for each level, the coarsest first: index: the segment; size; parent (-1 at the
        first level); what it is (description) and what it adds to its parent (added) once there are profiles. One table
        where segments are not nested."""
        count = self._get("segments/levels/count")
        if count is None:
            return [self.segments[["size"]].assign(parent=-1)]
        tables = []
        for number in range(1, len(count) + 1):
            group = f"segments/levels/{number}/"
            size = self._get(group + "size") if number < len(count) else self._need("segments/size", "cohort segment")
            parent = self._get(group + "parent")
            if parent is None:
                parent = numpy.full(len(size), -1, numpy.int32)
            else:
                parent = self._numbers_at(number - 1, count[number - 2])[parent]
            table: dict[str, Any] = {"size": size, "parent": parent}
            of = group + "profile/" if number < len(count) else PROFILE
            for column, name in (("description", of + "description"), ("added", group + "added/description")):
                words = self._get(name)
                if words is not None:
                    table[column] = _texts(words)
            tables.append(pandas.DataFrame(table, index=pandas.Index(self._numbers_at(number, len(size)), name="segment")))
        return tables

    @functools.cached_property
    def items(self) -> pandas.DataFrame:
        """Index: the item's id. users: those in training."""
        return pandas.DataFrame({"users": self._need("items/users", "a run with items")},
                                index=pandas.Index(self._ids("items"), name="item", dtype=object))

    @functools.cached_property
    def _numbers(self) -> numpy.ndarray:
        """What the segments are called: by their rows, but where they follow another run's."""
        numbers = self._get("segments/number")
        return numpy.arange(len(self._need("segments/size", "cohort segment"))) if numbers is None else numbers

    @functools.cached_property
    def segments(self) -> pandas.DataFrame:
        """Index: the segment. size, and what the profile says of it in a value."""
        table = {"size": self._need("segments/size", "cohort segment")}
        with h5py.File(self.path, "r") as file:
            for name in OF_SEGMENT:
                if PROFILE + name in file:
                    table[name] = _column(file[PROFILE + name])
        return pandas.DataFrame(table, index=pandas.Index(self._numbers, name="segment"))

    @functools.cached_property
    def profiles(self) -> dict[str, pandas.DataFrame]:
        """What marks the segments: items, categories, user_categories, representative, border, nearest; a row for each
        entry, with its segment, best first. Nothing to say of any segment: no rows."""
        tables = {}
        with h5py.File(self.path, "r") as file:
            if PROFILE not in file:
                raise LookupError(f"{self.path}: has no profiles; cohort profile makes them")
            for name, types in TABLES.items():
                group = file.get(PROFILE + name, {})
                begin = group["row_begin"][...] if "row_begin" in group else numpy.zeros(len(self._numbers) + 1, int)
                others = [column for column in group if column not in types and column != "row_begin"]
                columns = {column: _column(group[column]) for column in [*types, *others] if column in group}
                if begin[-1] == 0:  # empty columns are not in the file
                    columns = {column: numpy.array([], kind) for column, kind in types.items()}
                tables[name] = pandas.DataFrame({"segment": numpy.repeat(self._numbers, numpy.diff(begin))} | columns)
        tables["nearest"]["id"] = self._numbers[tables["nearest"]["id"]]
        for name, column, of in (("items", "item", "items"), ("representative", "id", "users"), ("border", "id", "users")):
            tables[name][column] = self._ids(of)[tables[name][column]]
        return tables

    @functools.cached_property
    def recommendations(self) -> pandas.DataFrame:
        """user, rank (from 1), item, score: a row for each recommended item."""
        return self._lists("users", self._ids("users"), "user")

    @functools.cached_property
    def segment_recommendations(self) -> pandas.DataFrame:
        """segment, rank, item, score."""
        return self._lists("segments", self._numbers, "segment")

    def _lists(self, of: str, owners: numpy.ndarray, name: str) -> pandas.DataFrame:
        made_by = "cohort recommend" if len(self._ids("items")) else "a run with items"
        item = self._need(f"{of}/recommendations/item", made_by)
        score = self._need(f"{of}/recommendations/score", made_by)
        row, rank = numpy.nonzero(item >= 0)
        return pandas.DataFrame({name: owners[row], "rank": rank + 1, "item": self._ids("items")[item[row, rank]],
                                 "score": score[row, rank]})

    @functools.cached_property
    def history(self) -> pandas.DataFrame:
        """Index: the epoch, from 1. loss."""
        loss = self._get("history/loss")
        loss = numpy.array([]) if loss is None else loss
        return pandas.DataFrame({"loss": loss}, index=pandas.RangeIndex(1, len(loss) + 1, name="epoch"))

    @functools.cached_property
    def embedding(self) -> numpy.ndarray:
        """Of the users, in the order of `users`."""
        return self._need("users/embedding", "cohort segment")

    @functools.cached_property
    def item_embedding(self) -> numpy.ndarray:
        return self._need("items/embedding", "a run with items")


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _texts(values: numpy.ndarray) -> numpy.ndarray:
    return numpy.array([_text(value) for value in values], dtype=object)


def _column(values: h5py.Dataset) -> numpy.ndarray:
    return _texts(values[...]) if values.dtype.kind in "SO" else values[...]
