"""The report's layout in headless Chromium: rows of cards are full at any number of segments, the table of strategies
fits a phone, marks stand beside what they mark; and what it says of a result of one rank that is doubtful."""

import importlib
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

import report_test
from support import cohort, evaluate

# For every row of cards: where it begins and ends, in pixels; and the same of what holds the cards.
ROWS = """
const cards = document.querySelector('.cards'), box = cards.getBoundingClientRect(), rows = {};
for (const card of cards.children) {
    const place = card.getBoundingClientRect(), row = rows[Math.round(place.top)] ??= [Infinity, -Infinity, 0, 0];
    row[0] = Math.min(row[0], place.left); row[1] = Math.max(row[1], place.right); row[2] += place.width; row[3] += 1;
}
return [box.left, box.right, Object.values(rows)];
"""
WITH_CARDS = """
const cards = document.querySelector('.cards'), one = cards.children[0];
cards.replaceChildren(...Array.from({length: arguments[0]}, () => one.cloneNode(true)));
"""


class ReportLayout(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        if report_test.LIBRARIES:
            raise unittest.SkipTest(f"no {', '.join(report_test.LIBRARIES)}: skipped")
        holder = tempfile.TemporaryDirectory(prefix="cohort-e2e-")
        cls.addClassCleanup(holder.cleanup)
        cls.data = pathlib.Path(holder.name)
        cohort("generate", "--users", 400, "--items", 120, "--interactions", 8000, "--segments", 3, "--noise", 0.2,
               "--seed", 5, "--output", cls.data, "--quiet")
        with open(cls.data / "interactions.tsv") as file:
            items = sorted({line.split("\t")[1].strip() for line in list(file)[1:]})
        # Long names, with and without places to break.
        (cls.data / "items.csv").write_text("item,title\n" + "".join(
            f"{item},{('A rather long title that breaks ' if n % 2 else 'Unbreakable' * 4) + item}\n"
            for n, item in enumerate(items)))
        cls.settings = ["--quiet", "--set", f"input.item_attributes={cls.data}/items.csv", "--set", "input.holdout=0.2",
                        "--set", "train.epochs=6", "--set", "segment.count=3"]
        cls.result = cls.data / "run" / "segments.h5"
        cohort("run", cls.data / "config.toml", *cls.settings, "--set", f"output.directory={cls.data}/run")
        cls.strategies = cls.data / "strategies.json"
        cls.strategies.write_text(cohort("evaluate", "--result", cls.result, "--strategies", "--json").stdout)
        cls.page = cls.data / "report.html"
        report_test.report(cls.result, "--strategies", cls.strategies, "--output", cls.page)

    def open(self, width):
        window = report_test.browser(width)
        self.addCleanup(window.quit)
        window.get(self.page.as_uri())
        return window

    def test_rows_of_cards_are_full(self):
        for width, most in ((1280, 3), (900, 2), (390, 1)):
            window = self.open(width)
            for count in [*range(1, 26), 70, 100]:
                window.execute_script(WITH_CARDS, count)
                left, right, rows = window.execute_script(ROWS)
                self.assertEqual(sum(row[3] for row in rows), count)
                for first, last, covered, cards in rows:
                    self.assertAlmostEqual(first, left, delta=1, msg=(width, count))
                    self.assertAlmostEqual(last, right, delta=1, msg=(width, count))
                    self.assertGreater(covered, right - left - 17 * cards, (width, count))  # 16 between two
                    self.assertLessEqual(cards, most)
                    # Alone only where there is no other, or no more than two beside each other.
                    if most == 3 and count > 1:
                        self.assertGreater(cards, 1, (width, count))

    def test_rows_of_tiles_are_full(self):
        for width in (1280, 700, 390, 360):
            window = self.open(width)
            for count in range(3, 7):
                window.execute_script(WITH_CARDS.replace(".cards", ".tiles"), count)
                left, right, rows = window.execute_script(ROWS.replace(".cards", ".tiles"))
                self.assertEqual(sum(row[3] for row in rows), count)
                for first, last, *_ in rows:
                    self.assertAlmostEqual(first, left, delta=1, msg=(width, count))
                    self.assertAlmostEqual(last, right, delta=1, msg=(width, count))

    def test_one_segment_is_compared_with_nothing(self):
        cohort("run", self.data / "config.toml", *self.settings, "--set", "segment.count=1",
               "--set", f"output.directory={self.data}/one")
        report_test.report(self.data / "one" / "segments.h5", "--output", self.data / "one.html")
        window = report_test.browser(1280)
        self.addCleanup(window.quit)
        window.get((self.data / "one.html").as_uri())
        self.assertEqual(len(window.find_elements("css selector", ".card")), 1)
        self.assertIn("nothing marks it", window.find_element("css selector", ".card .words").text)
        self.assertEqual(window.find_elements("css selector", ".lifts:not(.numeric)"), [])
        self.assertNotIn("Lift is", window.find_element("css selector", "#segments").text)
        self.assertNotIn("marked by", window.find_element("css selector", "#summary").text)

    def test_strategies_on_a_phone(self):
        window = self.open(360)
        found = json.loads(self.strategies.read_text())
        hidden = window.execute_script("""
            const table = document.querySelector('table.strategies'), holder = table.parentElement;
            return [holder.scrollWidth - holder.clientWidth, [...table.querySelectorAll('td, th[scope=row]')].filter(
                e => e.getBoundingClientRect().right > innerWidth || e.scrollWidth > e.clientWidth + 1).length]""")
        self.assertEqual(hidden, [0, 0])
        labels = window.execute_script("return [...document.querySelectorAll('table.strategies tbody tr')].map(r => "
                                       "[r.querySelector('th').innerText, [...r.querySelectorAll('td')].map(c => "
                                       "getComputedStyle(c, '::before').content)])")
        self.assertEqual({name for name, _ in labels}, set(found["strategies"]))
        for _, columns in labels:
            self.assertEqual(len(columns), 7)
            self.assertIn("NDCG@", columns[1])
            self.assertTrue(all(len(column) > 3 for column in columns), columns)

    def test_says_which_strategy_is_best(self):
        window = self.open(1280)
        ndcg = {name: one["overall"]["ndcg"] for name, one in json.loads(self.strategies.read_text())["strategies"].items()}
        best = max(ndcg, key=lambda name: ndcg[name]["mean"])
        text = window.find_element("css selector", "#strategies p").text
        self.assertTrue(text.startswith(f"Best is {best}, with NDCG@20 {ndcg[best]['mean']:.3f}"), text)
        overlap = [name for name in ndcg if name != best and ndcg[name]["interval"][1] >= ndcg[best]["interval"][0]]
        for name in ndcg:
            if name != best:
                self.assertEqual(f"{name} ({ndcg[name]['mean']:.3f})" in text, name in overlap or not overlap and name ==
                                 sorted(ndcg, key=lambda one: -ndcg[one]["mean"])[1], text)

    def test_one_rank_has_no_traffic(self):
        window = self.open(1280)
        text = window.find_element("css selector", "#cost").text
        for word in ("Traffic", "other ranks", "bar for each rank"):
            self.assertNotIn(word, text)
        values = window.execute_script("return [...document.querySelectorAll('#cost td.count')].map(e => e.innerText)")
        self.assertGreater(len(values), 3)
        for value in values:
            self.assertGreater(float(value.split()[0]), 0)
        self.assertIn("1 rank of 1 thread", window.find_element("css selector", "#training").text)

    def test_marks_stand_beside_names(self):
        for width in (1280, 360):
            marks = self.open(width).execute_script("""
                document.querySelectorAll('details').forEach(d => d.open = true);
                return [...document.querySelectorAll('.lifts .tested')].map(mark => {
                    const range = document.createRange();
                    range.selectNodeContents(mark.parentElement.firstChild);
                    const line = range.getClientRects()[0], place = mark.getBoundingClientRect();
                    return [place.top < line.bottom && place.bottom > line.top, place.left >= line.right - 1];
                });""")
            self.assertGreater(len(marks), 3)
            self.assertEqual(set(map(tuple, marks)), {(True, True)})

    def test_doubts_are_those_of_evaluate(self):
        text = self.open(1280).find_element("css selector", "#summary").text.replace("\u00a0", " ")
        measures = evaluate(self.result)
        self.assertTrue(measures["notes"])
        for words in ("the silhouette is", "of the variance of log activity", "was still falling by"):
            said = [note for note in measures["notes"] if words in note]
            self.assertEqual(words.lower() in text.lower(), bool(said), (words, text))
        # The silhouette and the rest by the same numbers.
        code = ("import sys; sys.path.insert(0, sys.argv[1]); from report.result import Result; r = Result(sys.argv[2]); "
                "print(r.silhouette(), r.profile.activity_share)")
        done = subprocess.run([sys.executable, "-B", "-c", code, report_test.REPORT.parent, self.result],
                              capture_output=True, text=True, check=True, timeout=120)
        silhouette, activity = map(float, done.stdout.split())
        self.assertAlmostEqual(silhouette, measures["silhouette"], places=6)
        self.assertEqual(activity, measures["activity_share"])


class NamesOfSegments(unittest.TestCase):
    """A name must tell a newcomer what it is of: a number without its attribute, or a comma inside a name, does not."""

    @classmethod
    def setUpClass(cls):
        sys.path.insert(0, str(report_test.REPORT.parent))
        cls.addClassCleanup(sys.path.remove, str(report_test.REPORT.parent))
        cls.words = importlib.import_module("report.words")

    def row(self, name, lift, attribute=None, marking=1):
        return {"name": name, "lift": lift, "marking": marking} | ({"attribute": attribute} if attribute else {})

    def test_numbers_have_their_attribute_once(self):
        years = [self.row("1996", 2.0, "release_year"), self.row("1997", 1.5, "release_year")]
        self.assertEqual(self.words.named(years, [], True), "Release year 1996, 1997")
        self.assertEqual(self.words.named([*years, self.row("Drama", 1.3, "class")], [], True), "Drama, release year 1996")

    def test_confirmed_ones_alone_where_tested(self):
        rows = [self.row("Drama", 3, "class", 0), self.row("War", 1.3, "class"), self.row("Noir", 1.1, "class")]
        self.assertEqual(self.words.named(rows, [], True), "War")
        self.assertEqual(self.words.named(rows, [], False), "Drama, War")
        self.assertEqual(self.words.named(rows[:1], [self.row("Saint, The", 2), self.row("Twister", 1.4)], True),
                         '"Saint, The", Twister')
        self.assertEqual(self.words.named([], [], True), "")

    def test_descriptions_without_size(self):
        for size in ("94 users (10.0 % of all), ", "1 user (50.0 % of segment 3); ", "1,094 users, "):
            self.assertEqual(self.words.described(size + "active; marked by release_year_first 1996, release_year 1997",
                                                  {"release_year", "release_year_first"}),
                             "Active; marked by release year first 1996, release year 1997")


if __name__ == "__main__":
    unittest.main(verbosity=2)
