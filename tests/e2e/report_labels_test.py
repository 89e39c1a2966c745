"""What the report calls recommended items: read from the table of attributes as it may be written, or a warning why not."""

import bz2
import gzip
import html
import json
import lzma
import pathlib
import re
import unittest

import h5py

import report_test
from support import WithDirectory, cohort


def zstd(content):
    """As one raw block of a frame (RFC 8878)."""
    return (b"\x28\xb5\x2f\xfd\xa0" + len(content).to_bytes(4, "little") + (len(content) << 3 | 1).to_bytes(3, "little") +
            content)


@unittest.skipIf(report_test.LIBRARIES, f"no {', '.join(report_test.LIBRARIES)}: skipped")
class Labels(WithDirectory):
    """What recommended items are called, by the table as it may be written."""

    # A sign that is no end of a line though Python has it so, and two that UTF-8 and Latin-1 write differently.
    TITLES = {f"i{n}": f"Caf\u00e9, {n}\x85 \"x\"" for n in range(40)}

    def recommended(self, name, content, settings=(), change=lambda path: None, warns=None):
        """The names on the page; and the ids of the same items, and those among them that the profile names."""
        table = self.write(name, content)
        log = self.write("log.csv", "user,item\n" + "".join(
            f"u{u},i{(u % 2) * 20 + (u * 3 + k * k) % 20}\n" for u in range(60) for k in range(6)))
        config = self.write("config.toml", f'[input]\ninteractions = "{log}"\nitem_attributes = "{name}"\n[model]\ndim = 8\n'
                            f'[train]\nloss = "bpr"\nepochs = 2\n[segment]\ncount = 2\n[profile]\ntop = 1\n[recommend]\n'
                            f'count = 9\n[output]\ndirectory = "{self.path}/{name}.run"\n')
        cohort("run", config, "--quiet", *(part for setting in settings for part in ("--set", setting)))
        change(table)
        page = self.path / "page.html"
        said = report_test.report(self.path / f"{name}.run" / "segments.h5", "--output", page).stderr
        if warns is None:
            self.assertEqual(said, "")
        else:
            self.assertEqual(len(said.splitlines()), 1, said)
            self.assertRegex(said, f"^warning: {re.escape(str(table))}: .*{warns}.*by their ids$")
        with h5py.File(self.path / f"{name}.run" / "segments.h5") as file:
            ids = file["items/id"].asstr()[...]
            items = [ids[i] for i in file["segments/recommendations/item"][...].flat if i >= 0]
            profiled = {ids[i] for i in file["segments/profile/items/item"][...]}
        lists = re.findall(r'<ol class="recommended".*?</ol>', page.read_text(), re.DOTALL)
        shown = [html.unescape(name) for one in lists for name in re.findall(r"<li[^>]*>(.*?)</li>", one, re.DOTALL)]
        return shown, items, profiled

    def table(self, separator, quote="", long_title=False):
        rows = [["item", "year", "title"]] + [[item, str(1990 + n), title] for n, (item, title)
                                              in enumerate(self.TITLES.items())]
        if long_title:
            rows[1][2] += 150_000 * "x"  # above what Python's csv takes by itself
        if quote:
            rows = [[quote + cell.replace(quote, 2 * quote) + quote for cell in row] for row in rows]
        return "".join(separator.join(row) + "\n" for row in rows)

    def test_tables_that_are_read(self):
        tables = {"comma.csv": self.table(",", '"', long_title=True).encode(), "semicolon.csv": self.table(";").encode(),
                  "bar.txt.bz2": bz2.compress(self.table("|").encode()), "tab.tsv": self.table("\t").encode(),
                  "colons.dat.xz": lzma.compress(self.table("::").encode()),
                  "named.gz.csv": gzip.compress(self.table(";").encode("utf-16"))}
        for name, content in tables.items():
            with self.subTest(name):
                shown, items, profiled = self.recommended(name, content)
                self.assertGreater(len(set(items) - profiled), 5)
                self.assertEqual([one.rstrip("x") for one in shown], [self.TITLES[item].rstrip("x") for item in items])
        # By this name Windows-1252 goes, as in browsers, where the byte is another sign.
        shown, items, _ = self.recommended("latin.csv", self.table(";").encode("latin-1"), ["input.encoding=latin1"])
        self.assertEqual(shown, [self.TITLES[item].replace("\x85", "\u2026") for item in items])

    def test_what_is_not_read_is_said(self):
        lines = "".join(json.dumps({"item": item, "title": title}) + "\n" for item, title in self.TITLES.items())
        for name, content, change, words in (
                ("a.jsonl", lines.encode(), None, "JSON"), ("a.csv.zst", zstd(self.table(";").encode()), None, "zstd"),
                ("moved.csv", self.table(";").encode(), pathlib.Path.unlink, "No such file"),
                ("other.csv", self.table(";").encode(), lambda path: path.write_text("item;title\n"), "has changed"),
                ("spark.csv", "item,title\n".encode() + "".join(
                    f"{item},a\\, {item}\n" for item in self.TITLES).encode(), None, "does not find")):
            with self.subTest(name):
                shown, items, profiled = self.recommended(name, content, (), change or (lambda path: None), words)
                for one, item in zip(shown, items, strict=True):
                    self.assertEqual(one == item, item not in profiled)
        # Nor is the table missed where the profile names all.
        shown, items, profiled = self.recommended("all.csv", self.table(";").encode(), ["profile.top=40", "recommend.count=1"],
                                                  pathlib.Path.unlink)
        self.assertLessEqual(set(items), profiled)
        self.assertEqual(shown, [self.TITLES[item] for item in items])
        # Nothing is missed of a table without names.
        shown, items, _ = self.recommended("plain.csv", "item,genre\n" + "".join(
            f"{item},{'ab'[n % 2]}\n" for n, item in enumerate(self.TITLES)), (), pathlib.Path.unlink)
        self.assertEqual(shown, items)


if __name__ == "__main__":
    unittest.main(verbosity=2)
