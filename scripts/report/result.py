"""What a report needs of segments.h5, read and checked. docs/file-formats.md describes the file."""

import functools
import itertools
import math
import pathlib
import tomllib
import zlib

import h5py
import numpy

from report import InputError
from report.labels import Unreadable, labels_of

SCHEMA_VERSION = 2
BLOCK_BYTES = 1 << 20  # that each checksum is of
ROWS_AT_ONCE = 65536  # of an embedding
SILHOUETTE_EXACT = 10_000  # users
PROFILE = "segments/profile/"


def text(value):
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def texts(dataset):
    return [text(value) for value in dataset[...]]


class Result:
    """U users, k segments, d columns; arrays are numpy's."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.warnings = []  # of what the report could not have
        if not self.path.is_file():
            raise InputError(f"{path}: there is no such file")
        try:
            with h5py.File(path, "r") as file:
                self._check_kind(file)
                self._check_data(file)
                self._read(file)
        except (OSError, RuntimeError) as error:
            reason = " ".join(str(error).split())
            raise InputError(f"{path}: cannot be read as HDF5 ({reason}); give the segments.h5 that cohort run or "
                             "cohort segment wrote") from None
        except (KeyError, ValueError, IndexError, TypeError, AttributeError) as error:
            raise InputError(f"{path}: is damaged or incomplete ({error}); make it again by cohort segment") from None

    def _check_kind(self, file):
        kind = text(file.attrs.get("kind", ""))
        version = file.attrs.get("schema_version")
        if not kind or version is None:
            raise InputError(f"{self.path}: is no file of Cohort; give a segments.h5")
        if kind != "segments":
            raise InputError(f"{self.path}: is a {kind} file of Cohort; the report is made from segments.h5")
        if int(version) != SCHEMA_VERSION:
            raise InputError(f"{self.path}: has schema version {version}, this script reads {SCHEMA_VERSION}; use the "
                             "scripts/report.py of the Cohort that wrote the file")
        if "users/map" not in file:
            raise InputError(f"{self.path}: has no /users/map, an older Cohort wrote it; run cohort segment again")

    def _check_data(self, file):
        """Every dataset against the checksums that stand beside it."""
        def check(name, dataset):
            if not isinstance(dataset, h5py.Dataset) or name.startswith("checksums/") or dataset.size == 0:
                return
            checks = file["checksums/" + name][...]
            left = dataset.id.get_storage_size()
            content.seek(dataset.id.get_offset())
            for crc in checks:
                block = content.read(min(left, BLOCK_BYTES))
                left -= len(block)
                if not block or zlib.crc32(block) != crc:
                    left = -1
                    break
            if left != 0:
                raise InputError(f"{self.path}: dataset /{name} is damaged; put back a copy, or make the file again by "
                                 "cohort segment")

        with open(self.path, "rb") as content:
            file.visititems(check)

    def _read(self, file):
        self.segment = file["users/segment"][...]
        self.distance = file["users/distance"][...].astype(float)
        self.margin = file["users/margin"][...].astype(float)
        self.map = file["users/map"][...].astype(float)
        self.size = file["segments/size"][...].astype(int)
        self.users = len(self.segment)
        self.count = len(self.size)
        columns = file["users/embedding"].shape[1]
        if (self.map.shape != (self.users, 2) or file["users/embedding"].shape[0] != self.users
                or file["segments/centroid"].shape != (self.count, columns)
                or len(self.distance) != self.users or len(self.margin) != self.users):
            raise ValueError("its datasets do not fit together")
        if not numpy.isfinite(self.map).all():
            raise ValueError("/users/map has what is no finite number")
        if self.users == 0 or not numpy.array_equal(numpy.bincount(self.segment, minlength=self.count), self.size):
            raise ValueError("/segments/size does not count /users/segment")
        # What each segment is called: its row, but where it follows another run's.
        self.number = numbers_of(file, "segments/", self.count)
        self.succession = self._succession(file) if "segments/number" in file else None
        self.items = len(file["items/id"]) if "items/id" in file else 0
        self.epochs = int(file.attrs["epochs"])
        self.shards = int(file.attrs["shards"])
        self.attributes = {name: text(file.attrs[name]) for name in
                           ("cohort_version", "git_revision", "seed", "ranks", "threads", "vector_target")}
        self.configuration = text(file.attrs["configuration"])
        self.inputs = [(text(name), int(size), text(sha)) for name, size, sha in
                       zip(*(numpy.atleast_1d(file.attrs[name]) for name in
                             ("input_path", "input_bytes", "input_sha256")))]
        settings = tomllib.loads(self.configuration)
        # Spherical k-means has centroids of length 1 (0 where a segment's users have no direction); the configuration may
        # leave it to the loss.
        lengths = numpy.linalg.norm(file["segments/centroid"][...], axis=1)
        self.spherical = bool(numpy.all((numpy.abs(lengths - 1) < 1e-5) | (lengths == 0)))
        self.item_attributes = settings["input"].get("item_attributes", "")
        self.encoding = settings["input"].get("encoding", "auto")
        self.holds_out = settings["input"]["holdout"] > 0 or bool(settings["input"]["test"])
        self.loss = file["history/loss"][...]
        self.inertia = file["history/inertia"][...]
        self.timing = self._by_rank(file, "history/timing")
        self.traffic = self._by_rank(file, "history/traffic")
        self.choice = self._by_rank(file, "history/choice")  # by candidate; empty where the loss has none
        self.tried = self._by_rank(file, "history/count")  # numbers of segments; empty where segment.count is set
        self.variance = self._variance(file["users/embedding"])
        self.profile = Profile(file, self.count) if PROFILE + "description" in file else None
        # What the profile calls items, by their ids.
        named = self.profile.item_names if self.profile else {}
        self.known_names = dict(zip(texts_at(file["items/id"], sorted(named)), map(named.get, sorted(named)))) if named else {}
        self.strategy = ""
        self.recommended = self.read_recommended(file, "segments/recommendations", self.profile)
        self.levels = read_levels(file, self)

    @staticmethod
    def _succession(file):
        """How the segments follow those of another run."""
        return {"path": text(numpy.atleast_1d(file.attrs["follows_path"])[-1]),
                "appeared": file["segments/appeared"][...].tolist(), "vanished": file["segments/vanished"][...].tolist(),
                "common": int(file.attrs["common_users"]), "stayed": int(file.attrs["stayed_users"])}

    @staticmethod
    def _by_rank(file, group):
        return {name: dataset[...].astype(float) for name, dataset in file[group].items()} if group in file else {}

    @staticmethod
    def _variance(embedding):
        """Sum of squared distances of all users to their mean."""
        total = numpy.zeros(embedding.shape[1])
        for first in range(0, len(embedding), ROWS_AT_ONCE):
            total += embedding[first:first + ROWS_AT_ONCE].sum(axis=0, dtype=float)
        mean = total / len(embedding)
        return sum(numpy.square(embedding[first:first + ROWS_AT_ONCE] - mean).sum()
                   for first in range(0, len(embedding), ROWS_AT_ONCE))

    def read_recommended(self, file, group, profile):
        """Each segment's recommended items, best first: name, and whether more than half of its users have it already;
        None before `recommend`."""
        if group + "/item" not in file:
            return None
        numbers = file[group + "/item"][...]
        wanted = sorted({int(item) for item in numbers.flat if item >= 0})
        names = dict(zip(wanted, texts_at(file["items/id"], wanted)))
        if profile:
            if not names.keys() <= profile.item_names.keys():
                names = {item: self.labels.get(name, name) for item, name in names.items()}
            names.update(profile.item_names)
        self.strategy = text(file.attrs["recommend_strategy"])
        known = file[group + "/known"][...]
        return [[{"name": names[int(item)], "known": mark == 1} for item, mark in zip(row, marks) if item >= 0]
                for row, marks in zip(numbers, known)]

    @functools.cached_property
    def labels(self):
        """What the table of attributes calls items, by their ids; nothing, and a warning, where it cannot be read."""
        path = self.item_attributes
        if not path:
            return {}
        try:
            return labels_of(path, dict(self.profile.attribute_files).get(path), self.encoding, self.known_names)
        except Unreadable as reason:
            # Where the profile has items, and all by their ids, the table had no names for them either.
            if not self.known_names or any(item != name for item, name in self.known_names.items()):
                self.warnings.append(f"{path}: {reason}; recommended items that it may name are shown by their ids")
            return {}

    def silhouette(self):
        """The mean over users, over a sample of them where they are many; NaN where it is not defined."""
        rows = numpy.arange(self.users)
        if self.users > SILHOUETTE_EXACT:
            rows = numpy.sort(numpy.random.default_rng(0).choice(self.users, SILHOUETTE_EXACT // 2, replace=False))
        _, segment = numpy.unique(self.segment[rows], return_inverse=True)
        sizes = numpy.bincount(segment)
        if not 2 <= len(sizes) < len(rows):
            return math.nan
        points = self.embedding(rows).astype(float)
        squares = numpy.square(points).sum(axis=1)
        member = numpy.eye(len(sizes))[segment]
        total = 0.0
        for first in range(0, len(rows), 512):
            part = slice(first, first + 512)
            distance = squares[part, None] + squares - 2 * points[part] @ points.T
            sums = numpy.sqrt(numpy.maximum(distance, 0)) @ member
            own, place = segment[part], numpy.arange(len(segment[part]))
            inside = sums[place, own] / numpy.maximum(sizes[own] - 1, 1)
            means = sums / sizes
            means[place, own] = math.inf
            outside = means.min(axis=1)
            largest = numpy.maximum(inside, outside)
            wide = numpy.divide(outside - inside, largest, out=numpy.zeros_like(largest), where=largest > 0)
            total += wide[sizes[own] > 1].sum()
        return total / len(rows)

    def embedding(self, rows):
        with h5py.File(self.path, "r") as file:
            return file["users/embedding"][rows]


def texts_at(dataset, rows):
    """h5py reads scattered rows slowly, so all where they are many."""
    if len(rows) * 20 > len(dataset):
        everything = dataset[...]
        return [text(everything[row]) for row in rows]
    return [text(dataset[row]) for row in rows]


def table_of(group, name, count):
    """A table as lists of rows (dictionaries) by segment."""
    if name not in group:
        return [[] for _ in range(count)]
    columns = {column: texts(data) if data.dtype.kind in "SO" else data[...].tolist()
               for column, data in group[name].items()}
    begin = columns.pop("row_begin")
    rows = [dict(zip(columns, values)) for values in zip(*columns.values())]
    if len(begin) != count + 1 or begin[-1] != len(rows):
        raise ValueError(f"{group.name}/{name} is of another number of segments")
    return [rows[first:last] for first, last in itertools.pairwise(begin)]


def numbers_of(file, group, count):
    """What the segments of a level are called."""
    if group + "number" not in file:
        return list(range(count))
    numbers = file[group + "number"][...].tolist()
    if len(numbers) != count:
        raise ValueError(f"/{group}number is of another number of segments")
    return numbers


class Level:
    """One of nested levels: what its segments are, which segment of the level above each lies in, and what it adds to
    that one (rows as of a profile, and a line each); parent and added are None at the first level."""

    def __init__(self, file, number, last, result):
        group = f"segments/levels/{number}/"
        finest = number == last
        self.number = number
        self.size = result.size if finest else file[group + "size"][...].astype(int)
        self.count = len(self.size)
        self.called = result.number if finest else numbers_of(file, group, self.count)
        self.succession = None
        if result.succession and not finest:
            self.succession = {"appeared": file[group + "appeared"][...].tolist(),
                               "vanished": file[group + "vanished"][...].tolist(),
                               "stayed": int(file["segments/levels/stayed_users"][number - 1])}
        self.parent = file[group + "parent"][...] if number > 1 else None
        self.profile = result.profile
        self.recommended = result.recommended
        if not finest:
            profiled = group + "profile/description" in file
            self.profile = Profile(file, self.count, group + "profile/") if profiled else None
            self.recommended = result.read_recommended(file, group + "recommendations", self.profile)
        self.added = None
        if number > 1 and group + "added/description" in file:
            added = file[group + "added"]
            self.added = {name: table_of(added, name, self.count) for name in ("items", "categories", "user_categories")}
            self.added["description"] = texts(added["description"])


def read_levels(file, result):
    """The levels of nested segments, the coarsest first; none where there is one level."""
    if "segments/levels/count" not in file:
        return []
    counts = file["segments/levels/count"][...]
    levels = [Level(file, number, len(counts), result) for number in range(1, len(counts) + 1)]
    for count, level, above in zip(counts, levels, [None, *levels]):
        if level.count != count or above and (len(level.parent) != count or not numpy.array_equal(
                numpy.bincount(level.parent, weights=level.size, minlength=above.count), above.size)):
            raise ValueError("its levels do not lie inside each other")
    return levels


class Profile:
    """/segments/profile, or that of a level: columns by name; tables as lists of rows (dictionaries) by segment."""

    def __init__(self, file, count, name=PROFILE):
        self.count = count
        group = file[name]
        self.description = texts(group["description"])
        self.values = {name: group[name][...] for name in
                       ("interactions", "distinct_items", "mean_interactions", "median_interactions", "first_time",
                        "last_time", "social_inside", "social_outside") if name in group}
        for column in (self.description, *self.values.values()):
            if len(column) != count:
                raise ValueError(f"{group.name} is of another number of segments")
        self.tables = {name: table_of(group, name, count) for name in
                       ("items", "categories", "user_categories", "nearest", "representative")}
        self.item_names = {int(row["item"]): row["name"] for rows in self.tables["items"] for row in rows}
        self.tested = int(group["tested"][...].sum()) if "tested" in group else 0
        self.false_discovery_rate = float(group["false_discovery_rate"][0]) if "false_discovery_rate" in group else 0
        self.activity_share = float(group["activity_share"][0]) if "activity_share" in group else 0
        self.attribute_files = list(zip(texts(group["attribute_file"]), texts(group["attribute_sha256"]))) \
            if "attribute_file" in group else []
        self.numeric = self._numeric(group)
        self.attributes = {row["attribute"] for name in ("categories", "user_categories")
                           for rows in self.tables[name] for row in rows} | {
                               row["name"] for rows in self.numeric for row in rows}
        users = file["users/id"]
        for rows in self.tables["representative"]:
            for row in rows:
                row["name"] = text(users[int(row["id"])])

    def _numeric(self, group):
        if "numeric/name" not in group:
            return [[] for _ in range(self.count)]
        names = texts(group["numeric/name"])
        mean, deviation, users = (group["numeric/" + name][...].reshape(self.count, len(names))
                                  for name in ("mean", "deviation", "users"))
        population = group["numeric/population_mean"][...]
        return [[{"name": name, "mean": mean[s, a], "population": population[a], "deviation": deviation[s, a]}
                 for a, name in enumerate(names) if users[s, a] > 0] for s in range(self.count)]
