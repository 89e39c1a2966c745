"""`cohort init`: the configurations that it writes for files of many layouts, taken unchanged by the other commands, with
counts beside Python's own readers; and what it refuses."""

import collections
import csv
import gzip
import io
import json
import os
import random
import subprocess
import tomllib
import unittest

from support import WithDirectory, cohort


def clicks(count=900):
    draw = random.Random(3)
    return [(f"v{draw.randrange(60)}", f"i{draw.randrange(40)}", draw.choice(["view", "view", "addtocart", "transaction"]),
             1_433_221_332_117 + 1000 * draw.randrange(10**6)) for _ in range(count)]


def text_of(rows, names, separator=","):
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator="\n")
    writer.writerows([names] + rows)
    return text.getvalue()


class Init(WithDirectory):
    def init(self, *arguments, ranks=1, check=True):
        return cohort("init", *arguments, ranks=ranks, check=check, cwd=self.path)

    def config(self, name="cohort.toml"):
        return tomllib.loads((self.path / name).read_text())

    def comments(self):
        """What is written, without the breaks in long comments."""
        return (self.path / "cohort.toml").read_text().replace("\n#   ", " ")

    def counts(self, name="cohort.toml", ranks=1):
        done = cohort("prepare", "--dry-run", name, ranks=ranks, cwd=self.path)
        return {key: int(value) for key, value in (line.split() for line in done.stdout.splitlines())}

    def written(self, *logs, **named):
        """The [input] that init writes for the files, and the counts of a dry run with it."""
        self.init(*logs, "--force", **named)
        return self.config()["input"], self.counts()

    def test_a_log_with_friends_and_attributes(self):
        rows = clicks()
        self.write("clicks.csv", text_of(rows, ("visitorid", "itemid", "event", "timestamp")))
        self.write("friends.txt", "".join(f"v{u} v{(u * 7 + 1) % 60}\n" for u in range(60)))
        self.write("items.csv", text_of([(f"i{i}", f"Title {i}", f"g{i % 4}") for i in range(40)], ("itemid", "title", "genre")))
        self.write("members.csv", text_of([(f"v{u}", 20 + u % 50, "fm"[u % 2]) for u in range(60)], ("visitorid", "age", "sex")))
        texts = []
        for ranks in (1, 3):
            self.init("clicks.csv", "friends.txt", "items.csv", "members.csv", "--force", ranks=ranks)
            texts.append((self.path / "cohort.toml").read_text())
        self.assertEqual(texts[0], texts[1])
        said = self.comments()
        config = self.config()
        self.assertEqual(config["input"], {
            "interactions": "clicks.csv", "social": "friends.txt", "item_attributes": "items.csv",
            "user_attributes": "members.csv",
            "columns": {"user": "visitorid", "item": "itemid", "time": "timestamp", "event": "event"}})
        events = collections.Counter(row[2] for row in rows)
        for event, count in events.items():
            self.assertIn(f'"{event}" {count}', said)
        suggested = next(line for line in texts[0].splitlines() if line.startswith("# event_weights"))
        factors = tomllib.loads(suggested[2:])["event_weights"]
        self.assertEqual(set(factors), set(events))
        self.assertLess(factors["view"], factors["addtocart"])
        self.assertLess(factors["addtocart"], factors["transaction"])
        pairs = len({row[:2] for row in rows})
        for words in ("csv, columns by comma", 'e.g. "v', "(milliseconds)", f"900 records: ", f"{pairs} different pairs",
                      "40 of 40 items", "60 of 60 users", "# holdout = 0.1", '# holdout_split = "temporal"'):
            self.assertIn(words, said)
        counts = self.counts(ranks=2)
        self.assertEqual((counts["users"], counts["items"], counts["interactions"]), (60, 40, pairs))
        # What is offered behind a mark can be taken as it stands.
        offered = texts[0].replace("# holdout = ", "holdout = ").replace("# holdout_split", "holdout_split")
        offered = offered.replace("# weight = ", "weight = ").replace("# event_weights", "event_weights")
        self.write("offered.toml", offered.replace("# half_life", "half_life"))
        self.assertGreater(self.counts("offered.toml")["held_out"], 0)

    def test_layouts(self):
        rows = [(u, i, 3 + (u + i) % 3, 978_300_760 + u) for u in range(1, 40) for i in range(u % 7, 60, 7)]
        users, items = 39, len({row[1] for row in rows})
        named = ("user_id", "item_id", "rating", "timestamp")
        plain = text_of(rows, named)
        both = {"user": "user_id", "item": "item_id", "weight": "rating", "time": "timestamp"}
        by_place = {"user": 0, "item": 1, "weight": 2, "time": 3}
        objects = "".join(json.dumps(dict(zip(named, row))) + "\n" for row in rows)
        folder = self.path / "parts"
        folder.mkdir()
        half = plain.splitlines(keepends=True)
        (folder / "a.csv").write_text("".join(half[:100]))
        (folder / "b.csv").write_text("".join(half[100:]))
        (folder / "c.csv").write_text("")
        (folder / "_SUCCESS").write_text("")
        for name, content, columns in (
                ("log.csv.gz", gzip.compress(plain.encode()), both),
                ("log.json", objects, both),
                ("log.tsv", plain.replace(",", "\t"), both),
                ("semicolons.txt", plain.replace(",", ";"), both),
                ("ratings.dat", "".join("::".join(map(str, row)) + "\n" for row in rows), by_place),
                ("u.data", "".join("\t".join(map(str, row)) + "\n" for row in rows), by_place),
                ("a.inter", "user_id:token\titem_id:token\trating:float\ttimestamp:float\n" +
                            "".join("\t".join(map(str, row)) + "\n" for row in rows), both)):
            self.write(name, content)
            found, counts = self.written(name)
            self.assertEqual((found["interactions"], found.get("columns")), (name, columns), name)
            self.assertEqual((counts["users"], counts["items"], counts["interactions"]), (users, items, len(rows)), name)
        for pattern in ("parts", "parts/*.csv"):
            found, counts = self.written(pattern)
            self.assertEqual((found["interactions"], found["columns"], counts["interactions"]), (pattern, both, len(rows)))
        self.write("lists.txt", "".join(f"{u} " + " ".join(str(i) for i in range(3 + u % 9)) + "\n" for u in range(40)))
        found, counts = self.written("lists.txt")
        self.assertEqual((found, counts["interactions"]),
                         ({"interactions": "lists.txt"}, sum(3 + u % 9 for u in range(40))))
        # A configuration in another folder names the files from there.
        (self.path / "configs").mkdir()
        self.init("log.tsv", "--output", "configs/mine.toml")
        self.assertEqual(self.config("configs/mine.toml")["input"]["interactions"], "../log.tsv")
        self.assertEqual(self.counts("configs/mine.toml")["interactions"], len(rows))

    def test_parquet(self):
        python = os.environ.get("COHORT_PYARROW")
        if not python:
            self.skipTest("the program reads no Parquet")
        subprocess.run([python, "-c", "import sys, pyarrow, pyarrow.parquet\n"
                        "rows = [(f'{u:05d}', f'p{i}', float(u % 5)) for u in range(30) for i in range(u % 3, 30, 3)]\n"
                        "columns = list(zip(*rows))\n"
                        "table = pyarrow.table({'customer_id': columns[0], 'sku': columns[1], 'quantity': columns[2]})\n"
                        "pyarrow.parquet.write_table(table, sys.argv[1])", self.path / "orders.parquet"], check=True)
        found, counts = self.written("orders.parquet", ranks=2)
        self.assertEqual(found["columns"], {"user": "customer_id", "item": "sku", "weight": "quantity"})
        self.assertEqual((counts["users"], counts["items"], counts["interactions"]), (30, 30, 300))
        self.assertIn("parquet; ", (self.path / "cohort.toml").read_text())

    def test_what_is_no_interactions(self):
        # MovieLens' folder: tables without headers are told by their names, texts are passed over.
        folder = self.path / "ml"
        folder.mkdir()
        (folder / "ratings.dat").write_text("".join(f"{u}::{i}::4::97830{u:04d}\n" for u in range(1, 50) for i in range(1, 30)))
        (folder / "users.dat").write_text("".join(f"{u}::{'FM'[u % 2]}::{u % 60}::{u % 20}::4806{u}\n" for u in range(1, 50)))
        (folder / "movies.dat").write_text("".join(f"{i}::Movie {i} (1990)::Drama|Comedy\n" for i in range(1, 30)))
        (folder / "README").write_text("SUMMARY\n\nThese files contain ratings.\n")
        found, counts = self.written("ml")
        self.assertEqual((found["interactions"], found["user_attributes"], found["item_attributes"]),
                         ("ml/ratings.dat", "ml/users.dat", "ml/movies.dat"))
        self.assertEqual(counts["interactions"], 49 * 29)
        self.assertIn("# Not used: ", (self.path / "cohort.toml").read_text())
        # Friends alone; two columns of the same names; edges that name their ends.
        self.write("pairs.tsv", "".join(f"ann{u % 9}\tann{(u + 3) % 9}\n" for u in range(40)))
        self.write("edges.csv", "follower,followee\n" + "".join(f"{u},{(u + 1) % 9}\n" for u in range(9)))
        for name in ("pairs.tsv", "edges.csv"):
            found, counts = self.written(name)
            self.assertEqual((found.get("interactions"), found["social"], counts["users"]), (None, name, 9))
        # The same columns of numbers can be anything: interactions.
        self.write("numbers.tsv", "".join(f"{u % 9}\t{(u + 3) % 9}\n" for u in range(40)))
        self.assertEqual(self.written("numbers.tsv")[0]["interactions"], "numbers.tsv")
        # A table that speaks of others is left out, and it is said.
        self.write("log.csv", "user_id,item_id\n" + "".join(f"u{k % 7},i{k % 11}\n" for k in range(77)))
        self.write("other.csv", "item_id,genre\n" + "".join(f"x{k},g\n" for k in range(5)))
        done = self.init("log.csv", "other.csv", "--force")
        self.assertIn("none of its ids", done.stderr)
        self.assertNotIn("item_attributes", self.config()["input"])

    def test_lines_that_cannot_be_read(self):
        lines = [f"u{k % 9},i{k % 14},{1 + k % 3}\n" for k in range(1260)]
        lines[100] = "u1,i1\n"
        lines[200] = ",i3,1\n"
        lines[300] = "u4,i3,-2\n"
        self.write("log.csv", "user,item,quantity\n" + "".join(lines))
        self.init("log.csv")
        config = self.config()
        self.assertEqual(config["clean"], {"incomplete": "drop", "max_bad_lines": 1})
        self.assertIn("log.csv:102: the line has 2 columns", self.comments())
        self.assertEqual(self.counts()["malformed_lines"], 1)
        lines = [line.replace(",1\n", ",x\n") for line in lines]
        self.write("log.csv", "user,item,quantity\n" + "".join(lines))
        for ranks in (1, 3):
            done = self.init("log.csv", "--force", ranks=ranks, check=False)
            self.assertEqual((done.returncode, done.stderr.count("error: ")), (2, 1), done.stderr)
            self.assertIn("log.csv:2: ", done.stderr)
        self.assertEqual(self.config(), config)

    def test_quirks(self):
        rows = [(f"Jos{'e' if k % 9 else chr(233)} {k % 9}", f"i{k % 7}", 1 + k % 3) for k in range(126)]
        names = ("user", "item", "count")
        expected = len({row[:2] for row in rows})
        # What spreadsheets put before the header; a separator at the end of each line; another encoding.
        self.write("excel.csv", ("sep=;\r\n" + text_of(rows, names, ";").replace("\n", "\r\n")).encode("utf-16"))
        found, counts = self.written("excel.csv")
        self.assertEqual((found["columns"], counts["interactions"]),
                         ({"user": "user", "item": "item", "weight": "count"}, expected))
        self.write("ends.tsv", "".join("\t".join(map(str, row)) + "\t\n" for row in rows))
        found, counts = self.written("ends.tsv")
        self.assertEqual((found["columns"], counts["interactions"]), ({"user": 0, "item": 1, "weight": 2}, expected))
        self.write("latin.csv", text_of(rows, names).encode("latin1"))
        done = self.init("latin.csv", "--force", check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("--set input.encoding=latin1", done.stderr)
        self.init("latin.csv", "--force", "--set", "input.encoding=latin1")
        self.assertEqual((self.config()["input"]["encoding"], self.counts()["interactions"]), ("latin1", expected))
        # A configuration names columns, and is UTF-8: it is the file that is spoken of.
        self.write("cyrillic.csv", text_of([(f"u{k % 9}", f"i{k % 7}", 1) for k in range(126)], ("клиент", "товар", "оценка"), ";").encode("cp1251"))
        done = self.init("cyrillic.csv", "--force", check=False)
        self.assertEqual((done.returncode, done.stderr.count("error: cyrillic.csv: in the name")), (2, 1), done.stderr)
        self.init("cyrillic.csv", "--force", "--set", "input.encoding=cp1251")
        self.assertEqual(self.config()["input"]["columns"], {"user": "клиент", "item": "товар"})
        # Those that it does not name may be called as they like.
        self.write("french.csv", text_of([(f"u{k % 9}", f"i{k % 7}", "x") for k in range(126)], ("user_id", "item_id", "prénom")).encode("latin1"))
        self.init("french.csv", "--force")
        self.assertEqual(self.config()["input"]["columns"], {"user": "user_id", "item": "item_id"})

    def test_refused(self):
        self.write("log.csv", "user,item\n" + "".join(f"u{k % 7},i{k % 11}\n" for k in range(77)))
        self.write("one.csv", "user_id,remark\nu1,a\nu1,b\n")
        (self.path / "zip.csv").write_bytes(b"PK\x03\x04" + bytes(50))
        self.write("cohort.toml", "mine")
        for arguments, words in ((("log.csv",), ("cohort.toml is there already", "--force")),
                                 (("none.csv", "--output", "a.toml"), ("none.csv",)),
                                 (("log.csv", "zip.csv", "--output", "a.toml"), ("zip archive",)),
                                 (("log.csv", "--output", "no/where.toml"), ("no/where.toml",)),
                                 (("log.csv", "--output", "."), ("it is a directory",)),
                                 (("log.csv", "--output", "a.toml", "--set", "segment.count=3"), ("segment.count",)),
                                 (("one.csv", "--output", "a.toml"), ("one.csv", "item"))):
            for ranks in (1, 3) if words[0] == "none.csv" else (1,):
                done = self.init(*arguments, ranks=ranks, check=False)
                self.assertEqual((done.returncode, done.stderr.count("error: ")), (2, 1), done.stderr)
                for word in words:
                    self.assertIn(word, done.stderr)
        self.assertEqual((self.path / "cohort.toml").read_text(), "mine")
        self.assertFalse((self.path / "a.toml").exists())
        # What is not told can be said.
        self.init("one.csv", "--output", "a.toml", "--set", 'input.columns={user = "user_id", item = "remark"}')
        self.assertEqual(self.config("a.toml")["input"]["columns"], {"user": "user_id", "item": "remark"})
        self.init("log.csv", "--output", "b.toml", "--set", "input.header=true")
        self.assertEqual(self.config("b.toml")["input"]["header"], True)


if __name__ == "__main__":
    unittest.main()
