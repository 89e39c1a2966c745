"""`cohort init` on layouts that docs/formats.md does not name: the columns that it tells, a configuration that the other
commands take unchanged, what it says where it doubts, and what it refuses."""

import csv
import datetime
import gzip
import hashlib
import io
import json
import random
import tomllib
import unittest

from support import WithDirectory, cohort

DRAW = random.Random(5)
COUNT = 120
USERS = [DRAW.randrange(1, 31) for _ in range(COUNT)]
ITEMS = [DRAW.randrange(1, 21) for _ in range(COUNT)]
STARS = [DRAW.randrange(1, 6) for _ in range(COUNT)]
SECONDS = [DRAW.randrange(1_400_000_000, 1_500_000_000) for _ in range(COUNT)]
DATES = [datetime.datetime.fromtimestamp(second, datetime.timezone.utc) for second in SECONDS]
PAIRS = len(set(zip(USERS, ITEMS)))


def table(names, row_of, separator=",", **dialect):
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator="\n", **dialect)
    if names:
        writer.writerow(names)
    writer.writerows(row_of(user, item, stars, second, date) for user, item, stars, second, date
                     in zip(USERS, ITEMS, STARS, SECONDS, DATES))
    return text.getvalue()


def popular_items_by_user():
    """An item and a user a line, the lines of each user together; some items are in demand, users do about as much."""
    return "".join(f"{i}\t{u}\n" for u in range(40) for i in sorted({int(DRAW.paretovariate(0.7)) for _ in range(9)}))


