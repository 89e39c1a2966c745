"""Generated files of all layouts and quirks, read by `cohort prepare` at 1 and 3 ranks: users, items, weights and times
in graph.h5 against what Python's csv module and pandas read of the same bytes, and against what was meant."""

import collections
import csv
import gzip
import io
import json
import random
import unittest

import h5py
import numpy

from support import WithDirectory, cohort

try:
    import pandas
except ImportError:
    pandas = None

WEIGHTS = ["1", "2", "5.0", ".5", "+3", "1e1", "2.5E+0", "007", "0.25", "4294967296", "0"]
TIMES = ["0", "5", "-7.5", "+12", "1e9", "1700000000", "1700000000.25", "99999999999"]


class Layout:
    """How one file list is written; everything is drawn from the seed."""

    def __init__(self, seed):
        draw = random.Random(seed)
        self.draw = draw
        self.format = ["csv", "tsv", "ml", "ssv", "inter", "csv"][seed % 6]
        self.header = self.format == "inter" or draw.random() < .5
        self.with_weight = draw.random() < .8
        self.with_time = self.with_weight and draw.random() < .7
        self.extra = self.header and draw.random() < .5  # a column that is not used
        self.shuffled = self.header and draw.random() < .6
        self.quoting = draw.choice(["minimal", "all", "some"])
        self.line_end = draw.choice(["\n", "\n", "\r\n", "\r"])
        self.blanks = draw.random() < .5
        self.blank_lines = draw.random() < .4
        self.gzip = draw.random() < .4
        self.parts = draw.choice([1, 1, 2, 3])
        self.mark = draw.random() < .3
        self.last_end = draw.random() < .7

    def id_of(self, kind):
        draw = self.draw
        words = ["", "é", "日本", "-", ".", "x y", "'", "#", "|", ";"]
        if self.format == "ssv":
            words = ["", "é", "日本", "-", ".", "'", "#", ",", "\""]
        if self.format == "csv":
            words += [",", ",,", "\"", "\"\"", " \"q\" ", "\t|", "::", "a\nb", "a" + self.line_end + "b"]
            if self.line_end == "\r":
                words = [word for word in words if "\r" not in word and "\n" not in word]
        elif self.format in ("tsv", "inter"):
            words += [",", "\"", "\"x", "a\"\"", "::"]
        elif self.format == "ml":
            words += [",", "\"", ":x"]
        number = str(draw.randrange(40))
        if draw.random() < .4:
            return number
        return kind + draw.choice(words) + number

    def rows(self):
        found = []
        for _ in range(self.draw.randrange(60, 160)):
            row = {"user": self.id_of("u"), "item": self.id_of("i")}
            if self.with_weight:
                row["weight"] = self.draw.choice(WEIGHTS)
            if self.with_time:
                row["time"] = self.draw.choice(TIMES)
            if self.extra:
                row["note"] = self.draw.choice(["", "words", "é", "7"]) if self.format == "csv" else "words"
            found.append(row)
        return found

    def field(self, text):
        if self.format == "csv":
            must = any(c in text for c in ",\r\n") or text.startswith('"')
            if must or self.quoting == "all" or (self.quoting == "some" and self.draw.random() < .5):
                text = '"' + text.replace('"', '""') + '"'
        if self.blanks and self.format not in ("ssv", "inter"):
            text = self.draw.choice(["", " ", "  "]) + text + self.draw.choice(["", "", " "])
        return text

    def written(self, rows):
        separator = {"csv": ",", "ml": "::", "ssv": " "}.get(self.format, "\t")
        columns = list(rows[0])
        if self.shuffled:
            self.draw.shuffle(columns)
        types = {"user": "token", "item": "token", "note": "token_seq"} if self.format == "inter" else {}
        lines = []
        if self.header:
            names = {"user": "user_id", "item": "item_id", "weight": "rating", "time": "timestamp", "note": "note"}
            suffix = (lambda c: ":" + types.get(c, "float")) if self.format == "inter" else lambda c: ""
            lines.append(separator.join(names[c] + suffix(c) for c in columns))
        for row in rows:
            lines.append(separator.join(self.field(row[c]) for c in columns))
            if self.blank_lines and self.draw.random() < .05:
                lines.append(self.draw.choice(["", "  "]))
        text = self.line_end.join(lines) + (self.line_end if self.last_end else "")
        return columns, text


