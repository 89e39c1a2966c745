"""scripts/report.py: a page made from a real result, opened from disk in headless Chromium at two widths, against the
HDF5; and what it refuses."""

import html
import html.parser
import importlib.util
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import h5py
import numpy

from support import WithDirectory, cohort, reseal

REPORT = pathlib.Path(__file__).parents[2] / "scripts" / "report.py"
HOSTILE = "<script>document.title='run'</script><img src=x onerror=\"document.title='run'\">&\"'" + 300 * "x"
LIBRARIES = [name for name in ("h5py", "jinja2", "matplotlib") if not importlib.util.find_spec(name)]
SEGMENTS = 4


def report(*arguments, check=True):
    done = subprocess.run([sys.executable, "-B", REPORT, *map(str, arguments)], capture_output=True, text=True,
                          timeout=300, check=False)
    if check and done.returncode != 0:
        raise AssertionError(f"report.py exited {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


def contrast(one, other):
    """Of two colours as computed styles say them (WCAG 2.1)."""
    light = []
    for colour in (one, other):
        parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
        light.append(numpy.dot([part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts],
                               (0.2126, 0.7152, 0.0722)))
    return (max(light) + 0.05) / (min(light) + 0.05)


def browser(width, height=900):
    """Headless Chromium, or a skip that says what is missing."""
    binary, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not binary or not driver or not importlib.util.find_spec("selenium"):
        raise unittest.SkipTest("no chromium, chromium-driver or python3-selenium (scripts/bootstrap.sh --ci): skipped")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-extensions",
                 f"--window-size={width},{height}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    window = webdriver.Chrome(service=Service(driver), options=options)
    # A window has a least width, so a phone's is emulated.
    window.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                           {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500})
    return window


def users(count):
    return f"{count:,} user" if count == 1 else f"{count:,} users"