class Strangers(WithDirectory):
    def init(self, name, content, ranks=1):
        self.write(name, content)
        return cohort("init", name, "--force", ranks=ranks, check=False, cwd=self.path)

    def test_columns_are_told(self):
        moment = "%Y-%m-%d %H:%M:%S"
        for number, (name, content, columns) in enumerate((
                ("transactions.csv", table(("t_dat", "customer_id", "article_id", "price"), lambda u, i, w, t, d:
                                           (d.date(), f"{u:032x}", f"01{i:08}", 0.05)),
                 {"user": "customer_id", "item": "article_id", "time": "t_dat"}),
                ("orders_export.csv", table(("Name", "Email", "Created at", "Lineitem quantity", "Lineitem name", "Lineitem sku"),
                                            lambda u, i, w, t, d: (f"#{t}", f"u{u}@x.org", d.strftime(moment + " +0100"), w,
                                                                   f"Shirt {i}, L", f"SKU-{i}")),
                 {"user": "Email", "item": "Lineitem sku", "weight": "Lineitem quantity", "time": "Created at"}),
                ("ga4.csv", table(("event_date", "event_timestamp", "event_name", "user_pseudo_id", "item_id"),
                                  lambda u, i, w, t, d: (d.strftime("%Y%m%d"), t * 10**6, ["view_item", "purchase"][w % 2],
                                                         f"a{u}.{u}", f"SKU{i}")),
                 {"user": "user_pseudo_id", "item": "item_id", "time": "event_timestamp", "event": "event_name"}),
                ("shop.csv", table(("order_id", "order_date", "billing_email", "product_sku", "product_name", "qty"),
                                   lambda u, i, w, t, d: (t, d.strftime(moment), f"u{u}@x.org", f"S{i}", f"N{i}", w)),
                 {"user": "billing_email", "item": "product_sku", "weight": "qty", "time": "order_date"}),
                ("scanner.csv", table(("upc", "units", "household", "day"), lambda u, i, w, t, d:
                                      (7680850106 + i, w, 125434 + u, t % 700)),
                 {"user": "household", "item": "upc", "weight": "units", "time": "day"}),
                ("snowplow.tsv", table(("collector_tstamp", "domain_userid", "event_name", "page_urlpath"),
                                       lambda u, i, w, t, d: (d.strftime(moment), f"{u:016x}", "page_view", f"/p/{i}"), "\t"),
                 {"user": "domain_userid", "item": "page_urlpath", "time": "collector_tstamp", "event": "event_name"}),
                ("members.csv", table(("Member_number", "Date", "itemDescription"), lambda u, i, w, t, d:
                                      (u, d.strftime("%d-%m-%Y"), f"milk {i}")),
                 {"user": "Member_number", "item": "itemDescription", "time": "Date"}),
                ("long_names.tsv", table(("export_of_2017.user_id", "export_of_2017.item_id", "export_of_2017.kind"),
                                         lambda u, i, w, t, d: (u, i, w), "\t"),
                 {"user": "export_of_2017.user_id", "item": "export_of_2017.item_id"}),
                ("tracks.json", "".join(f'{{"userId": "u{u}", "event": "Viewed", "properties": {{"product_id": "p{i}", "price": 9}}, '
                                        f'"timestamp": "{d:%Y-%m-%dT%H:%M:%SZ}"}}\n' for u, i, d in zip(USERS, ITEMS, DATES)),
                 {"user": "userId", "item": "properties.product_id", "time": "timestamp", "event": "event"}),
                ("ads.csv", table(("user", "time_stamp", "adgroup_id", "pid", "clk"), lambda u, i, w, t, d:
                                  (u, t, i, "430548_1007", w % 2)),
                 {"user": "user", "item": "adgroup_id", "time": "time_stamp"}),
                ("video.csv", table(("user_id", "video_id", "date", "time_ms"), lambda u, i, w, t, d:
                                    (u, i, d.strftime("%Y%m%d"), t * 1000)),
                 {"user": "user_id", "item": "video_id", "time": "time_ms"}),
                ("units.csv", table(("user_id", "item_id", "rating (1-5)", "date [UTC]"), lambda u, i, w, t, d: (u, i, w, d.date())),
                 {"user": "user_id", "item": "item_id", "weight": "rating (1-5)", "time": "date [UTC]"}),
                ("parts.csv", table(("user_id", "item_id", "day", "month", "year"), lambda u, i, w, t, d:
                                    (u, i, d.day, d.month, d.year)), {"user": "user_id", "item": "item_id"}),
                ("mixpanel.json", "".join(f'{{"event": "Played", "properties": {{"time": {t}, "distinct_id": "d{u}", "song_id": "s{i}"}}}}\n'
                                          for u, i, t in zip(USERS, ITEMS, SECONDS)),
                 {"user": "properties.distinct_id", "item": "properties.song_id", "time": "properties.time", "event": "event"}),
                ("kasse.csv", table(("Kundennummer", "Artikelnummer", "Menge", "Datum"), lambda u, i, w, t, d:
                                    (f"K{u}", f"A{i}", f"{w},5", d.strftime("%d.%m.%Y %H:%M")), ";"),
                 {"user": "Kundennummer", "item": "Artikelnummer", "weight": "Menge", "time": "Datum"}),
                ("clickhouse.tsv", "user_id\titem_id\nLowCardinality(String)\tNullable(FixedString(9))\n" +
                 table(None, lambda u, i, w, t, d: (f"u{u}", f"i{i}"), "\t"), {"user": "user_id", "item": "item_id"}),
                ("hive.csv", table(("log.user_id", "log.item_id", "log.rating", "log.ts", "score"), lambda u, i, w, t, d: (u, i, w, t, 1)),
                 {"user": "log.user_id", "item": "log.item_id", "weight": "log.rating", "time": "log.ts"}),
                ("dynamo.json", "".join(f'{{"Item": {{"userId": {{"S": "u{u}"}}, "itemId": {{"S": "i{i}"}}, "rating": {{"N": "{w}"}}}}}}\n'
                                        for u, i, w in zip(USERS, ITEMS, STARS)),
                 {"user": "Item.userId.S", "item": "Item.itemId.S", "weight": "Item.rating.N"}),
                ("changes.json", "".join(f'{{"schema": {{"type": "struct"}}, "payload": {{"after": {{"user_id": {u}, "item_id": {i}}}}}}}\n'
                                         for u, i in zip(USERS, ITEMS)),
                 {"user": "payload.after.user_id", "item": "payload.after.item_id"}),
                ("quoted.tsv", table(("user_id", "item_id", "rating"), lambda u, i, w, t, d:
                                     (f"u{u}", f'the "{i}"\tth', w), "\t", quoting=csv.QUOTE_ALL),
                 {"user": "user_id", "item": "item_id", "weight": "rating"}))):
            with self.subTest(name=name):
                done = self.init(name, content, ranks=1 + number % 2)
                self.assertEqual(done.returncode, 0, done.stderr)
                config = tomllib.loads((self.path / "cohort.toml").read_text())
                self.assertEqual(config["input"]["columns"], columns)
                counts = dict(line.split() for line in
                              cohort("prepare", "--dry-run", "cohort.toml", cwd=self.path).stdout.splitlines())
                self.assertEqual((int(counts["records"]), int(counts["users"]), int(counts["items"]), int(counts["interactions"])),
                                 (COUNT, len(set(USERS)), len(set(ITEMS)), PAIRS))

    def test_doubts_are_said_and_written(self):
        for name, content, words in (
                ("czech.csv", table(("Zakaznik", "Zbozi", "Mnozstvi"), lambda u, i, w, t, d: (f"K{u}", f"A{i}", f"{w},5"), ";"),
                 "none of the header's names"),
                ("soon.csv", table(("user_id", "item_id", "date"), lambda u, i, w, t, d: (u, i, "yesterday")),
                 "times that cannot be read"),
                ("songs.csv", table(("msno", "song_id", "target"), lambda u, i, w, t, d: (f"m{u}", f"s{i}", w % 2)),
                 "says yes or no"),
                ("shop.csv", table(("user_id", "item_id", "purchased"), lambda u, i, w, t, d: (u, i, "TRUE" if w > 1 else "FALSE")),
                 "says yes or no"),
                ("artists.tsv", table(None, lambda u, i, w, t, d: (u, "rock", i, 7 * i, t), "\t"), "has 5 columns and no header"),
                ("half.csv", table(("user_id", "item_id", "event", "value"), lambda u, i, w, t, d:
                                   (u, i, ["view", "buy"][w % 2], w if w % 2 else "")), "is empty in"),
                ("others.csv", table(("user_id", "item_id", "click", "click_count"), lambda u, i, w, t, d: (u, i, 1, i * i)),
                 "is the same in all records of one item"),
                ("bestellt.csv", table(("user_id", "item_id", "bestellt"), lambda u, i, w, t, d: (u, i, d.strftime("%d.%m.%Y %H:%M"))),
                 "holds dates, and is not used"),
                ("excel.csv", "user_id,item_id\n" + "".join(f'="{u:05}",I{i}\n' for u, i in zip(USERS, ITEMS)),
                 "as spreadsheets mark texts"),
                ("unknown.csv", table(("user_id", "item_id"), lambda u, i, w, t, d: (u if w > 1 else -1, i)), "have the user \"-1\""),
                ("crowd.csv", table(("user_id", "item_id"), lambda u, i, w, t, d: (u if w > 2 else 0, i)), "it may stand for everyone"),
                ("digest.csv", table(("user_id", "item_id"), lambda u, i, w, t, d: (u if w > 1 else hashlib.md5(b"").hexdigest(), i)),
                 "which is the MD5 of nothing"),
                ("lists.tsv", table(None, lambda u, i, w, t, d: (u, f"{i} {w}"), "\t"), "looks like lists"),
                ("swapped.tsv", table(None, lambda u, i, w, t, d: (f"item{i}", f"user{u}"), "\t"), "look like an item and a user"),
                ("sorted.tsv", popular_items_by_user(), "if the first column holds items"),
                ("total.csv", table(("user_id", "item_id", "quantity"), lambda u, i, w, t, d: (u, i, w)) + "Total,120,360\n",
                 "as the line of a total has"),
                ("one.csv", table(("user_id", "item_id"), lambda u, i, w, t, d: (u, "shop")), "120 records are of one item")):
            with self.subTest(name=name):
                done = self.init(name, content)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(done.stderr.count(words), 1, done.stderr)
                self.assertEqual((self.path / "cohort.toml").read_text().replace("\n#   ", " ").count(words), 1)

    def test_folders_named_as_columns_are_spoken_of(self):
        for event in ("view", "buy"):
            folder = self.path / f"log/event={event}/part=0"
            folder.mkdir(parents=True)
            (folder / "a.csv").write_text(table(("user_id", "item_id"), lambda u, i, w, t, d: (u, f"{event}{i}")))
        done = cohort("init", "log", check=False, cwd=self.path)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr.count('folders such as "event=buy"'), 1, done.stderr)
        self.assertNotIn("part=0\"", done.stderr)

    def test_files_that_may_hold_the_same_are_spoken_of(self):
        content = table(("user_id", "item_id"), lambda u, i, w, t, d: (u, i))
        folder = self.path / "log/day=1"
        folder.mkdir(parents=True)
        for number in range(2):
            (folder / f"part-{number}.csv").write_text(content + f"x,y{number}\n")
        self.assertNotIn("warning", cohort("init", "log", cwd=self.path).stderr)
        (folder / "part-1.csv.gz").write_bytes(gzip.compress((folder / "part-1.csv").read_bytes()))
        (self.path / "log/_delta_log").mkdir()
        (self.path / "log/_delta_log/00000000000000000000.json").write_text('{"remove": {"path": "day=1/part-0.csv"}}\n')
        said = cohort("init", "log", "--force", cwd=self.path).stderr
        self.assertEqual(said.count("part-1.csv.gz: is called as log/day=1/part-1.csv"), 1, said)
        self.assertEqual(said.count("log: is a table whose log says"), 1, said)

    def test_ratings_and_times_without_a_header_are_not_doubted(self):
        done = self.init("ratings.tsv", table(None, lambda u, i, w, t, d: (u, i, w, t, f"text {i}"), "\t"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("warning", done.stderr)

    def test_what_is_refused(self):
        matrix = "".join(f"{u}," + ",".join(str(DRAW.choice([0, 0, 1])) for _ in range(40)) + "\n" for u in range(1, 40))
        log = "".join(f'10.0.0.{u} - - [{d:%d/%b/%Y:%H:%M:%S} +0000] "GET /p/{i} HTTP/1.1" 200 99 "-" "Mozilla/5.0 (X11; Linux)"\n'
                      for u, i, d in zip(USERS, ITEMS, DATES))
        for name, content, words in (
                ("onehot.csv", matrix, "has 41 columns and no header"),
                ("named.csv", "user_id," + ",".join(f"item_{i}" for i in range(40)) + "\n" + matrix, "pandas' melt"),
                ("access.log", log, "a web server's log"),
                ("iis.log", "#Software: Microsoft Internet Information Services 10.0\n#Fields: date time\n2020-01-01 10:00:00\n",
                 "a web server's log"),
                ("netflix.txt", "1:\n" + table(None, lambda u, i, w, t, d: (u, w, d.date())), "in blocks"),
                ("beer.txt", "".join(f"beer/name: B {i}\nbeer/id: {i}\nreview/user: u{u}\n\n" for u, i in zip(USERS, ITEMS)),
                 "records over several lines"),
                ("dump.sql", "-- MySQL dump 10.13\n\nINSERT INTO `r` VALUES (1,2,3),(2,3,4);\n", "an SQL dump"),
                ("inserts.sql", "".join(f"INSERT INTO r VALUES ({u}, {i});\n" for u, i in zip(USERS, ITEMS)), "an SQL dump"),
                ("copy.sql", "--\n-- PostgreSQL database dump\n--\nCOPY r (u, i) FROM stdin;\n1\t2\n\\.\n", "an SQL dump"),
                ("spark.txt", "".join(f"({u},{i})\n" for u, i in zip(USERS, ITEMS)), "tuples in brackets"),
                ("columns.json", json.dumps({"user_id": {str(n): u for n, u in enumerate(USERS)},
                                             "item_id": {str(n): i for n, i in enumerate(ITEMS)}}), "with a list for each column or id"),
                ("split.json", json.dumps({"columns": ["user", "item"], "data": list(zip(USERS, ITEMS))}), "with a list for each column or id"),
                ("by_user.json", json.dumps({str(u): ITEMS[:u] for u in set(USERS)}), "with a list for each column or id"),
                ("sqlcmd.txt", "user_id     item_id\n----------- -----------\n" +
                 "".join(f"{u:11} {i:11}\n" for u, i in zip(USERS, ITEMS)), "as sqlcmd and SQL*Plus print it"),
                ("libsvm.txt", "".join(f"{u} {i}:1 {i + 1}:2\n" for u, i in zip(USERS, ITEMS)), "index:value pairs"),
                ("answer.json", json.dumps({"took": 3, "hits": {"hits": [{"_source": {"user_id": u, "item_id": i}}
                                                                        for u, i in zip(USERS, ITEMS)]}}), "a list of records in it"),
                ("latin1.csv", table(("user", "item"), lambda u, i, w, t, d: (f"José{u}", i)).encode("latin1"),
                 "--set input.encoding=latin1")):
            with self.subTest(name=name):
                done = self.init(name, content, ranks=2)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertEqual(done.stderr.count(words), 1, done.stderr)
                self.assertFalse((self.path / "cohort.toml").exists())


if __name__ == "__main__":
    unittest.main(verbosity=2)
