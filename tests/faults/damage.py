"""Files that are not what was written: damaged bytes, files of another kind, and contents that make no sense although
every checksum is right."""

import contextlib
import random

import h5py
import numpy

from calls import what_is_left
from harness import Result, Trial, judge, launch
from population import temporary_files
from reseal import reseal

READERS = {
    "graph.h5": ("partition", "train", "segment", "profile", "recommend", "evaluate", "strategies", "explain", "graph"),
    "model.h5": ("half", "segment", "explain", "model"),
    "validation.h5": ("again",),
    "segments.h5": ("profile", "recommend", "evaluate", "strategies", "explain", "assign", "compare", "export",
                    "embedding", "rerun", "result"),
}
# Datasets whose values are numbers of something that the file has only so many of.
NUMBERS = ("item", "user", "segment", "shard", "row_begin", "size", "cost")


@contextlib.contextmanager
def changed(path):
    """A file of Cohort to change by h5py; its checksums are made anew afterwards."""
    with h5py.File(path, "r+") as file:
        yield file
    reseal(path)


def places_of(path):
    """dataset -> (offset in the file, bytes), of those that have bytes."""
    found = {}

    def visit(name, item):
        if isinstance(item, h5py.Dataset) and item.id.get_storage_size() > 0:
            found[name] = (item.id.get_offset(), item.id.get_storage_size())

    with h5py.File(path, "r") as file:
        file.visititems(visit)
    return found


def data_of(path):
    return {name: place for name, place in places_of(path).items() if not name.startswith(("checksums/", "history/t"))}


def inside(places, offset):
    """The dataset whose data stand at an offset."""
    return next((name for name, (begin, size) in places.items() if begin <= offset < begin + size), None)


# Damages of bytes: each takes a path and random numbers, and returns the dataset whose data it changed, if it is one.

def edited(path, change):
    content = bytearray(path.read_bytes())
    content = change(content) or content
    path.write_bytes(content)


def flip_data(path, draw):
    name, (offset, size) = draw.choice(sorted(data_of(path).items()))
    where = offset + draw.randrange(size)

    def change(content):
        content[where] ^= 1 << draw.randrange(8)

    edited(path, change)
    return name


def flip_checksum(path, draw):
    sums = sorted((name, place) for name, place in places_of(path).items()
                  if name.startswith("checksums/") and "history/t" not in name)
    _, (offset, size) = draw.choice(sums)
    where = offset + draw.randrange(size)

    def change(content):
        content[where] ^= 1 << draw.randrange(8)

    edited(path, change)


def flip_structure(path, draw):
    places = places_of(path)
    size = path.stat().st_size
    where = draw.randrange(size)
    while inside(places, where):
        where = draw.randrange(size)

    def change(content):
        content[where] ^= 1 << draw.randrange(8)

    edited(path, change)


def flip_start(path, draw):
    """In the superblock, or what stands before it."""
    start = path.read_bytes().find(b"\x89HDF")
    where = draw.choice([draw.randrange(96), start + draw.randrange(96)])

    def change(content):
        content[where] ^= 1 << draw.randrange(8)

    edited(path, change)


def zero_block(path, draw):
    size = draw.choice([512, 4096])
    places = data_of(path)
    where = draw.randrange(0, path.stat().st_size, size)
    name = inside(places, where)

    def change(content):
        content[where:where + size] = bytes(min(size, len(content) - where))

    edited(path, change)
    return name if name and where + size <= sum(places[name]) else None


def swap_blocks(path, draw):
    count = path.stat().st_size // 512
    first, second = sorted(draw.sample(range(count), 2))

    def change(content):
        one, other = content[512 * first:512 * (first + 1)], content[512 * second:512 * (second + 1)]
        content[512 * first:512 * (first + 1)], content[512 * second:512 * (second + 1)] = other, one

    edited(path, change)


def noise_block(path, draw):
    where = draw.randrange(0, path.stat().st_size, 512)

    def change(content):
        content[where:where + 512] = draw.randbytes(min(512, len(content) - where))

    edited(path, change)


def cut(length):
    def damage(path, draw):
        edited(path, lambda content: content[:length(len(content))])

    return damage


def append(path, draw):
    edited(path, lambda content: content + draw.randbytes(draw.randrange(1, 5000)))


def empty(path, draw):
    path.write_bytes(b"")


def text(path, draw):
    path.write_text("user_id,item_id\nu1,i1\n")


def only_zeros(path, draw):
    edited(path, lambda content: bytes(len(content)))


def foreign(path, draw):
    with h5py.File(path, "w") as file:
        file["temperature"] = numpy.arange(12.0)
        file.attrs["kind"] = "weather"


def other_kind(population):
    def damage(path, draw):
        other = draw.choice([name for name in READERS if name != path.name])
        path.write_bytes((population.after["recommend"] / other).read_bytes())

    return damage


def is_directory(path, draw):
    path.unlink()
    path.mkdir()


def unreadable_link(path, draw):
    path.unlink()
    path.symlink_to("nowhere.h5")


