"""The same records in every format, separator, encoding and compression: the same bits, which Python's own readers give;
the choices in cleaning; the layouts of public data sets, whose samples and configurations stand in docs/formats.md."""

import bz2
import collections
import csv
import gzip
import io
import json
import lzma
import os
import pathlib
import random
import re
import shutil
import subprocess
import unittest

import h5py
import numpy

from support import WithDirectory, cohort, datasets

DOCUMENT = pathlib.Path(__file__).resolve().parent.parent.parent / "docs" / "formats.md"


def records():
    draw = random.Random(17)
    return [(f"u{draw.randrange(30)}é", draw.choice(["00001", "7", "x y", "Ω"]) + str(draw.randrange(20)),
             draw.choice(["1", "2.5", "0.5", "4"]), str(1_400_000_000 + draw.randrange(10**7))) for _ in range(400)]


RECORDS = records()
NAMES = ("user_id", "item_id", "rating", "timestamp")


def by_csv(separator, rows=RECORDS, header=True, quoting=csv.QUOTE_MINIMAL):
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator="\n", quoting=quoting)
    writer.writerows(([NAMES] if header else []) + list(rows))
    return text.getvalue()


def by_json(rows=RECORDS):
    return "".join(json.dumps({"user": {"id": user, "age": 3}, "item_id": item, "stars": float(weight), "timestamp": int(time)},
                              ensure_ascii=user < "u2") + "\n" for user, item, weight, time in rows)


def zstd(content):
    return subprocess.run(["zstd", "-q", "-c"], input=content, capture_output=True, check=True).stdout


PACKINGS = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, ".zst": zstd}


def merged(rows):
    """(user, item) -> weight, time: the sum, and the latest."""
    groups = collections.defaultdict(list)
    for user, item, weight, time in rows:
        groups[user, item].append((float(weight), float(time)))
    return {pair: (sum(weight for weight, _ in values), max(time for _, time in values))
            for pair, values in groups.items()}


def interactions(path, group="interactions"):
    with h5py.File(path) as file:
        users = [text.decode() for text in file["users/id"][...]]
        items = [text.decode() for text in file["items/id"][...]]
        if group not in file:
            return {}
        group = file[group]
        rows = numpy.repeat(numpy.arange(len(users)), numpy.diff(group["row_begin"][...]))
        times = group["time"][...].tolist() if "time" in group else [None] * len(rows)
        return {(users[row], items[item]): (weight, time) for row, item, weight, time
                in zip(rows, group["item"][...], group["weight"][...].tolist(), times)}


class Formats(WithDirectory):
    def prepared(self, settings="", names="data", ranks=1, check=True, clean="", graph=""):
        paths = json.dumps(names if isinstance(names, str) else list(names))
        config = self.write("config.toml", f'[input]\ninteractions = {paths}\n{settings}\n[clean]\n{clean}\n'
                            f'[graph]\n{graph}\n[output]\ndirectory = "{self.path}/out"\n')
        return cohort("prepare", config, ranks=ranks, check=check)

    def graph(self):
        return self.path / "out" / "graph.h5"

    def refused(self, words, *arguments, ranks=(1, 3), **named):
        for ranks in ranks:
            done = self.prepared(*arguments, ranks=ranks, check=False, **named)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertEqual(done.stderr.count("error: "), 1, done.stderr)
            for word in words:
                self.assertIn(word, done.stderr)
        return done