def by_csv_module(layout, columns, text):
    """The fields of every record, blanks around them taken off."""
    stream = io.StringIO(text, newline="")
    if layout.format == "csv":
        found = csv.reader(stream, skipinitialspace=True)
    elif layout.format in ("tsv", "inter"):
        found = csv.reader(stream, delimiter="\t", quoting=csv.QUOTE_NONE)
    else:
        found = (line.split("::" if layout.format == "ml" else None) for line in stream)
    found = [[field.strip(" \r\n") for field in row] for row in found]
    found = [row for row in found if any(row)]
    return [dict(zip(columns, row)) for row in found[1 if layout.header else 0:]]


def by_pandas(layout, columns, text):
    if layout.format in ("ml", "ssv"):
        return None  # the C parser knows neither
    options = {} if layout.format == "csv" else {"quoting": csv.QUOTE_NONE}
    if layout.line_end == "\r":
        options["lineterminator"] = "\r"  # without it pandas gives up on some such files ("Buffer overflow caught")
    table = pandas.read_csv(io.BytesIO(text.encode()), sep="," if layout.format == "csv" else "\t", dtype=str,
                            header=None, names=columns, skiprows=1 if layout.header else 0, keep_default_na=False,
                            skipinitialspace=True, **options)
    return [{name: value.strip(" ") for name, value in row.items()} for row in table.to_dict("records")]


def merged(rows):
    """(user, item) -> weight, time, as docs/user-guide.md says: weights summed in order of value, the latest time."""
    groups = collections.defaultdict(list)
    for row in rows:
        groups[row["user"], row["item"]].append((numpy.float32(float(row.get("weight", 1))), float(row.get("time", 0))))
    result = {}
    for pair, values in groups.items():
        total = 0.0
        for weight in sorted(float(weight) for weight, _ in values):
            total += weight
        result[pair] = (numpy.float32(total), max(time for _, time in values))
    return result


def read_graph(path):
    with h5py.File(path) as file:
        users = [text.decode() for text in file["users/id"][...]]
        items = [text.decode() for text in file["items/id"][...]]
        group = file["interactions"]
        rows = numpy.repeat(numpy.arange(len(users)), numpy.diff(group["row_begin"][...]))
        times = group["time"][...] if "time" in group else numpy.zeros(len(rows))
        found = {(users[row], items[item]): (weight, time) for row, item, weight, time
                 in zip(rows, group["item"][...], group["weight"][...], times)}
    return users, items, found


def in_order(ids):
    return sorted(ids, key=lambda text: (len(text.encode()), text.encode()))


