"""Dialects of CSV that people's programs write: backslashes that escape, separators of several characters, quotes in columns
that blanks separate, headers that are short of a name or stand below a title, Windows' characters, spreadsheets' days.
Each is read as Python's own readers read it, or as it was before it was written."""

import csv
import datetime
import io
import unittest

from formats_test import Formats, interactions, merged
from support import cohort

RECORDS = [(f"u{n % 7}", ['5" disc', "a, b; c", "back\\slash", "plain", 'say "hi", you', "x"][n * 5 % 6] + str(n % 4), str(1 + n % 5),
            str(1_400_000_000 + n)) for n in range(150)]
NAMES = ("user_id", "item_id", "rating", "timestamp")


class Dialects(Formats):
    def read(self, content, *arguments, **named):
        self.write("data", content)
        done = self.prepared(*arguments, **named)
        return interactions(self.graph()), done.stderr

    def test_backslashes(self):
        for number, (separator, quoting) in enumerate((s, q) for s in ",;|\t" for q in (csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONE)):
            with self.subTest(separator=separator, quoting=quoting):
                # By tabs quotes are letters where no column has them in every line, and so are backslashes.
                if separator == "\t" and quoting != csv.QUOTE_ALL:
                    continue
                dialect = {"delimiter": separator, "escapechar": "\\", "doublequote": False, "quoting": quoting}
                # The module escapes no backslash inside quotes where nothing needs them.
                rows = [(user, item.replace("\\", "/"), *rest) for user, item, *rest in RECORDS]
                text = io.StringIO()
                csv.writer(text, lineterminator="\n", **dialect).writerows([NAMES, *rows])
                self.assertEqual(list(csv.reader(io.StringIO(text.getvalue()), **dialect))[1:], [list(row) for row in rows])
                self.assertEqual(self.read(text.getvalue(), ranks=1 + number % 3)[0], merged(rows))

    def test_dumps(self):
        """PostgreSQL's COPY and MySQL's OUTFILE: ids with tabs, line ends and backslashes."""
        rows = [(user, item + ("\t" if n % 3 else "\n") + "z", weight, time) for n, (user, item, weight, time) in enumerate(RECORDS)]
        names = "\t".join((*NAMES, "note")) + "\n"
        copy = {"\\": "\\\\", "\t": "\\t", "\n": "\\n"}
        outfile = {"\\": "\\\\", "\t": "\\\t", "\n": "\\\n"}
        for escapes in (copy, outfile):
            text = names + "".join("\t".join("".join(escapes.get(c, c) for c in field) for field in row) + "\t\\N\n" for row in rows)
            self.assertEqual(self.read(text, ranks=2)[0], merged(rows))
            # What is malformed is named by its line in the file, which letters do not end.
            lines = text.count("\n")
            self.write("data", text + "u1\tx\n")
            self.refused([f"data:{lines + 1}: the line has 2 columns"])
        # Nothing shows that these are escapes.
        found, said = self.read("user\titem\n" + "".join(f"u{n}\tC:\\\\t{n % 3}\n" for n in range(9)))
        self.assertIn(("u1", "C:\\\\t1"), found)
        self.assertIn("holds backslashes", said)

    def test_escapes_that_come_late(self):
        """Behind what a dialect is told from, escapes are malformed lines of which that is said; none shifts what follows."""
        for separator, late in ((",", 'u1,"say \\"hi\\", you",5'), (",", "u1,a\\, b,5"), (",", 'u1,"5\\"",5'), (";", "u1;a\\\nb;5"),
                                ("\t", "u1\ta\\\tb\t5"), ("\t", "u1\ta\\\nb\t5")):
            with self.subTest(late=late):
                rows = [(f"u{n % 9}", f"a film of some length, or so, {n % 800}".replace(",", "") * 3, "3", str(n)) for n in range(14_000)]
                text = "\n".join(map(separator.join, [NAMES[:3], *(row[:3] for row in rows)])) + "\n"
                self.assertGreater(len(text), 1 << 20)
                self.write("data", text + late + "\n" + text.partition("\n")[2])
                self.refused([f"data:{len(rows) + 2}: ", "a backslash stands in front of a "], ranks=(2,))
                found, _ = self.read(text + late + "\n" + text.partition("\n")[2], clean="max_bad_lines = 2")
                self.assertEqual({pair: weight for pair, (weight, _) in found.items()},
                                 {pair: 2 * weight for pair, (weight, _) in merged(rows).items()})

    def test_separators_of_several_characters(self):
        for number, separator in enumerate(("||", ";;", "|~|", "\t|\t", "^^", "::::", "\t\t", "->", "<sep>", ", ")):
            with self.subTest(separator=separator):
                rows = [(user, item.replace(", ", "-"), weight, time) for user, item, weight, time in RECORDS]
                for header in (True, False):
                    text = "".join(separator.join('"' + field.replace('"', '""') + '"' if field.startswith("say") else field
                                                  for field in row) + "\n" for row in ([NAMES] if header else []) + rows)
                    named = "" if number < 7 else f'separator = "{separator}"'
                    self.assertEqual(self.read(text, named, ranks=1 + number % 3)[0], merged(rows))

    def test_blanks_and_quotes(self):
        """R's write.table, with the names of rows and without, and with tabs."""
        for number, separator in enumerate((" ", " ", "\t", ",")):
            named = number != 0
            quote = (lambda text: '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"')
            text = separator.join(map(quote, NAMES)) + "\n"
            for row, (user, item, weight, time) in enumerate(RECORDS):
                text += separator.join(([quote(str(row + 1))] if named else []) + [quote(user), quote(item), weight, time]) + "\n"
            with self.subTest(separator=separator, named=named):
                self.assertEqual(self.read(text, ranks=1 + number % 3)[0], merged(RECORDS))

    def test_short_and_late_headers(self):
        rows = [(user, item.replace(",", "").replace('"', ""), weight, time) for user, item, weight, time in RECORDS]
        names = ",".join(NAMES) + "\n"
        lines = "".join(",".join(row) + "\n" for row in rows)
        for number, text in enumerate((
                names + lines.replace("\n", ",\n"),
                names + "".join(f"{n}," + ",".join(row) + "\n" for n, row in enumerate(rows)),
                "Ratings of our shop\nas of 2024-01-05\n\n" + names + lines,
                "Ratings,,,\n,,,\n" + names + lines,
                "\ufeffRatings; all of them\n\n" + names + lines)):
            with self.subTest(text=text[:60]):
                found, said = self.read(text, ranks=1 + number % 3)
                self.assertEqual(found, merged(rows))
                self.assertEqual(said.count("passed over as a title"), 0 if number < 2 else 1)

    def test_a_title_above_attributes(self):
        self.write("log", "user_id,item_id\n" + "".join(f"u{n % 9},i{n % 7}\n" for n in range(60)))
        self.write("items", "Catalogue of 2024\nitem_id,title,genre\n" + "".join(f"i{n},T{n},{'ab'[n % 2]}\n" for n in range(7)))
        config = self.write("config.toml", f'[input]\ninteractions = "{self.path}/log"\nitem_attributes = "{self.path}/items"\n'
                            f'[train]\nepochs = 1\n[segment]\ncount = 2\n[recommend]\nstrategy = "personal"\n'
                            f'[output]\ndirectory = "{self.path}/out"\n')
        for ranks in (1, 3):
            said = cohort("run", config, ranks=ranks).stderr
            self.assertEqual(said.count('passed over as a title: "Catalogue of 2024"'), 1, said)
            self.assertIn('categories: "genre"; name: "title"', said)

    def test_characters_of_windows(self):
        content = "user_id,item_id,rating,timestamp\n".encode() + "".join(
            f"u{n % 7}’s,“i{n % 5}” €,2,1400000000\n" for n in range(20)).encode("cp1252") + b"\x81,\xe9,2,1400000000\n"
        wanted = {(f"u{n % 7}’s", f"“i{n % 5}” €") for n in range(20)} | {("\x81", "é")}
        for encoding in ("latin1", "ISO-8859-1"):
            self.assertEqual(set(self.read(content, f'encoding = "{encoding}"', ranks=2)[0]), wanted)

    def test_days_of_spreadsheets(self):
        moments = [datetime.datetime(2012 + n % 9, 1 + n % 12, 1 + n % 28, n % 24, n % 60, n % 59) for n in range(60)]
        start = datetime.datetime(1899, 12, 30)
        text = "user_id,item_id,order_date\n" + "".join(
            f"u{n},i{n % 7},{(moment - start) / datetime.timedelta(days=1):.10f}\n" for n, moment in enumerate(moments))
        found, said = self.read(text, graph='weight = "raw"\nhalf_life = 1000')
        self.assertIn("days as spreadsheets count them", said)
        for n, moment in enumerate(moments):
            seconds = moment.replace(tzinfo=datetime.timezone.utc).timestamp()
            self.assertAlmostEqual(found[f"u{n}", f"i{n % 7}"][1], seconds, delta=0.001)

    def test_ticks_of_net(self):
        text = "user_id,item_id,date\n" + "".join(f"u{n},i1,/Date({1_400_000_000_000 + n}{'+0200' if n % 2 else ''})/\n" for n in range(9))
        self.assertEqual(self.read(text)[0], {(f"u{n}", "i1"): (1, 1_400_000_000 + n / 1000) for n in range(9)})

    def test_what_is_malformed(self):
        """In a dialect too a stray quote costs its own line, which is named."""
        rows = "".join(f'u{n % 9}||"i{n}"||{1 + n % 5}\n' for n in range(5000))
        bad = rows.replace('u3||"i4998"||', 'u3||"i4998||')
        self.write("data", bad)
        self.refused([":4999:", "is not closed by another"])
        escaped = "user,item,rating\n" + "".join(f'u{n % 9},"say \\"{n}\\"",{1 + n % 5}\n' for n in range(3000))
        self.write("data", escaped.replace('\\"2900\\""', '\\"2900" x"'))
        self.refused([":2902:", "is not closed by another"])
        # Where escapes are read, none is said to be missing at the beginning.
        self.write("data", escaped + "u1,a\\\\,b,c\n")
        self.assertNotIn("in front of", self.refused([":3002:", "columns"]).stderr)
        for separator in ("ab", "\\n"):
            self.refused(["input.separator"], f'separator = "{separator}"')

    def test_usual_files_stay_what_they_are(self):
        numbers = range(60)
        for number, (text, named, wanted) in enumerate((
                # A quote behind a backslash, and quotes that are not closed, in a text by tabs.
                ("user\titem\trating\treview\n" +
                 "".join(f'u{n}\ti{n % 7}\t1\t' + ('said \\"hi\\"' if n == 7 else '"Wow' if n == 40 else 'nice"' if n == 50 else "x") + "\n"
                         for n in numbers), "", {(f"u{n}", f"i{n % 7}"): 1 for n in numbers}),
                # A header behind a mark, of several characters.
                ("#item||user||rating\n" + "".join(f"i{n % 7}||u{n}||3\n" for n in numbers), "",
                 {(f"u{n}", f"i{n % 7}"): 3 for n in numbers}),
                ("".join(f"dXNlcj{n}== aXRl{n % 7}== 5.5\n" for n in numbers), "",
                 {(f"dXNlcj{n}==", f"aXRl{n % 7}=="): 5.5 for n in numbers}),
                ("user,item,note\n" + "".join(f"u{n},i{n % 7},a||b{',c' if n == 30 else ''}\n" for n in numbers if n != 30), "",
                 {(f"u{n}", f"i{n % 7}"): 1 for n in numbers if n != 30}),
                # Names of columns in what is none.
                ("user_id,item_id,category\n" + "".join(f"{n},{n % 7},Fun|Book|Game\n" for n in numbers), "",
                 {(str(n), str(n % 7)): 1 for n in numbers}),
                ("user_id\titem_id\tcategory\n" + "".join(f"{n}\t{n % 7}\tfun,book,video\n" for n in numbers), "",
                 {(str(n), str(n % 7)): 1 for n in numbers}),
                ("user_id;item_id;note\n" + "".join(f"{n};{n % 7};a\x01b\n" for n in numbers), 'separator = ";"',
                 {(str(n), str(n % 7)): 1 for n in numbers}),
                ("".join(f"{n}\t{n % 7}\t" + ("1" if n % 4 == 3 else "\x01") + "\n" for n in numbers), 'columns = { user = 0, item = 1 }',
                 {(str(n), str(n % 7)): 1 for n in numbers}),
                ("u1||i1||5\nu2||i2||4", "", {("u1", "i1"): 5, ("u2", "i2"): 4}),
                ("\n" + '"user" "item" "rating"\n' + "".join(f'"{n + 1}" "u{n}" "i{n % 7}" 2\n' for n in numbers), "",
                 {(f"u{n}", f"i{n % 7}"): 2 for n in numbers}),
                ("".join(f"urn:user:{n}\thttps://shop/?p={n % 7}\n" for n in numbers), "",
                 {(f"urn:user:{n}", f"https://shop/?p={n % 7}"): 1 for n in numbers}))):
            with self.subTest(text=text[:40]):
                found, said = self.read(text, named, ranks=1 + number % 3, graph='weight = "raw"')
                self.assertEqual({pair: value[0] for pair, value in found.items()}, wanted)
                self.assertNotIn("title", said)
        # Days since 1970 are none of a spreadsheet.
        _, said = self.read("user,item,date\n" + "".join(f"u{n},i{n % 7},{20_100 + n}\n" for n in numbers))
        self.assertNotIn("spreadsheet", said)
        # What has a column more than names is refused, unless rows have names as R's have.
        for text in ("user_id,item_id\n" + "".join(f"u{n},i{n % 7},3\n" for n in numbers),
                     "user,item,amount\n" + "".join(f"u{n},i{n % 7},3,50\n" for n in numbers),
                     "user,item,title\n" + "".join(f"u{n},i{n % 7},Hello, World\n" for n in numbers),
                     "user item time\n" + "".join(f"u{n} i{n % 7} 2014-01-{1 + n % 28:02d} 10:00:00\n" for n in numbers),
                     "".join(f"u{n},i{n}\n" for n in range(8)) + "user,item,rating\n" + "".join(f"u{n},i{n},3\n" for n in numbers)):
            with self.subTest(text=text[:40]):
                self.write("data", text)
                self.refused(["data"], ranks=(1,))

    def test_a_line_without_end(self):
        """It is handed on, and takes no time that grows with its square."""
        self.write("data", "u1||i1\n" * 200 + "x" * 24_000_000 + "\nu2||i2\n")
        self.refused(["longer than"], ranks=(1,))

    def test_what_is_refused_or_warned_of(self):
        pairs = [(n % 9, n % 7) for n in range(30)]
        for text, word in (
                ("".join(f"{user}|2\n{item}\t90\n{item + 1}\t50\n" for user, item in pairs), "text in blocks"),
                ("".join(f"time=5 user={user} item={item}\n" for user, item in pairs), "a name before each value"),
                ("".join(f"time:5\tuser:{user}\titem:{item}\n" for user, item in pairs), "a name before each value"),
                ("".join(f"user={user}&item={item}\n" for user, item in pairs), "a name before each value"),
                ("".join(f"u{user + n}: {item}, {item + 1}\n" for n, (user, item) in enumerate(pairs)), "lists behind what they belong to"),
                ("".join(f'{{"user": {user}, "item": {item}}},\n' for user, item in pairs), "commas behind them"),
                ("".join(f'\x1e{{"user": {user}, "item": {item}}}\n' for user, item in pairs), "a sequence of JSON texts"),
                ('*Vertices 2\n1 "a"\n2 "b"\n*Arcs\n1 2 1\n', "a Pajek file"),
                ("graph [\n  node [ id 1 ]\n]\n", "a GML file"),
                ("digraph {\n a -> b;\n}\n", "Graphviz")):
            with self.subTest(text=text[:30]):
                self.write("data", text)
                self.refused([word], ranks=(1,))
        for text, word in (
                ("".join(f'u{user}\t{{"item": {item}}}\n' for user, item in pairs), "several values in one"),
                ("".join(f"({user},{item})\t{item}\n" for user, item in pairs), "several values in one"),
                ("user,item,timestamp\n" + "".join(f"{user},{item},{42000 + item}.5\n" for user, item in pairs), "days as spreadsheets")):
            with self.subTest(text=text[:30]):
                self.assertIn(word, self.read(text)[1])
        # Ids of two kinds are ids.
        found, _ = self.read("".join(f"u:{user}\ti:{item}\n" for user, item in pairs))
        self.assertEqual(set(found), {(f"u:{user}", f"i:{item}") for user, item in pairs})


if __name__ == "__main__":
    unittest.main()