@unittest.skipIf(LIBRARIES, f"Python lacks {', '.join(LIBRARIES)} (scripts/bootstrap.sh): skipped")
class Report(WithDirectory):
    @classmethod
    def setUpClass(cls):
        """One population, run twice, with a hostile item, everything that a report can show; and another without."""
        holder = tempfile.TemporaryDirectory(prefix="cohort-e2e-")
        cls.addClassCleanup(holder.cleanup)
        cls.data = pathlib.Path(holder.name)
        cohort("generate", "--output", cls.data, "--users", 400, "--items", 120, "--interactions", 9000, "--segments",
               SEGMENTS, "--noise", 0.1, "--social", 600, "--seed", 3)
        interactions = cls.data / "interactions.tsv"
        # The item that most have gets the hostile id, so that it is in profiles and recommendations.
        lines = interactions.read_text().splitlines()
        items = [line.split("\t")[1] for line in lines]
        favourite = max(sorted(set(items)), key=items.count)
        interactions.write_text("".join("\t".join(HOSTILE if column == 1 and part == favourite else part
                                                  for column, part in enumerate(line.split("\t"))) + "\n"
                                        for line in lines))
        users = sorted({line.split("\t")[0] for line in lines[1:]})
        (cls.data / "users.csv").write_text("user,age,town\n" + "".join(
            f"{user},{20 + n % 50},{'<b>north</b>' if n % 3 else 'south'}\n" for n, user in enumerate(users)))
        items = sorted(set(items) - {"item", "item_id", favourite})
        (cls.data / "items.csv").write_text("item,title,genre\n" + "".join(
            f"{item},Title of {item},{'drama|war' if n % 2 else 'comedy'}\n" for n, item in enumerate(items)))
        cls.settings = [f"output.directory={cls.data}/run", "train.epochs=8", f"segment.count={SEGMENTS}",
                        "input.holdout=0.2", f"input.user_attributes={cls.data}/users.csv",
                        f"input.item_attributes={cls.data}/items.csv", "profile.top=8", "recommend.count=7"]
        cls.run_cohort("run", ranks=2)
        cls.result = cls.data / "run" / "segments.h5"
        cls.bare = cls.data / "bare.h5"
        bare = ("--set", f"output.directory={cls.data}/stages")
        for command in ("prepare", "partition", "train", "segment"):
            cls.run_cohort(command, *bare)
        shutil.copy(cls.data / "stages" / "segments.h5", cls.bare)
        cls.run_cohort("run", "--set", f"output.directory={cls.data}/other", "--set", "train.seed=5")
        cls.strategies = cls.data / "strategies.json"
        cls.strategies.write_text(cohort("evaluate", "--result", cls.result, "--strategies", "--json").stdout)
        cls.compare = cls.data / "compare.json"
        cls.compare.write_text(cohort("compare", cls.data / "other" / "segments.h5", cls.result, "--json").stdout)
        cls.page = cls.data / "report.html"
        if not LIBRARIES:
            report(cls.result, "--strategies", cls.strategies, "--compare", cls.compare, "--output", cls.page)

    @classmethod
    def run_cohort(cls, command, *arguments, ranks=1):
        cohort(command, cls.data / "config.toml", "--quiet",
               *(part for setting in cls.settings for part in ("--set", setting)), *arguments, ranks=ranks)

    def open(self, page, width):
        window = browser(width)
        self.addCleanup(window.quit)
        window.get(page.as_uri())
        return window

    def check_page(self, window, width):
        self.assertEqual(window.execute_script("return window.innerWidth"), width)
        self.check_width(window)
        images = window.execute_script("return [...document.images].map(i => [i.complete && i.naturalWidth, i.alt])")
        self.assertTrue(images)
        for natural, alternative in images:
            self.assertGreater(natural, 0, alternative)
            self.assertTrue(alternative)
        severe = [entry for entry in window.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]
        self.assertEqual(severe, [])
        requests = [json.loads(entry["message"])["message"] for entry in window.get_log("performance")]
        urls = [request["params"]["request"]["url"] for request in requests
                if request["method"] == "Network.requestWillBeSent"]
        self.assertEqual([url for url in urls if not url.startswith(("file:", "data:"))], [])
        self.assertIn("media print", window.execute_script(
            "return [...document.styleSheets].flatMap(s => [...s.cssRules])"
            ".map(r => r.media ? 'media ' + r.media.mediaText : '').join()"))

    def check_width(self, window):
        self.assertEqual(window.execute_script(
            "return Math.max(0, document.documentElement.scrollWidth - document.documentElement.clientWidth)"), 0)

    def test_desktop_and_phone(self):
        for width in (1280, 390, 360):
            window = self.open(self.page, width)
            self.check_page(window, width)
            # Folded parts must not break the page either.
            window.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
            self.check_width(window)

    def test_cards_say_what_the_file_says(self):
        window = self.open(self.page, 1280)
        cards = window.execute_script("""
            const texts = (card, what) => [...card.querySelectorAll(what)].map(e => e.firstChild.textContent.trim());
            return [...document.querySelectorAll('article.card')].map(card => ({
                id: card.id, size: +card.dataset.size, head: card.querySelector('.size').textContent,
                items: texts(card, 'table.item td:first-child'), recommended: texts(card, '.recommended li'),
                known: [...card.querySelectorAll('.recommended li')].map(li => li.classList.contains('known')),
                marking: [...card.querySelectorAll('table.item td:first-child')]
                    .map(e => e.querySelector('.tested') != null),
                lift: [...card.querySelectorAll('table.item td:nth-child(2)')].map(e => parseFloat(e.textContent)),
                colour: card.querySelector('.number').style.background}))""")
        with h5py.File(self.result, "r") as file:
            sizes = numpy.bincount(file["users/segment"][...])
            ids = file["items/id"].asstr()[...]
            table = file["segments/profile/items"]
            begin, names = table["row_begin"][...], table["name"].asstr()[...]
            self.assertEqual(len(cards), len(sizes))
            for s, card in enumerate(cards):
                self.assertEqual((card["id"], card["size"]), (f"segment-{s}", sizes[s]))
                self.assertEqual(card["head"], f"{users(sizes[s])}, {100 * sizes[s] / sizes.sum():.1f}\u00a0%")
                rows = slice(begin[s], begin[s + 1])
                self.assertEqual(card["items"], list(names[rows]))
                self.assertEqual(card["marking"], [value == 1 for value in table["marking"][rows]])
                numpy.testing.assert_allclose(card["lift"], table["lift"][rows], rtol=0.006)
                expected = [ids[item] for item in file["segments/recommendations/item"][s] if item >= 0]
                marks = zip(file["segments/recommendations/item"][s], file["segments/recommendations/known"][s])
                self.assertEqual(card["known"], [mark == 1 for item, mark in marks if item >= 0])
                self.assertEqual(card["recommended"],
                                 [item if item == HOSTILE else f"Title of {item}" for item in expected])
        self.assertEqual(len({card["colour"] for card in cards}), len(cards))
        # One colour a segment, over map, legend, cards and flows.
        maps = window.execute_script("return document.querySelectorAll('.picture').length")  # one, or two with scikit-learn
        for card in cards:
            self.assertEqual(window.execute_script("return [...document.querySelectorAll(`a[href='#${arguments[0]}']`)]"
                                                   ".map(a => a.matches('.number') ? a : a.querySelector('.number'))"
                                                   ".filter(a => a).map(a => a.style.background)", card["id"]),
                             [card["colour"]] * (maps + 1))
        bars = window.execute_script("return [...document.querySelectorAll('.flows rect')].map(r => r.textContent)")
        self.assertTrue({f"segment {s}: {users(size)}" for s, size in enumerate(sizes)} <= set(bars))

    def test_a_hostile_id_is_text(self):
        text = self.page.read_text()
        self.assertIn("&lt;script&gt;document.title", text)
        self.assertNotIn("<script", text)
        self.assertNotIn("<b>north", text)
        links = []
        parser = html.parser.HTMLParser()
        parser.handle_starttag = lambda tag, attributes: links.extend(
            value for name, value in attributes if name in ("src", "href", "action", "data") or name.startswith("on"))
        parser.feed(text)
        self.assertGreater(len(links), SEGMENTS)
        self.assertEqual([link for link in links if not link.startswith(("#", "data:"))], [])
        window = self.open(self.page, 1280)
        self.assertIn("Cohort", window.title)
        self.assertEqual(window.execute_script("return document.scripts.length"), 0)
        self.assertIn(HOSTILE, window.execute_script("return document.body.textContent"))

    def test_numbers_of_strategies_and_flows(self):
        window = self.open(self.page, 1280)
        text = window.execute_script("return document.body.innerText")
        found = json.loads(self.strategies.read_text())["strategies"]["segment"]["overall"]
        said = [p.text for p in window.find_elements("css selector", "#strategies p") if "beats what is popular" in p.text]
        self.assertEqual(len(said), 1)
        self.assertEqual(said[0].startswith("Recommending"), found["beats_global"])
        self.assertEqual(said[0].startswith("Nothing shows"), not found["beats_global"])
        self.assertIn(f"{found['ndcg']['mean']:.3f}", text)
        compared = json.loads(self.compare.read_text())
        self.assertIn(f"{100 * compared['stay_share']:.1f}\u00a0% of the {compared['users']['common']} users", text)
        bands = window.execute_script("return [...document.querySelectorAll('.flows path')].map(p => p.textContent)")
        self.assertEqual(sorted(bands), sorted(f"{flow['from']} to {flow['to']}: {users(flow['users'])}"
                                               for flow in compared["flows"]))
        with h5py.File(self.result, "r") as file:
            self.assertEqual(len(window.find_elements("css selector", ".ranks tr:first-child .track")),
                             len(file["history/timing/prepare"]) + len(file["history/traffic/owned"]))

    def test_what_is_absent_is_said(self):
        page = self.path / "bare.html"
        report(self.bare, "--users", 50, "--output", page)
        window = self.open(page, 390)
        self.check_page(window, 390)
        text = window.execute_script("return document.body.innerText")
        for words in ("cohort profile CONFIG.toml", "cohort recommend CONFIG.toml", "--strategies --json",
                      "sample of 50"):
            self.assertIn(words, text)
        self.assertEqual(len(window.find_elements("css selector", "article.card")), SEGMENTS)
        self.assertEqual(window.find_elements("css selector", "#flows"), [])

    def test_the_share_of_variance_is_of_plain_kmeans_alone(self):
        with h5py.File(self.result) as file:
            embedding, segment = file["users/embedding"][...].astype(float), file["users/segment"][...]
        means = numpy.array([embedding[segment == s].mean(axis=0) for s in range(SEGMENTS)])
        inside = numpy.square(embedding - means[segment]).sum()
        share = 100 * (1 - inside / numpy.square(embedding - embedding.mean(axis=0)).sum())
        words = "of the variance of the users' embeddings"
        self.assertIn(f"{share:.1f}", re.search(rf"account for (.{{0,20}}) {words}", html.unescape(
            self.page.read_text())).group(1))
        # Users by direction, as the loss has it or the configuration says: distances are none between rows.
        for setting in ("train.loss=softmax", "segment.method=spherical"):
            directory = self.path / setting
            self.run_cohort("run", "--set", setting, "--set", f"output.directory={directory}", "--set",
                            "train.learning_rate=auto")
            page = self.path / "by-direction.html"
            report(directory / "segments.h5", "--output", page)
            self.assertNotIn(words, html.unescape(page.read_text()))

    def test_many_segments(self):
        many = self.path / "many"
        self.run_cohort("run", "--set", "segment.count=70", "--set", f"output.directory={many}")
        self.run_cohort("profile", "--set", "segment.count=70", "--set", f"output.directory={many}")
        compare = self.write("compare.json", cohort("compare", self.result, many / "segments.h5", "--json").stdout)
        page = self.path / "many.html"
        report(many / "segments.h5", "--compare", compare, "--output", page)
        for width in (1280, 360):
            window = self.open(page, width)
            self.check_page(window, width)
            self.assertEqual(len(window.find_elements("css selector", "article.card")), 70)
            badges = window.execute_script("return [...document.querySelectorAll('.card .number')].map("
                                           "e => [getComputedStyle(e).color, getComputedStyle(e).backgroundColor])")
            self.assertGreaterEqual(min(contrast(*badge) for badge in badges), 4.5)
            self.assertIn("too many segments to draw", window.execute_script("return document.body.innerText"))

    def test_the_same_bytes_again(self):
        again = self.path / "again.html"
        report(self.result, "--strategies", self.strategies, "--compare", self.compare, "--output", again)
        self.assertEqual(again.read_bytes(), self.page.read_bytes())

    def refuses(self, words, *arguments):
        output = self.path / "refused.html"
        before = set(self.path.iterdir())
        done = report(*arguments, *([] if "--output" in arguments else ["--output", output]), check=False)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertTrue(done.stderr.startswith("error: "), done.stderr)
        self.assertIn(words, done.stderr)
        self.assertEqual(set(self.path.iterdir()), before, "nothing may be left")

    def changed(self, change):
        path = self.path / "changed.h5"
        shutil.copy(self.result, path)
        with h5py.File(path, "r+") as file:
            change(file)
        reseal(path)
        return path

    def test_other_files_are_refused(self):
        self.refuses("there is no such file", self.path / "none.h5")
        self.refuses("cannot be read as HDF5", self.write("text.h5", "no HDF5"))
        self.refuses("there is no such file", self.path)
        self.refuses("is a graph file", self.data / "run" / "graph.h5")
        self.refuses("is a model file", self.data / "run" / "model.h5")
        with h5py.File(self.path / "foreign.h5", "w") as file:
            file["users/id"] = [1, 2]
        self.refuses("is no file of Cohort", self.path / "foreign.h5")
        self.refuses("schema version 1", self.changed(lambda file: file.attrs.modify("schema_version", 1)))
        self.refuses("older Cohort", self.changed(lambda file: file.pop("users/map")))
        for name in ("users/margin", "segments/size", "history/loss", "segments/profile/items/name"):
            self.refuses("damaged", self.changed(lambda file: file.pop(name)))

        def no_number(file):
            file["users/map"][3, 1] = numpy.nan
        self.refuses("no finite number", self.changed(no_number))

        def other_segment(file):
            file["users/segment"][0] = SEGMENTS + 1
        self.refuses("does not count", self.changed(other_segment))
        whole = self.result.read_bytes()
        with h5py.File(self.result, "r") as file:
            place = file["users/margin"].id.get_offset() + 5
        self.refuses("dataset /users/margin is damaged", self.write(
            "flipped.h5", whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1:]))
        self.refuses("cannot be read as HDF5", self.write("cut.h5", whole[:len(whole) // 2]))
        self.refuses("cannot be written", self.result, "--output", self.path / "no" / "such" / "report.html")

    def test_links_and_devices_are_written_through(self):
        link, file = self.path / "link.html", self.path / "file.html"
        link.symlink_to("file.html")
        report(self.result, "--output", link)
        self.assertTrue(link.is_symlink())
        self.assertIn("<html", file.read_text())
        report(self.result, "--output", "/dev/null")
        self.assertTrue(pathlib.Path("/dev/null").is_char_device())
        self.refuses("Is a directory", self.result, "--output", self.path)
        self.refuses("No space left", self.result, "--output", "/dev/full")

    def test_other_json_is_refused(self):
        self.refuses("there is no such file", self.result, "--strategies", self.path / "none.json")
        for option, right in (("--strategies", self.strategies), ("--compare", self.compare)):
            other = self.compare if right == self.strategies else self.strategies
            huge = re.sub(r'("(?:test_users|common)": )\d+', r"\1 1e999", right.read_text())
            self.assertNotEqual(huge, right.read_text())
            for text in ("", "{", "[]", "{}", "null", other.read_text(), "\xff", huge):
                self.refuses("json: ", self.result, option, self.write("wrong.json", text.encode("latin-1")))
            found = json.loads(right.read_text())
            if option == "--compare":
                wrong = found | {"matching": [{"from": 0, "to": SEGMENTS, "users": 1}]}
                self.refuses("does not have", self.result, option, self.write("wrong.json", json.dumps(wrong)))
            if option == "--strategies":
                found["strategies"]["segment"]["segments"].pop()
            else:
                for side in ("first", "second"):
                    found["segments"][side][0] += 1
            self.refuses("reported on", self.result, option, self.write("others.json", json.dumps(found)))


if __name__ == "__main__":
    unittest.main(verbosity=2)