class Records(WithDirectory):
    def test_read_as_csv_and_pandas_read_them(self):
        for seed in range(24):
            layout = Layout(seed)
            rows, paths, wanted = layout.rows(), [], []
            for part in range(layout.parts):
                columns, text = layout.written(rows[part::layout.parts])
                peer = by_csv_module(layout, columns, text)
                self.assertEqual(peer, [{c: row[c] for c in columns} for row in rows[part::layout.parts]],
                                 f"the generator and the csv module differ, seed {seed}")
                wanted += peer
                content = (b"\xef\xbb\xbf" if layout.mark else b"") + text.encode()
                name = f"{seed}-{part}." + {"ml": "dat", "ssv": "txt"}.get(layout.format, layout.format)
                paths.append(self.write(name + (".gz" if layout.gzip else ""),
                                        gzip.compress(content) if layout.gzip else content))
            settings = f"[input]\ninteractions = {json.dumps([str(path) for path in paths])}\n"
            if layout.format == "ssv" and not layout.header:
                settings += 'format = "ssv"\n'
            config = self.write("config.toml", settings + f'[output]\ndirectory = "{self.path}/out"\n')
            expected = merged(wanted)
            for ranks in (1, 3):
                with self.subTest(seed=seed, ranks=ranks, layout={k: v for k, v in vars(layout).items() if k != "draw"}):
                    cohort("prepare", config, ranks=ranks)
                    users, items, found = read_graph(self.path / "out" / "graph.h5")
                    self.assertEqual(users, in_order({user for user, _ in expected}))
                    self.assertEqual(items, in_order({item for _, item in expected}))
                    self.assertEqual(found, expected)

    @unittest.skipIf(pandas is None, "pandas is not installed (Debian: python3-pandas): read_csv is not compared")
    def test_pandas_reads_what_the_csv_module_reads(self):
        compared = 0
        for seed in range(200):
            layout = Layout(seed)
            columns, text = layout.written(layout.rows())
            table = by_pandas(layout, columns, text)
            if table is not None:
                self.assertEqual(table, by_csv_module(layout, columns, text), f"seed {seed}")
                compared += 1
        self.assertGreater(compared, 100)

    def test_what_is_written_reads_back(self):
        """Ids that need quotes or escapes go through every text that the program writes, and back."""
        users = ["a,b", "say \"x\"", "two\nlines", "tab\there", " blanks ", "end\t", "\ufeffmark", "bell\x07", "\x1b[31m", "é",
                 "日本\r\nend", "\x7f"]
        items = ["i,1", " i", "\"i\"", "i\n2", "i\t3", "é\x01", "plain"]
        stream = io.StringIO(newline="")
        writer = csv.writer(stream, quoting=csv.QUOTE_ALL)
        writer.writerow(["user", "item"])
        pairs = [(user, item) for u, user in enumerate(users) for i, item in enumerate(items) if (u + i) % 3]
        writer.writerows(pairs)
        path = self.write("pairs.csv", stream.getvalue().encode())
        config = self.write("config.toml", f"""
[input]
interactions = "{path}"
[model]
dim = 4
[train]
epochs = 1
[segment]
count = 2
[output]
directory = "{self.path}/out"
""")
        cohort("run", config, ranks=2)
        result = self.path / "out" / "segments.h5"
        with h5py.File(result) as file:
            self.assertEqual(list(file["users/id"].asstr()[...]), in_order(users))
            segment = dict(zip(in_order(users), map(int, file["users/segment"][...])))
        exported = self.path / "users.csv"
        cohort("export", result, "--output", exported)
        rows = list(csv.reader(io.StringIO(exported.read_bytes().decode(), newline="")))
        self.assertEqual({row[0]: int(row[1]) for row in rows[1:]}, segment)
        lines = cohort("export", result, "--format", "jsonl").stdout.splitlines()
        self.assertEqual({json.loads(line)["id"]: json.loads(line)["segment"] for line in lines}, segment)
        # As classes, as they were written: every user agrees with its own segment.
        measures = json.loads(cohort("evaluate", "--result", result, "--truth", exported, "--json", ranks=2).stdout)
        self.assertEqual((measures["ari"], measures["labelled_users"]), (1.0, len(users)))
        # And as Python's csv writes them, which has no quotes for what readers take away: blanks at the ends, a mark.
        stream = io.StringIO(newline="")
        kept = [[row[0], row[1]] for row in rows[1:] if row[0] == row[0].strip(" \t\ufeff")]
        csv.writer(stream).writerows([["user", "segment"], *kept])
        truth = self.write("truth.csv", stream.getvalue().encode())
        measures = json.loads(cohort("evaluate", "--result", result, "--truth", truth, "--json", ranks=2).stdout)
        self.assertEqual((measures["ari"], measures["labelled_users"]), (1.0, len(kept)))
        # As interactions: the same users know all their items.
        answers = [json.loads(line) for line in
                   cohort("assign", "--result", result, "--interactions", path, ranks=2).stdout.splitlines()]
        self.assertEqual({answer["user"]: answer["known"] for answer in answers},
                         dict(collections.Counter(user for user, _ in pairs)))
        text = self.path / "answers.csv"
        cohort("assign", "--result", result, "--interactions", path, "--csv", "--output", text)
        self.assertEqual({row["user"] for row in csv.DictReader(io.StringIO(text.read_bytes().decode(), newline=""))}, set(users))
        # The lists of recommendations name the same users and items.
        lists = self.path / "lists.csv"
        cohort("recommend", config, "--strategy", "global", "--csv", lists)
        rows = list(csv.DictReader(io.StringIO(lists.read_bytes().decode(), newline="")))
        self.assertEqual({row["user"] for row in rows} - {""}, set(users))
        self.assertEqual({row["item"] for row in rows}, set(items))
        # A table for a person keeps to its lines, whatever the ids are.
        table = cohort("profile", config).stdout
        self.assertEqual([c for c in table if c not in "\n\ufeff" and not c.isprintable()], [])
        self.assertIn("\\", table)


if __name__ == "__main__":
    unittest.main()