class SameBits(Formats):
    def test_whatever_the_format_and_compression(self):
        plain = by_csv(",")
        semicolon = by_csv(";", [(u, i, w.replace(".", ","), t) for u, i, w, t in RECORDS])
        dates = [(u, i, w, str(numpy.datetime64(int(t), "s")) + "Z") for u, i, w, t in RECORDS]
        milliseconds = [(u, i, w, t + "000") for u, i, w, t in RECORDS]
        python = "".join(repr({"user_id": u, "item_id": i, "rating": float(w), "timestamp": int(t)}) + "\n"
                         for u, i, w, t in RECORDS)
        half = len(RECORDS) // 2
        json_columns = '[input.columns]\nuser = "user.id"\nitem = "item_id"\nweight = "stars"\ntime = "timestamp"\n'
        # file name -> contents; settings
        variants = [
            ({"a.csv": plain}, ""),
            ({"a.tsv": by_csv("\t")}, ""),
            ({"a.txt": semicolon}, ""),
            ({"a.csv": semicolon}, ""),
            ({"a.csv": by_csv(";", quoting=csv.QUOTE_ALL)}, ""),
            ({"a.dat": by_csv("|", header=False)}, ""),
            ({"a.dat": by_csv("^")}, 'separator = "^"'),
            ({"a.dat": by_csv("\x01")}, 'separator = "\\u0001"'),
            ({"a.dat": "".join("::".join(row) + "\n" for row in RECORDS)}, ""),
            ({"a.txt": "# a comment, with commas\n# Nodes: 3\tEdges: 4\n#\n" + by_csv("\t", header=False)}, ""),
            ({"a.txt": "% one\n% two, three\n" + by_csv(",", header=False)}, ""),
            ({"a.json": by_json()}, json_columns),
            ({"a.ndjson": by_json()}, ""),
            ({"a.jsonl": python}, ""),
            ({"a.csv": by_csv(",", dates)}, ""),
            ({"a.csv": by_csv(",", milliseconds)}, ""),
            ({"a.csv": by_csv(",", milliseconds)}, 'time_unit = "ms"'),
            ({"a.csv": plain.encode("utf-16")}, ""),
            ({"a.csv": plain.encode("utf-16-le")}, 'encoding = "UTF-16LE"'),
            ({"a.csv": plain.encode("utf-32")}, ""),
            ({"p/part-0.csv": by_csv(",", RECORDS[:half]), "p/part-1.csv": by_csv(",", RECORDS[half:], header=False),
              "p/_SUCCESS": "", "p/part-2.csv": "", "p/part-3.csv": ",".join(NAMES) + "\n"}, ""),
        ]
        variants += [({"a.csv" + ending: pack(plain.encode())}, "") for ending, pack in PACKINGS.items()]
        variants += [({"a.json" + ending: pack(by_json().encode())}, "") for ending, pack in PACKINGS.items()]
        variants += [({"a" + ending: pack(plain.encode()[:1000]) + pack(plain.encode()[1000:])}, "")
                     for ending, pack in PACKINGS.items()]
        wanted, first = merged(RECORDS), None
        for number, (files, settings) in enumerate(variants):
            with self.subTest(files=list(files), settings=settings, number=number):
                for name, content in files.items():
                    (self.path / name).parent.mkdir(exist_ok=True)
                    self.write(name, content if isinstance(content, bytes) else content.encode())
                names = "p" if len(files) > 1 else list(files)
                self.prepared(settings, names, ranks=1 + number % 3)
                if first is None:
                    self.assertEqual(interactions(self.graph()), wanted)
                    first = datasets(self.graph())
                self.assertEqual(datasets(self.graph()), first)
            for name in files:
                (self.path / name).unlink()
            shutil.rmtree(self.path / "p", ignore_errors=True)

    def test_lists_patterns_and_home(self):
        for part in range(4):
            self.write(f"part-{part}.csv", by_csv(",", RECORDS[part::4]))
        self.write("list", "# a comment\npart-0.csv\n\n  part-[12].csv\npart-3.csv\n")
        wanted = merged(RECORDS)
        for names in ("part-*.csv", "part-{0,1,2,3}.csv", "@list", ["part-[01].csv", "part-2.csv", "part-3.csv"]):
            self.prepared(names=names, ranks=2)
            self.assertEqual(interactions(self.graph()), wanted, names)
        self.refused(["nothing-*.csv", "no file matches"], names="nothing-*.csv")
        self.refused(["absent", "list of files"], names="@absent")

    def test_a_legacy_encoding(self):
        self.write("data", "user;item\nJosé;Müller\nAna;ÿ\n".encode("latin-1"))
        self.prepared('encoding = "latin1"', ranks=2)
        self.assertEqual(set(interactions(self.graph())), {("José", "Müller"), ("Ana", "ÿ")})
        self.refused(["data:2", "UTF-8"])
        self.refused(["input.encoding", "no-such"], 'encoding = "no-such"')
        self.refused(["odd", "UTF-16", "byte"], 'encoding = "UTF-16LE"', names=self.odd())

    def odd(self):
        self.write("odd", "user;item\na;b\n".encode("utf-16-le") + b"\x00\xd8\n\x00")
        return "odd"

    def test_compressed_data_that_is_cut_or_damaged(self):
        plain = by_csv(",", RECORDS * 5).encode()
        for ending, pack in PACKINGS.items():
            whole = pack(plain)
            for name, content, word in (("cut", whole[:-5], "ends early"), ("half", whole[:len(whole) // 2], "ends early"),
                                        ("tail", whole + pack(plain)[:-20], "ends early"),
                                        ("damaged", whole[:-30] + bytes(30), "")):
                with self.subTest(ending=ending, name=name):
                    self.write(name + ending, content)
                    self.refused([name + ending, word], names=name + ending, ranks=[2])


# Run by the Python that has pyarrow: writes the records on stdin as Parquet, in the way named first.
WRITE_PARQUET = """
import json, sys
import pyarrow as pa, pyarrow.parquet as pq
way, path = sys.argv[1:]
rows = json.load(sys.stdin)
user, item, weight, time = (list(column) for column in zip(*rows))
weight, time = [float(w) for w in weight], [int(t) for t in time]
names = ["user_id", "item_id", "rating", "timestamp"]
columns = [pa.array(user), pa.array(item), pa.array(weight), pa.array(time)]
options = {"row_group_size": 50}
if way == "coded":
    columns[:2] = [column.dictionary_encode() for column in columns[:2]]
elif way == "plain":
    options |= {"use_dictionary": False, "compression": "zstd"}
elif way == "times":
    columns[3] = pa.array([t * 1000 for t in time]).cast(pa.timestamp("ms", tz="UTC"))
elif way == "nested":
    columns[0] = pa.StructArray.from_arrays([pa.array(range(len(user))), columns[0]], ["age", "id"])
    names[0] = "user"
elif way == "wide":
    columns = [pa.array([["a", "b,\\n"]] * len(user)), columns[1], pa.array([None] * len(user), pa.string()), columns[0],
               columns[3].cast(pa.int32()), columns[2].cast(pa.float32())]
    names = ["tags", "item_id", "nothing", "user_id", "timestamp", "rating"]
    options = {"row_group_size": 7, "compression": "gzip", "data_page_version": "2.0"}
elif way == "one":
    options = {}
pq.write_table(pa.table(columns, names=names), path, **options)
"""


@unittest.skipIf(not os.environ.get("COHORT_PYARROW"), "the program was built without Arrow C++: Parquet is not tested")
class Parquet(Formats):
    def write_parquet(self, way, name="data.parquet", rows=RECORDS):
        subprocess.run([os.environ["COHORT_PYARROW"], "-c", WRITE_PARQUET, way, self.path / name], check=True, text=True,
                       input=json.dumps(rows))

    def test_the_same_bits(self):
        self.write("data.csv", by_csv(","))
        self.prepared(names="data.csv")
        first = datasets(self.graph())
        for number, way in enumerate(("coded", "plain", "times", "nested", "wide", "one")):
            for ranks in (1, 3):
                with self.subTest(way=way, ranks=ranks):
                    self.write_parquet(way)
                    columns = '[input.columns]\nuser = "user.id"\nitem = "item_id"\nweight = "rating"\ntime = "timestamp"\n'
                    self.prepared(columns if way == "nested" else "", "data.parquet", ranks=ranks)
                    self.assertEqual(datasets(self.graph()), first)

    def test_parts_and_damage(self):
        (self.path / "p").mkdir()
        for part in range(3):
            self.write_parquet("coded", f"p/part-{part}.parquet", RECORDS[part::3])
        self.prepared(names="p", ranks=2)
        self.assertEqual(interactions(self.graph()), merged(RECORDS))
        whole = (self.path / "p" / "part-0.parquet").read_bytes()
        self.write("cut.parquet", whole[:-100])
        self.refused(["cut.parquet", "Parquet"], names="cut.parquet")
        self.write("torn.parquet", whole[:200] + bytes(300) + whole[500:])
        self.refused(["torn.parquet", "Parquet"], names="torn.parquet")

    def test_records_without_ids(self):
        self.write_parquet("coded", rows=[*RECORDS[:3], ("u", None, "1", "5"), *RECORDS[3:6]])
        self.refused(["data.parquet:4", "item is empty"], names="data.parquet")
        self.prepared(names="data.parquet", clean='incomplete = "drop"')
        self.assertEqual(interactions(self.graph()), merged(RECORDS[:6]))


class Choices(Formats):
    ROWS = "user,item,rating,time\na,x,1,30\na,x,5,10\na,x,3,20\na,y,2,5\nb,x,4,7\nb,z,4,9\n"

    def test_repeats(self):
        self.write("data", self.ROWS)
        for repeats, weight, time in (("sum", 9, 30), ("last", 1, 30), ("first", 5, 10), ("max", 5, 30), ("mean", 3, 30),
                                      ("count", 3, 30)):
            for ranks in (1, 3):
                self.prepared(clean=f'repeats = "{repeats}"', ranks=ranks)
                found = interactions(self.graph())
                self.assertEqual(found["a", "x"], (weight, time), repeats)
                self.assertEqual(found["a", "y"], (1 if repeats == "count" else 2, 5))
        self.write("data", "user,item\na,x\na,x\n")
        self.refused(["clean.repeats", "times"], clean='repeats = "last"')

    def test_incomplete_records(self):
        self.write("data", "user,item,rating\na,x,1\n,x,2\na,,3\na,y,-4\nb,y,\nb,x,NaN\nb,z,2\n")
        self.refused(["data:3", "data:6", "5 of 7 lines"])
        for ranks in (1, 3):
            done = self.prepared(clean='incomplete = "drop"', ranks=ranks)
            self.assertIn("5 records without", done.stderr)
            self.assertEqual(set(interactions(self.graph())), {("a", "x"), ("b", "z")})
        self.write("data", "user,item,rating\na,x,1\na,y,wrong\n")
        self.refused(["data:3", "wrong"], clean='incomplete = "drop"')

    def test_bad_lines_as_a_share(self):
        self.write("data", "user,item\n" + "".join(f"u{n},i{n % 7}\n" for n in range(98)) + "one\ntwo\n")
        self.prepared(clean="max_bad_lines = 0.02", ranks=2)
        self.prepared(clean="max_bad_lines = 2")
        self.refused(["2 of 100 lines"], clean="max_bad_lines = 0.015")
        self.refused(["2 of 100 lines"], clean="max_bad_lines = 1")

    def test_the_last_of_each_user(self):
        rows = [(f"u{n % 5}", f"i{n}", "1", str((n * 37) % 101)) for n in range(60)] + [("alone", "i1", "1", "5")]
        self.write("data", by_csv(",", rows))
        by_user = collections.defaultdict(list)
        for user, item, _, time in rows:
            by_user[user].append((int(time), item))
        wanted = {(user, item) for user, had in by_user.items() for _, item in sorted(had)[1:][-2:]}
        for ranks in (1, 3):
            self.prepared("holdout_last = 2", ranks=ranks)
            self.assertEqual(set(interactions(self.graph(), "holdout")), wanted)
            self.assertEqual(len(interactions(self.graph())) + len(wanted), len(rows))
        self.refused(["input.holdout_last", "input.holdout"], "holdout_last = 2\nholdout = 0.1")

    def test_times(self):
        wanted = 1333476009.0
        for text in ("2012-04-03 18:00:09", "2012-04-03T18:00:09Z", "2012-04-03T20:00:09+02:00", "2012/04/03 18:00:09 UTC",
                     "2012-04-03T13:30:09-0430", "Tue Apr 03 18:00:09 +0000 2012", "1333476009", "1333476009000",
                     "1333476009000000", "1333476009.0", "2012-04-03 18:00:09.000"):
            self.write("data", f"user,item,rating,timestamp\na,x,1,{text}\nb,x,1,{text}\n")
            self.prepared()
            self.assertEqual(interactions(self.graph())["a", "x"][1], wanted, text)
        for text in ("2012-04-03", "20120403"):
            self.write("data", f"user,item,date\na,x,{text}\nb,x,{text}\n")
            self.prepared()
            self.assertEqual(interactions(self.graph())["a", "x"][1], wanted - 18 * 3600 - 9, text)
        self.write("data", "user,item,timestamp\na,x,1333476009000\nb,x,5\n")
        self.prepared('time_unit = "s"')
        self.assertEqual(interactions(self.graph())["a", "x"][1], 1333476009000.0)

    def test_times_that_nothing_needs_are_no_error(self):
        self.write("data", "user,item,timestamp\na,x,2012-04-03\nb,x,soon\n")
        for ranks in (1, 3):
            done = self.prepared(ranks=ranks)
            self.assertIn("1 time cannot be read", done.stderr)
            self.assertEqual(interactions(self.graph()), {("a", "x"): (1, None), ("b", "x"): (1, None)})
        self.refused(["data:3", "soon"], graph='weight = "raw"\nhalf_life = 3')

    def test_ids_that_programs_write_for_what_is_missing(self):
        self.write("data", "user,item\na,x\nnan,y\nb,null\nb,x\n")
        done = self.prepared(ranks=2)
        self.assertIn('1 record has the user "nan"', done.stderr)
        self.assertIn('1 record has the item "null"', done.stderr)


# What the samples of docs/formats.md hold: (user, item) -> weight, time.
class PublicLayouts(Formats):
    def samples(self):
        for part in re.split(r"^### ", DOCUMENT.read_text(), flags=re.M)[1:]:
            name = part.partition("\n")[0]
            files = re.findall(r"^```text ([^\n]+)\n(.*?)^```", part, flags=re.M | re.S)
            config = re.search(r"^```toml\n(.*?)^```", part, flags=re.M | re.S).group(1)
            wanted = re.search(r"^```json\n(.*?)^```", part, flags=re.M | re.S).group(1)
            yield name, files, config, [json.loads(line) for line in wanted.splitlines()]

    def test_samples_of_the_document(self):
        count = 0
        for name, files, config, wanted in self.samples():
            count += 1
            with self.subTest(name=name):
                for file, text in files:
                    # The document shows tabs as they are.
                    self.write(file, text)
                path = self.write("config.toml", config + f'[output]\ndirectory = "{self.path}/out"\n')
                cohort("prepare", path, ranks=1 + count % 2)
                if "social" in config and "interactions" not in config:
                    with h5py.File(self.graph()) as graph:
                        users = [text.decode() for text in graph["users/id"][...]]
                        group = graph["social"]
                        rows = numpy.repeat(numpy.arange(len(users)), numpy.diff(group["row_begin"][...]))
                        pairs = zip(rows, group["user"][...], group["weight"][...].tolist())
                        found = {(users[a], users[b]): (weight, None) for a, b, weight in pairs if a < b}
                    wanted = [[*sorted(row[:2], key=lambda text: (len(text), text)), *row[2:]] for row in wanted]
                else:
                    found = interactions(self.graph())
                self.assertEqual(found, {(user, item): (weight, time) for user, item, weight, time in wanted})
        self.assertGreaterEqual(count, 30)


if __name__ == "__main__":
    unittest.main(verbosity=2)
