"""Parquet of every type beside what pyarrow and Python say of it: ids, weights, times, what is missing or wrong, features."""

import json
import os
import subprocess
import textwrap
import unittest

import h5py
import numpy

from features_test import dense_of
from formats_test import interactions
from support import WithDirectory, cohort

ROWS = 60
DAY = 86_400


@unittest.skipIf(not os.environ.get("COHORT_PYARROW"), "the program was built without Arrow C++: Parquet is not tested")
class WithParquet(WithDirectory):
    def arrow(self, code, *arguments, given=None):
        """Runs Python with pyarrow as pa and pq, and what was given as the variable `given`."""
        head = "import decimal, json, math, sys\nimport pyarrow as pa, pyarrow.parquet as pq\ngiven = json.load(sys.stdin)\n"
        done = subprocess.run([os.environ["COHORT_PYARROW"], "-c", head + textwrap.dedent(code), *map(str, arguments)],
                              cwd=self.path, check=True, text=True, input=json.dumps(given), stdout=subprocess.PIPE)
        return json.loads(done.stdout) if done.stdout else None

    def prepare(self, input_section, ranks=1, check=True, rest="", more=()):
        config = self.write("config.toml", f"[input]\n{input_section}\n[output]\ndirectory = \"{self.path}/out\"\n{rest}")
        return cohort("prepare", config, *more, ranks=ranks, check=check)

    def graph(self):
        return self.path / "out" / "graph.h5"


