"""Files as people have them: dates in every order, thousands that stand apart, printed tables, and what looks like one
thing and is another. Each is read as Python's own readers read it, or refused, or warned of."""

import collections
import csv
import datetime
import io
import itertools
import json
import random
import unittest

from formats_test import Formats, interactions

ROWS = [(f"u{n % 7}", f"i{n % 5}{n // 7 % 3}", datetime.datetime(2000 + n % 3, 1 + n % 12, 1 + n * 7 % 28, n % 24, n * 7 % 60))
        for n in range(90)]

# Needs times.
DECAY = 'weight = "raw"\nhalf_life = 1000'


def seconds(time):
    return time.replace(tzinfo=datetime.timezone.utc).timestamp()


def latest(rows):
    times = collections.defaultdict(list)
    for user, item, time in rows:
        times[user, item].append(seconds(time))
    return {pair: (len(values), max(values)) for pair, values in times.items()}


def table(rows, form, separator=","):
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator="\n")
    writer.writerow(("user", "item", "date"))
    writer.writerows((user, item, time.strftime(form)) for user, item, time in rows)
    return text.getvalue()


class Habits(Formats):
    def read(self, text, *arguments, **named):
        self.write("data", text)
        done = self.prepared(*arguments, **named)
        return interactions(self.graph()), done.stderr

    def test_dates(self):
        forms = ["%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M", "%m/%d/%y %H:%M", "%d-%m-%Y %H:%M:%S", "%d.%m.%Y %H:%M",
                 "%m/%d/%Y %I:%M:%S %p", "%d/%m/%Y, %I:%M %p", "%d-%b-%Y %H:%M", "%d %B %Y %H:%M", "%b %d, %Y %H:%M", "%m %d, %Y %H:%M",
                 "%a, %d %b %Y %H:%M:%S +0000", "%d/%b/%Y:%H:%M:%S +0000", "%Y%m%d%H%M", "%Y%m%d%H%M%S", "%Y.%m.%d %H:%M",
                 "%d-%b-%y %I.%M.%S.000000 %p", "%d%b%Y:%H:%M:%S", "%d%b%Y %H:%M:%S", "%Y-%m-%d-%H.%M.%S.000", "%Y%m%dT%H%M%SZ", "%dth %B %Y %H:%M",
                 "%Y-%b-%d %H:%M", "%a %b %d %Y %H:%M:%S GMT+0000 (Greenwich Mean Time)", "%Y-%m-%dT%H:%M:%SZ[UTC]",
                 "%Y-%m-%d %H:%M:%S.000 +0000 UTC", "%b %d %Y %I:%M%p", "%a %b %d %H:%M:%S UTC %Y"]
        for number, form in enumerate(forms):
            with self.subTest(form=form):
                found, _ = self.read(table(ROWS, form), ranks=1 + number % 3)
                self.assertEqual(found, latest(ROWS))
        hours = [(user, item, time.replace(minute=0)) for user, item, time in ROWS]
        self.assertEqual(self.read(table(hours, "%Y%m%d%H"))[0], latest(hours))

    def test_the_order_shows_far_down(self):
        """Files are sorted by time, so that the first days can begin with either."""
        days = [(f"u{n % 4}", f"i{n % 9}", datetime.datetime(2001, 2, 1 + n // 300)) for n in range(300 * 20)]
        for form in ("%m/%d/%Y", "%d/%m/%Y"):
            for ranks in (1, 3):
                found, said = self.read(table(days, form), ranks=ranks)
                self.assertEqual(found, latest(days), form)
                self.assertNotIn("warning", said)

    def test_an_order_that_does_not_show(self):
        early = [("a", "x", datetime.datetime(2001, 2, 3)), ("b", "y", datetime.datetime(2001, 4, 11))]
        text = table(early, "%m/%d/%Y")
        found, said = self.read(text, ranks=2)
        self.assertIn("input.date_order", said)
        self.assertEqual(found, {("a", "x"): (1, None), ("b", "y"): (1, None)})
        self.refused(["every date can begin", "input.date_order"], graph=DECAY)
        for order, form in (("mdy", "%m/%d/%Y"), ("dmy", "%d/%m/%Y")):
            found, _ = self.read(table(early, form), f'date_order = "{order}"', graph=DECAY)
            self.assertEqual({pair: time for pair, (_, time) in found.items()},
                             {(user, item): seconds(time) for user, item, time in early})
        both = text + "c,z,13/1/2001\nc,y,1/13/2001\n"
        found, said = self.read(both)
        self.assertIn("month first", said)
        self.assertEqual(found["a", "x"], (1, None))
        self.refused(["month first", "day first"], graph=DECAY)
        self.write("data", text + "c,z,13/1/2001\n")
        self.refused(["13/1/2001"], 'date_order = "mdy"', graph=DECAY)

    def test_times_of_several_units(self):
        self.write("data", "user,item,ts\na,x,1659304800025\nb,y,1659304800\n")
        done = self.prepared(ranks=2)
        self.assertIn("1 time cannot be read", done.stderr)
        self.refused(["data:3", "another unit", "input.time_unit"], graph=DECAY)
        found, said = self.read("user,item,day\na,x,18262\nb,y,18263\n")
        self.assertIn("no dates", said)
        self.assertEqual(found["a", "x"], (1, 18262))

    def test_thousands(self):
        draw = random.Random(5)
        weights = [draw.choice([draw.randrange(1000), draw.randrange(10**7), draw.randrange(10**6) + 0.5]) + 1 for _ in range(60)]
        wanted = {(f"u{n}", f"i{n % 4}"): (weight, None) for n, weight in enumerate(weights)}
        english = "user,item,plays\n" + "".join(f'u{n},i{n % 4},"{weight:,}"\n' for n, weight in enumerate(weights))
        def german(weight):
            return f"{float(weight):,}".translate(str.maketrans(",.", ".,"))
        spread = "user;item;plays\n" + "".join(f"u{n};i{n % 4};{german(weight)}\n" for n, weight in enumerate(weights))
        for text in (english, spread):
            self.assertEqual(self.read(text, graph='weight = "raw"')[0], wanted)
        self.write("data", "user;item;plays\na;x;1.234\nb;y;2,5\n")
        self.refused(["data:2", "thousand"])
        for text in ("user;item;plays\na;x;1,234\nb;y;2,500\n", "user;item;plays\na;x;1.234\nb;y;2.500\n"):
            self.assertIn("thousands", self.read(text)[1])

    def test_yes_and_no(self):
        found, _ = self.read("user,item,rating\na,x,True\nb,y,false\nb,x,true\n", graph='weight = "raw"')
        self.assertEqual(found, {("a", "x"): (1, None), ("b", "x"): (1, None)})
        self.assertIn("yes or no", self.read("user,item,clicked\na,x,1\nb,y,0\n")[1])
        self.assertNotIn("yes or no", self.read("user,item,clicked\na,x,1\nb,y,1\n")[1])

    def test_printed_tables(self):
        rows = [("1", "20", "5"), ("3", "x y", "2.5"), ("30", "7", "1")]
        wanted = {(user, item): (float(weight), None) for user, item, weight in rows}
        names = ("user_id", "item_id", "rating")
        line = "+---------+---------+--------+\n"
        cells = ["| " + " | ".join(row) + " |\n" for row in (names, *rows)]
        printed = {
            "psql": " user_id | item_id | rating \n---------+---------+--------\n" +
                    "".join(f" {' | '.join(row)}\n" for row in rows) + "(3 rows)\n\n",
            "mysql": line + cells[0] + line + "".join(cells[1:]) + line + "3 rows in set (0.00 sec)\n",
            "markdown": cells[0] + "|:---|---|---:|\n" + "".join(cells[1:]),
            "hive": "".join("\x01".join(row) + "\n" for row in rows),
        }
        for kind, text in printed.items():
            for ranks in (1, 3):
                with self.subTest(kind=kind, ranks=ranks):
                    self.assertEqual(self.read(text, graph='weight = "raw"', ranks=ranks)[0], wanted)

    def test_json_of_python_and_mongodb(self):
        lines = [{"user": "a", "item": "x", "rating": 2.0, "text": 'NaN "is" \\ no'}, {"user": "b", "item": "y", "rating": 3.0, "other": float("nan")}]
        found, _ = self.read("".join(json.dumps(line) + "\n" for line in lines), graph='weight = "raw"')
        self.assertEqual(found, {("a", "x"): (2, None), ("b", "y"): (3, None)})
        self.write("data", json.dumps(lines[0]) + "\n" + json.dumps(lines[1] | {"rating": float("nan")}) + "\n")
        self.refused(["data:2", "weight"])
        mongo = [{"_id": {"$oid": str(n)}, "user": {"$oid": f"u{n}"}, "item": {"$oid": "x"},
                  "date": {"$date": "2012-01-01T00:00:00Z"}, "rating": {"$numberInt": "4"}} for n in range(3)]
        found, _ = self.read("".join(json.dumps(line) + "\n" for line in mongo), graph='weight = "raw"')
        self.assertEqual(found, {(f"u{n}", "x"): (4, 1325376000) for n in range(3)})
        # Of a key that stands twice in an object the last is read, as by the json module.
        twice = ['{"user": "a", "rating": 1, "item": {"id": "x"}, "item": {"id": "w", "id": "y%d"}, "rating": 3}' % n for n in range(3)]
        found, _ = self.read("".join(line + "\n" for line in twice), graph='weight = "raw"')
        self.assertEqual(found, {("a", line["item"]["id"]): (line["rating"], None) for line in map(json.loads, twice)})
        self.write("data", '{"user": 123456789012345678901234, "item": 1, "rating": 2}\n')
        self.refused(["data", "JSON"])
        self.write("data", '{"user": 123456789012345678901234, "item": 1, "rating": 2}\n{"user": 1, "item": 1, "rating": 2}\n')
        self.refused(["data:1", "JSON"])

    def test_what_looks_like_something_else(self):
        for text, word in (
                ("31435741\t2\t4\t4\t1385212958\n31435742\t3\t5\t7\t1385212325\n", "5 columns and no header"),
                ("user,item,item,rating\na,b,c,5\nd,e,f,4\n", "have one name"),
                ("user,item,rating\n'a','b',5\n'c','d',4\n", "quotes"),
                ("user,item,rating\n“a”,“b”,5\n“c”,“d”,4\n", "quotes"),
                ('user_id,item_ids\nu1,"[1, 2]"\nu2,"[1]"\n', "lists"),
                ('user_id,item_ids\nu1,"1,2"\nu2,1\n', "lists"),
                ('{"user": "u1", "item": ["i1", "i2"]}\n{"user": "u2", "item": ["i1"]}\n', "lists"),
                ("%%MatrixMarket matrix coordinate real symmetric\n3 3 2\n2 1 5\n3 1 4\n", "symmetric"),
                ("1 2 3 4\n1 5\n2 9 11 12 13\n3\n", "basket")):
            with self.subTest(text=text):
                self.assertIn(word, self.read(text)[1])
        for separator in "\t ":
            text = '"user"\t"item"\t"rating"\n"a"\t"b"\t5\n"c"\t"d"\t4\n'.replace("\t", separator)
            found, said = self.read(text, graph='weight = "raw"')
            self.assertEqual(found, {("a", "b"): (5, None), ("c", "d"): (4, None)})
            self.assertNotIn("warning", said)
        for text, word in (("3 1 5 9\n2 4 6\n1 7\n4 1 2 3 4\n", "begins with the number"),
                           ("1:\n1488844,3,2005-09-06\n822109,5,2005-05-13\n", "text in blocks")):
            self.write("data", text)
            self.refused([word])

    def test_the_same_bits_at_any_number_of_ranks(self):
        """What reads a list again, and what several ranks read of one table."""
        days = [(f"u{n % 40}", f"i{n % 19}", datetime.datetime(2001, 2, 1 + n // 300)) for n in range(300 * 20)]
        found = [self.read(table(days, "%d/%m/%Y"), graph='weight = "raw"\nhalf_life = 5', ranks=ranks)[0] for ranks in (1, 2, 3, 4)]
        for one, other in itertools.pairwise(found):
            self.assertEqual(one, other)


if __name__ == "__main__":
    unittest.main()