BYTES = (("a bit of the data", flip_data, 6), ("a bit of the structure", flip_structure, 3),
         ("a bit of a checksum", flip_checksum, 1), ("a bit of the first bytes", flip_start, 2),
         ("a block of zeros", zero_block, 2), ("two blocks swapped", swap_blocks, 2), ("a block of noise", noise_block, 1),
         ("cut by a byte", cut(lambda size: size - 1), 1), ("cut in half", cut(lambda size: size // 2), 1),
         ("cut to 8 bytes", cut(lambda size: 8), 1), ("bytes behind its end", append, 1), ("empty", empty, 1),
         ("text", text, 1), ("zeros", only_zeros, 1), ("foreign HDF5", foreign, 1), ("a directory", is_directory, 1),
         ("a link to nowhere", unreadable_link, 1))


# Damages of the contents, with right checksums: name, dataset or None, change of the open file.

def replaced(name, values):
    def change(file):
        del file[name]
        file.create_dataset(name, data=values)

    return change


def with_value(name, value, where=0):
    def change(file):
        values = file[name][...]
        values.reshape(-1)[where] = value
        file[name][...] = values

    return change


def attribute(name, value):
    def change(file):
        if value is None:
            file.attrs.pop(name, None)
        else:
            file.attrs[name] = value

    return change


def content_damages(path):
    found = []
    with h5py.File(path, "r") as file:
        for name in data_of(path):
            if name == "history/inertia":  # as long as k-means took
                continue
            values = file[name][...]
            last = name.rsplit("/", 1)[-1]
            shapes = {"a row less": values[:-1], "a row more": numpy.concatenate([values, values[-1:]]),
                      "another dimension": values.reshape(values.shape + (1,)),
                      "another type": numpy.zeros(values.shape, "u1")}
            found += [(f"{word} in {name}", name, replaced(name, content)) for word, content in shapes.items()]
            if "profile" not in name:  # whose columns may be absent
                found.append((f"without {name}", name, lambda file, name=name: file.__delitem__(name)))
            if values.dtype.kind == "f" and "recommendations" not in name and "profile" not in name:
                found += [(f"{value} in {name}", name, with_value(name, value, where))
                          for value, where in ((numpy.nan, 0), (numpy.inf, -1))]
            if values.dtype.kind == "i" and last in NUMBERS and "profile" not in name:
                most = numpy.iinfo(values.dtype).max
                found += [(f"{value} in {name}", name, with_value(name, value, where))
                          for value, where in ((-2, 0), (most, -1), (most // 2 + 1, len(values) // 2))]
            if last == "row_begin" and len(values) > 3:
                found.append((f"{name} begins at 1", name, with_value(name, 1)))
                found.append((f"{name} descends", name, with_value(name, values[1] + 10**6, 2)))
        for name, values in (("schema_version", (99, -1, "two", None)), ("kind", ("other", None, 7)),
                             ("epochs", (-1, 10**15, None)), ("shards", (0, -5, 2**40, None)),
                             ("configuration", ("= [", "", None, 3)), ("input_sha256", (None, "")),
                             ("recommend_count", (-1, 10**9, None))):
            if name in file.attrs:
                found += [(f"attribute {name} = {value}", None, attribute(name, value)) for value in values]
    return found


def trial(population, name, command, ranks, file, damage, content):
    """damage(path, draw) -> dataset or None. content: the checksums are right, so that a dataset is named whichever of
    those that do not fit together."""
    name = f"{command} on {ranks}, {file}: {name}"

    def run(directory):
        draw = random.Random(name)
        output, arguments, right = population.start(command, directory)
        path = output / file
        dataset = damage(path, draw)
        before = path.read_bytes() if path.is_file() else None
        ended = launch(arguments, ranks, directory)
        # Whether a file is what its inputs give is what rerun is there to say, by exit code 1.
        complaints = judge(ended, codes=(0, 1, 2) if content and command == "rerun" else (0, 2))
        if ended.code == 2 and ended.said:
            if file not in ended.said[0]:
                complaints.append("does not name the file")
            if dataset and f"/{dataset}" not in ended.said[0] and not content:
                complaints.append(f"does not name /{dataset}")
            if any(word in ended.err for word in ("learning_rate", "HDF5 error", "unable to")):
                complaints.append("speaks of what it is not")
            if before is not None and path.read_bytes() != before:
                complaints.append("has changed the file")
            complaints += temporary_files(output)
        if ended.code == 0 and not (command in ("graph", "model", "result") and path.is_file()):
            # A damaged file of which nothing was needed stays as it is, and is not what the command made.
            if before is not None and path.read_bytes() == before:
                path.write_bytes((population.start(command, directory / "fresh")[0] / file).read_bytes())
            return what_is_left(population, command, arguments, output, right, ended, name, complaints)
        outcome = "shown as it is" if ended.code == 0 else f"exit {ended.code}"
        return Result(name, "wrong" if complaints else outcome, complaints, ended.line, ended.err)

    return Trial(name, run)


def spread(trials, count):
    """So many of them, at even distances."""
    return [trials[place * len(trials) // count] for place in range(count)]


def trials(population, count=None):
    """Damages of all files, read by the commands in turn; `count` of them spread over all, or all by all."""
    of_bytes = []
    of_contents = []
    for file, readers in READERS.items():
        kinds = [*BYTES, ("another kind of file", other_kind(population), 2)]
        damages = [(f"{word} ({number})", damage) for word, damage, times in kinds
                   for number in range(times if count else 3 * times)]
        for place, (word, damage) in enumerate(damages):
            chosen = (readers[place % len(readers)],) if count else readers
            of_bytes += [trial(population, word, command, (1, 3, 2)[place % 3], file, damage, False)
                         for command in chosen]
        for place, (word, dataset, change) in enumerate(content_damages(population.after["recommend"] / file)):

            def damage(path, draw, dataset=dataset, change=change):
                with changed(path) as opened:
                    if not dataset or dataset in opened:
                        change(opened)
                        return dataset
                return None

            chosen = (readers[place % len(readers)],) if count else readers
            of_contents += [trial(population, word, command, (1, 3, 2)[place % 3], file, damage, True)
                            for command in chosen]
    if not count:
        return of_bytes + of_contents
    return spread(of_bytes, count * 3 // 5) + spread(of_contents, count - count * 3 // 5)