class Columns(WithParquet):
    def test_ids_of_every_type(self):
        # Every id once, beside a plain one.
        types = self.arrow("""
            import uuid
            D, big = decimal.Decimal, 10**18
            uuids = [uuid.UUID(int=0x4000_8000_0000_0000_0000 + 7**40 * i) for i in range(60)]
            columns = {
                "uuid": (pa.array([u.bytes for u in uuids], pa.binary(16)), lambda v: str(uuid.UUID(bytes=v))),
                "fixed": (pa.array([f"A{i:015}".encode() for i in range(60)], pa.binary(16)), bytes.decode),
                "int8": (pa.array(range(-30, 30), pa.int8()), str),
                "int32": (pa.array([7 * i - 100 for i in range(60)], pa.int32()), str),
                "int64": (pa.array([big - 30 + i for i in range(60)], pa.int64()), str),
                "uint64": (pa.array([2**64 - 60 + i for i in range(60)], pa.uint64()), str),
                "mixed": (pa.array([2**63 - 30 + i for i in range(60)], pa.uint64()), str),
                "zeros": (pa.array([f"{i:05}" for i in range(60)]), str),
                "blanks": (pa.array([f" {i} é" for i in range(60)], pa.large_string()), str),
                "coded": (pa.array([f'q"{i},\\n' for i in range(60)]).dictionary_encode(), str),
                "bytes": (pa.array([f"b{i}".encode() for i in range(60)], pa.binary()), bytes.decode),
                "real": (pa.array([i / 4 for i in range(60)]), repr),
                "decimal": (pa.array([D(10**20 + i) for i in range(60)], pa.decimal128(30, 0)), str),
                "cents": (pa.array([D(i) / 4 for i in range(60)], pa.decimal128(6, 2)), lambda v: f"{v:.2f}"),
                "date": (pa.array([20_000 + i for i in range(60)], pa.int32()).cast(pa.date32()), str),
            }
            for name, (column, _) in columns.items():
                table = pa.table({"item_id": [f"i{i % 7}" for i in range(60)], "user_id": column})
                pq.write_table(table, name + ".parquet", row_group_size=25)
                pq.write_table(table, name + "_plain.parquet", row_group_size=25, use_dictionary=False)
            print(json.dumps({name: [text(v) for v in column.to_pylist()] for name, (column, text) in columns.items()}))
            """)
        for number, (name, ids) in enumerate(types.items()):
            way = ("", "_plain")[number % 2]
            with self.subTest(name=name + way):
                self.prepare(f'interactions = "{self.path}/{name}{way}.parquet"', ranks=1 + number % 3)
                wanted = {(user, f"i{i % 7}"): (1, None) for i, user in enumerate(ids)}
                self.assertEqual(interactions(self.graph()), wanted)

    def test_weights_of_every_type(self):
        found = self.arrow("""
            D = decimal.Decimal
            values = [0.1, 2.5, 3, 1e-3, 16777216, 123456.789] * 10
            columns = {
                "double": pa.array(values), "float": pa.array(values, pa.float32()),
                "int64": pa.array([2**40 + i for i in range(60)]), "uint8": pa.array(range(60), pa.uint8()),
                "uint64": pa.array([2**64 - 1 - 2**41 * i for i in range(60)], pa.uint64()),
                "decimal": pa.array([D(str(v)) for v in values], pa.decimal128(12, 3)),
                "long": pa.array([D(10**25 + i) for i in range(60)], pa.decimal128(38, 9)),
                "text": pa.array([repr(v) for v in values]), "coded": pa.array([repr(v) for v in values]).dictionary_encode(),
                "bool": pa.array([i % 3 == 0 for i in range(60)]),
            }
            for name, column in columns.items():
                users, items = [f"u{i}" for i in range(60)], [i % 7 for i in range(60)]
                pq.write_table(pa.table({"user": users, "item": items, "weight": column}), name + ".parquet",
                               row_group_size=17)
            print(json.dumps({name: [float(v) for v in column.to_pylist()] for name, column in columns.items()}))
            """)
        for number, (name, values) in enumerate(found.items()):
            with self.subTest(name=name):
                self.prepare(f'interactions = "{self.path}/{name}.parquet"', ranks=1 + number % 3)
                wanted = {(f"u{i}", str(i % 7)): (float(numpy.float32(value)), None) for i, value in enumerate(values)}
                self.assertEqual(interactions(self.graph()), wanted)

    def test_times_of_every_type(self):
        seconds = [-DAY * 400 - 1, 0, 1_333_476_009, 1_700_000_000] + [1_400_000_000 + 86_413 * i for i in range(56)]
        self.arrow("""
            later = [s for s in given if s > 10**9]
            def moments(unit, parts, left, zone=None):
                return pa.array([s * parts + left for s in given], pa.int64()).cast(pa.timestamp(unit, tz=zone))
            columns = {
                "second": moments("s", 1, 0), "milli": moments("ms", 1000, 117, "UTC"), "micro": moments("us", 10**6, 250_001),
                "nano": moments("ns", 10**9, 999_999_999, "Europe/Berlin"),
                "day": pa.array([s // 86_400 for s in given], pa.int32()).cast(pa.date32()),
                "date64": pa.array([s // 86_400 * 86_400_000 for s in given], pa.int64()).cast(pa.date64()),
                "number": pa.array(later), "small": pa.array(later, pa.int32()), "thousands": pa.array([1000 * s + 5 for s in later]),
                "real": pa.array([s + 0.5 for s in later]),
            }
            columns["text"] = pa.array([v.isoformat() for v in columns["second"].to_pylist()])
            columns["coded"] = columns["text"].dictionary_encode()
            for name, column in columns.items():
                table = pa.table({"user": list(range(len(column))), "item": ["a"] * len(column), "time": column})
                pq.write_table(table, name + ".parquet", row_group_size=17)
            """, given=seconds)
        later = [second for second in seconds if second > 10**9]
        days = [float(second // DAY * DAY) for second in seconds]
        for number, (name, wanted) in enumerate({
                "second": seconds, "milli": [s + 0.117 for s in seconds], "micro": [s + 0.250001 for s in seconds],
                "nano": [s + 0.999999999 for s in seconds], "day": days, "date64": days, "number": later, "small": later,
                "thousands": [s + 0.005 for s in later], "real": [s + 0.5 for s in later], "text": seconds,
                "coded": seconds}.items()):
            with self.subTest(name=name):
                self.prepare(f'interactions = "{self.path}/{name}.parquet"', ranks=1 + number % 3)
                found = interactions(self.graph())
                for user, time in enumerate(wanted):
                    self.assertAlmostEqual(found[str(user), "a"][1], time, places=6)
        # To the last bit as the same times in text.
        for name, unit in (("milli", "ms"), ("micro", "us"), ("nano", "ns")):
            self.prepare(f'interactions = "{self.path}/{name}.parquet"')
            stored = interactions(self.graph())
            left = {"ms": 117, "us": 250_001, "ns": 999_999_999}[unit]
            parts = {"ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
            text = "".join(f"{user},a,{numpy.datetime64(second * parts + left, unit)}Z\n" for user, second in enumerate(seconds))
            self.write("times.csv", "user,item,time\n" + text)
            self.prepare(f'interactions = "{self.path}/times.csv"')
            self.assertEqual(interactions(self.graph()), stored)

    def test_events_splits_and_columns_of_one_name(self):
        self.arrow("""
            events = [["view", "buy", "look"][i % 3] for i in range(60)]
            part = [["train", "test"][i % 5 == 0] for i in range(60)]
            coded = pa.array(events).dictionary_encode()
            columns = {
                "texts": (pa.array(events), pa.array(part)), "coded": (coded, pa.array([p == "test" for p in part])),
                "numbers": (pa.array([i % 3 for i in range(60)], pa.int16()), pa.array([int(p == "test") for p in part])),
            }
            for name, (event, split) in columns.items():
                table = pa.Table.from_arrays([pa.array(["no"] * 60), pa.array([i % 6 for i in range(60)]),
                                              pa.array([i // 6 for i in range(60)]), event, split],
                                             ["item", "user", "item", "event", "part"])
                pq.write_table(table, name + ".parquet", row_group_size=13)
            """)
        for number, (name, events) in enumerate({"texts": "view = 1, buy = 5, look = 0", "coded": "view = 1, buy = 5, look = 0",
                                                 "numbers": "0 = 1, 1 = 5, 2 = 0"}.items()):
            self.prepare(f'interactions = "{self.path}/{name}.parquet"\n'
                         'columns = {user = 1, item = 2, event = "event", split = "part"}', ranks=1 + number % 3,
                         rest=f'[graph]\nweight = "raw"\nevent_weights = {{{events}}}')
            for group, held_out in (("interactions", False), ("holdout", True)):
                wanted = {(str(i % 6), str(i // 6)): [1, 5][i % 3] for i in range(60) if i % 3 < 2 and (i % 5 == 0) == held_out}
                self.assertEqual({pair: value[0] for pair, value in interactions(self.graph(), group).items()}, wanted)

    def test_what_is_missing_or_wrong_is_said_with_its_row(self):
        self.arrow("""
            def write(name, **changed):
                columns = {"user": pa.array(range(60)), "item": pa.array([f"i{i % 9}" for i in range(60)]),
                           "weight": pa.array([1.0 + i for i in range(60)]), "time": pa.array([1_500_000_000 + i for i in range(60)])}
                for column, (row, value) in changed.items():
                    values = columns[column].to_pylist()
                    values[row] = value
                    kind = pa.binary() if isinstance(value, bytes) else columns[column].type
                    columns[column] = pa.array([v.encode() if kind == pa.binary() and isinstance(v, str) else v for v in values], kind)
                pq.write_table(pa.table(columns), name + ".parquet", row_group_size=16)
                pq.write_table(pa.table(columns), name + "_plain.parquet", row_group_size=16, use_dictionary=False)
            write("user", user=(40, None)); write("item", item=(41, None)); write("blank", item=(42, "  "))
            write("weight", weight=(43, None)); write("negative", weight=(44, -1.0)); write("nan", weight=(45, math.nan))
            write("huge", weight=(46, 1e300)); write("tiny", weight=(47, 1e-60)); write("nul", item=(48, "a\\0b"))
            write("long", item=(49, "x" * 1025)); write("bytes", item=(50, b"\\xff\\xfe")); write("time", time=(51, None))
            """)
        incomplete = {"user": "user is empty", "item": "item is empty", "blank": "item is empty", "weight": "weight",
                      "negative": "is negative", "nan": "weight"}
        others = {"huge": "not finite", "tiny": "too small", "nul": "NUL", "long": "1,025 bytes", "bytes": "not UTF-8",
                  "time": "time"}
        for number, (name, words) in enumerate((incomplete | others).items()):
            way = ("", "_plain")[number % 2]
            with self.subTest(name=name + way):
                source = f'interactions = "{self.path}/{name}{way}.parquet"'
                needs_times = '[graph]\nweight = "raw"\nhalf_life = 9\n'
                done = self.prepare(source, ranks=1 + number % 3, check=False, rest=needs_times)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn(f"{name}{way}.parquet:{41 + number}: ", done.stderr)
                self.assertIn(words, done.stderr)
                self.assertIn("1 of 60 lines", done.stderr)
                done = self.prepare(source, ranks=2, check=False, rest=needs_times + '[clean]\nincomplete = "drop"\n')
                self.assertEqual(done.returncode, 0 if name in incomplete else 2, done.stderr)
                if name in incomplete:
                    self.assertEqual(len(interactions(self.graph())), 59)
        done = self.prepare(f'interactions = "{self.path}/time.parquet"', ranks=2)
        self.assertIn("1 time cannot be read", done.stderr)


class Tables(WithParquet):
    def prepare_with_items(self):
        self.write("log.csv", "user,item\n" + "".join(f"u{n % 4},{n % 3}\n" for n in range(12)))
        return self.prepare('interactions = "log.csv"\nitem_attributes = "items.parquet"', ranks=3, check=False, more=("--dry-run",))

    def index(self, name):
        """Items 0 to 2, whose ids are the index of a table in pandas, which is written behind a column that looks alike."""
        self.arrow("""
            names = [given]
            table = pa.table({"shelf": [2, 0, 1], given: ["0", "1", "2"]})
            pq.write_table(table.replace_schema_metadata({"pandas": json.dumps({"index_columns": names})}), "items.parquet")
        """, given=name)

    def test_an_index_behind_the_columns_is_not_taken_for_less_than_ids(self):
        self.index("movie")
        done = self.prepare_with_items()
        self.assertEqual(done.returncode, 2)
        for words in ("items.parquet", '"movie"', '"shelf"', "reset_index"):
            self.assertIn(words, done.stderr)
        # One that has no name counts rows, and the ids stand first.
        self.index("__index_level_0__")
        self.assertEqual(self.prepare_with_items().returncode, 0)


class Features(WithParquet):
    def setUp(self):
        super().setUp()
        self.write("edges.txt", "".join(f"u{i} u{(i * 7 + 1) % ROWS}\n" for i in range(ROWS)))

    def features(self, *files, ranks=1, check=True):
        paths = [str(self.path / file) for file in files]
        return self.prepare(f'social = "{self.path}/edges.txt"\nuser_features = {json.dumps(paths)}', ranks=ranks, check=check)

    def test_numbers_and_lists_of_them(self):
        made = self.arrow("""
            import random
            draw = random.Random(4)
            order = list(range(60)); draw.shuffle(order)
            ids = [f"u{i}" for i in order] + ["stranger"]
            n = len(ids)
            real = lambda: [[round(draw.gauss(0, 1), 6) for _ in range(8)] for _ in range(n)]
            whole = [[draw.randrange(-5, 5) for _ in range(3)] for _ in range(n)]
            tables = {
                "list": ({"id": ids, "emb": pa.array(real(), pa.list_(pa.float32()))}, {"row_group_size": 7}),
                "fixed": ({"id": ids, "emb": pa.array(real(), pa.list_(pa.float64(), 8))}, {"row_group_size": 25}),
                "large": ({"id": pa.array(ids).dictionary_encode(), "emb": pa.array(whole, pa.large_list(pa.int16()))}, {}),
                "numbers": ({"id": ids, "a": pa.array([r[0] for r in whole], pa.int8()), "b": [r[1] / 4 for r in whole],
                             "c": [r[2] > 0 for r in whole], "d": pa.array([r[0] + 5 for r in whole], pa.uint64())},
                            {"row_group_size": 11, "use_dictionary": False}),
                "both": ({"id": ids, "age": [r[0] for r in whole], "emb": pa.array(real(), pa.list_(pa.float32()))}, {}),
                "index": ({"a": [r[0] for r in whole], "b": [r[1] for r in whole], "user": ids}, {}),
            }
            result = {}
            for name, (columns, options) in tables.items():
                table = pa.table(columns)
                if name == "index":
                    table = table.replace_schema_metadata({"pandas": json.dumps({"index_columns": ["user"]})})
                pq.write_table(table, name + ".parquet", **options)
                key = "user" if name == "index" else "id"
                values = [c.to_pylist() for name, c in zip(table.column_names, table.columns) if name != key]
                result[name] = {ids[row]: [float(v) for column in values
                                           for v in (column[row] if isinstance(column[row], list) else [column[row]])]
                                for row in range(n)}
            print(json.dumps(result))
            """)
        files = [name + ".parquet" for name in made]
        for ranks in (1, 3):
            self.features(*files, ranks=ranks)
            with h5py.File(self.graph()) as graph:
                ids = [text.decode() for text in graph["users/id"][...]]
                forms = [list(graph[f"features/user/{number}/form"][...]) for number in range(len(files))]
            for number, (name, rows) in enumerate(made.items()):
                wanted = numpy.array([rows[user] for user in ids], dtype="f4")
                numpy.testing.assert_array_equal(dense_of(self.graph(), number=number), wanted, err_msg=name)
            # Lists of numbers are scaled as arrays are, columns as tables.
            self.assertEqual(len({tuple(form[1:]) for form in (forms[0], forms[1], forms[2])}), 1)
            self.assertEqual(len({tuple(form[1:]) for form in (forms[3], forms[4], forms[5])}), 1)
            self.assertNotEqual(forms[0][1:], forms[3][1:])

    def test_a_table_in_parquet_is_that_in_csv(self):
        self.arrow("""
            columns = {"id": [f"u{i}" for i in range(0, 60, 2)], "a": [i / 8 for i in range(30)], "b": [i % 3 for i in range(30)]}
            pq.write_table(pa.table(columns), "t.parquet", row_group_size=4)
            with open("t.csv", "w") as file:
                file.write("id,a,b\\n" + "".join(f"{a},{b},{c}\\n" for a, b, c in zip(*columns.values())))
            """)
        found = []
        for file, ranks in (("t.csv", 1), ("t.parquet", 1), ("t.parquet", 3)):
            self.features(file, ranks=ranks)
            with h5py.File(self.graph()) as graph:
                found.append({name: graph["features/user/0"][name][...].tolist() for name in graph["features/user/0"]})
        self.assertEqual(found[0], found[1])
        self.assertEqual(found[0], found[2])

    def test_what_is_refused(self):
        self.arrow("""
            ids = [f"u{i}" for i in range(60)]
            def write(file, pandas=None, **columns):
                table = pa.table({"id": ids} | columns)
                if pandas: table = table.replace_schema_metadata({"pandas": json.dumps({"index_columns": pandas})})
                pq.write_table(table, file + ".parquet", row_group_size=16)
            def with_row(values, row, value): return values[:row] + [value] + values[row + 1:]
            lists = [[1.0, 2.0]] * 60
            f = pa.list_(pa.float32())
            write("ragged", emb=pa.array(with_row(lists, 40, [1.0]), f))
            write("longer", emb=pa.array(with_row(lists, 40, [1.0, 2.0, 3.0]), f))
            write("null_list", emb=pa.array(with_row(lists, 40, None), f))
            write("null_fixed", emb=pa.array(with_row(lists, 40, None), pa.list_(pa.float32(), 2)))
            write("null_value", emb=pa.array(with_row(lists, 40, [1.0, None]), f))
            write("null", a=with_row([1.0] * 60, 40, None))
            write("nan", a=with_row([1.0] * 60, 40, math.nan))
            write("infinite", emb=pa.array(with_row(lists, 40, [math.inf, 1.0]), f))
            write("huge", a=with_row([1.0] * 60, 40, 1e300))
            write("null_id", id=with_row(ids, 40, None), a=[1.0] * 60)
            write("twice", id=with_row(ids, 40, "u3"), a=[1.0] * 60)
            write("strange", id=["x" + i for i in ids], a=[1.0] * 60)
            write("text", name=["Ann"] * 60)
            write("texts", names=[["Ann"]] * 60)
            write("nested", deep=[[[1.0]]] * 60)
            write("when", at=pa.array([1] * 60).cast(pa.timestamp("s")))
            write("alone")
            write("empty", id=pa.array([], pa.string()), a=pa.array([], pa.float64()))
            write("lists_first", id=lists, a=ids)
            write("rows", ["__index_level_0__"], a=[1.0] * 60, **{"__index_level_0__": list(range(60))})
            """)
        with open(self.path / "ragged.parquet", "rb") as file:
            self.write("cut.parquet", file.read()[:-30])
        for number, (name, words) in enumerate({
                "ragged": 'row 41, column "emb" is a list of 1 ', "longer": 'row 41, column "emb" is a list of 3 ',
                "null_list": 'row 41, column "emb" has no value', "null_fixed": 'row 41, column "emb" has no value',
                "null_value": 'row 41, column "emb"[1] has no value', "null": 'row 41, column "a" has no value',
                "nan": 'row 41, column "a" is not a number', "infinite": 'row 41, column "emb"[0] is infinite',
                "huge": 'row 41, column "a" is beyond', "null_id": 'row 41, column "id", the ids, has no value',
                "twice": '"u3" more than once', "strange": "none of its 60 ids", "text": 'column "name" is of type string',
                "texts": 'column "names" is of type list', "nested": 'column "deep" is of type list',
                "when": 'column "at" is of type timestamp', "alone": "ids alone", "empty": "no rows",
                "lists_first": 'column "id", the first, holds lists', "rows": "index=False", "cut": "is it whole?"}.items()):
            with self.subTest(name=name):
                done = self.features(name + ".parquet", ranks=1 + number % 3, check=False)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn(str(self.path / name) + ".parquet: ", done.stderr)
                self.assertEqual(done.stderr.count(words), 1, done.stderr)
                self.assertFalse(self.graph().exists())


if __name__ == "__main__":
    unittest.main(verbosity=2)
