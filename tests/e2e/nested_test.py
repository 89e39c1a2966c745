"""Nested segments (segment.levels): planted ones found, the file against itself and numpy, --level, and what is refused."""

import csv
import io
import json
import re
import unittest

import h5py
import numpy

from report_test import LIBRARIES, browser, report
from support import WithDirectory, changed, cohort, evaluate

GROUPS, PARTS, USERS = 4, 12, 360
COUNTS = [GROUPS, PARTS, 30]


def column(text, name):
    return [line[name] for line in csv.DictReader(io.StringIO(text))]


def agreement(a, b):
    """The adjusted Rand index."""
    pairs = lambda counts: (counts * (counts - 1) / 2).sum()
    table = numpy.zeros((max(a) + 1, max(b) + 1))
    numpy.add.at(table, (a, b), 1)
    together, one, other = pairs(table), pairs(table.sum(1)), pairs(table.sum(0))
    expected = one * other / (len(a) * (len(a) - 1) / 2)
    return (together - expected) / ((one + other) / 2 - expected)


class Nested(WithDirectory):
    def make(self, *settings, ranks=2, levels=COUNTS):
        """Users of 4 groups of 3 parts each, who like what their group and their part likes."""
        random = numpy.random.default_rng(4)
        lines = ["user,item"]
        for user in range(USERS):
            group, part = user % GROUPS, user % PARTS
            liked = [f"g{group}-{n}" for n in random.choice(30, 10, replace=False)]
            liked += [f"p{part}-{n}" for n in random.choice(12, 8, replace=False)]
            liked += [f"x-{n}" for n in random.choice(40, 2, replace=False)]
            lines += [f"u{user:03d},{item}" for item in liked]
        self.write("log.csv", "\n".join(lines) + "\n")
        self.write("config.toml", f"""[input]
interactions = "log.csv"
holdout = 0.2
[train]
steps = 60
temperature = 0.2
pair_weight = "equal"
length_power = 0
[segment]
levels = {levels}
[recommend]
strategy = "segment"
[output]
directory = "{self.path}/run"
""")
        cohort("run", self.path / "config.toml", "--quiet", *(part for one in settings for part in ("--set", one)),
               ranks=ranks)
        return self.path / "run" / "segments.h5"

    def test_the_file_commands_and_report(self):
        result = self.make()
        with h5py.File(result) as file:
            ids = file["users/id"].asstr()[...]
            levels = file["users/levels"][...]
            self.check_file(file, levels)
            self.check_additions(file, levels)
            truth = numpy.array([int(user[1:]) for user in ids])
        self.assertGreater(agreement(truth % GROUPS, levels[:, 0]), 0.9)
        self.assertGreater(agreement(truth % PARTS, levels[:, 1]), 0.8)
        self.check_assign(result, ids, levels)
        self.check_export(result, levels)
        self.check_measures(result, levels)
        self.check_report(result)
        self.check_recommend(result, levels)

    def check_file(self, file, levels):
        self.assertEqual(file["segments/levels/count"][...].tolist(), COUNTS)
        self.assertEqual(levels[:, 2].tolist(), file["users/segment"][...].tolist())
        embedding = file["users/embedding"][...].astype(float)
        embedding /= numpy.linalg.norm(embedding, axis=1, keepdims=True)
        for level, count in enumerate(COUNTS):
            size = numpy.bincount(levels[:, level], minlength=count)
            self.assertTrue((size > 0).all())
            if level > 0:
                parent = file[f"segments/levels/{level + 1}/parent"][...]
                self.assertEqual(parent[levels[:, level]].tolist(), levels[:, level - 1].tolist())
            if level == 2:
                break
            group = file[f"segments/levels/{level + 1}"]
            self.assertEqual(size.tolist(), group["size"][...].tolist())
            self.assertEqual(sorted(size, reverse=True), size.tolist())
            mean = numpy.array([embedding[levels[:, level] == s].sum(0) for s in range(count)])
            mean /= numpy.linalg.norm(mean, axis=1, keepdims=True)
            numpy.testing.assert_allclose(group["centroid"][...], mean, atol=1e-5)
            self.assertEqual(len(group["profile/description"]), count)
            self.assertEqual(group["profile/interactions"][...].sum(), file["segments/profile/interactions"][...].sum())

    def check_additions(self, file, levels):
        """Counts of what a segment has more than the one above, among that one's users alone."""
        with h5py.File(self.path / "run" / "graph.h5") as graph:
            begin, item = graph["interactions/row_begin"][...], graph["interactions/item"][...]
        has = numpy.zeros((USERS, len(file["items/id"])), bool)
        has[numpy.repeat(numpy.arange(USERS), numpy.diff(begin)), item] = True
        found = 0
        for level in (1, 2):
            added = file[f"segments/levels/{level + 1}/added"]
            table = {name: added["items"][name][...] for name in ("row_begin", "item", "count", "population", "lift",
                                                                  "share", "population_share")}
            parent = file[f"segments/levels/{level + 1}/parent"][...]
            words = added["description"].asstr()[...]
            for segment, above in enumerate(parent):
                inside, whole = levels[:, level] == segment, levels[:, level - 1] == above
                if numpy.array_equal(inside, whole):
                    self.assertIn(f"all of segment {above} of level {level}", words[segment])
                    self.assertEqual(table["row_begin"][segment], table["row_begin"][segment + 1])
                    continue
                share = f"{100 * inside.sum() / whole.sum():.1f} % of segment {above} of level {level})"
                self.assertIn(share, words[segment])
                for row in range(table["row_begin"][segment], table["row_begin"][segment + 1]):
                    of_item = has[:, table["item"][row]]
                    count, population = (of_item & inside).sum(), (of_item & whole).sum()
                    self.assertEqual((table["count"][row], table["population"][row]), (count, population))
                    expected = inside.sum() * population / whole.sum()
                    self.assertAlmostEqual(table["lift"][row], (count + 5) / (expected + 5), places=10)
                    self.assertAlmostEqual(table["population_share"][row], population / whole.sum())
                    found += 1
        self.assertGreater(found, 30)
        # What all of a group like is no news of its parts.
        names = file["segments/levels/2/added/items/name"].asstr()[...]
        self.assertGreater(numpy.mean([name.startswith("p") for name in names]), 0.8)

    def check_assign(self, result, ids, levels):
        for level in (1, 2, 3):
            arguments = ("assign", "--result", result, "--level", level, "--count", 1)
            done = cohort(*arguments, "--interactions", self.path / "log.csv", "--csv", ranks=1 + level % 2)
            found = dict(zip(column(done.stdout, "user"), map(int, column(done.stdout, "segment"))))
            self.assertEqual(list(found), ids.tolist())
            agree = numpy.mean([found[user] == of_user for user, of_user in zip(ids, levels[:, level - 1])])
            self.assertGreater(agree, 0.95 if level < 3 else 0.5)
            finest = cohort(*arguments[:3], "--interactions", self.path / "log.csv", "--count", 1, "--csv").stdout \
                if level == 3 else None
            if finest:
                self.assertEqual(done.stdout, finest)
            self.assertGreaterEqual(min(map(float, column(done.stdout, "margin"))), 0)
        item = "p5-3"
        with self.write("one.jsonl", json.dumps({"user": "n", "items": [item]}) + "\n").open() as lines:
            answer = json.loads(cohort(*arguments[:3], "--level", 2, "--stream", stdin=lines).stdout)
        self.write("one.csv", f"user,item\nn,{item}\n")
        same = cohort(*arguments[:3], "--level", 2, "--interactions", self.path / "one.csv", "--format", "csv")
        self.assertEqual(answer, json.loads(same.stdout))
        for wrong, words in (("4", "has levels 1 to 3, but --level is 4"), ("0", "--level")):
            done = cohort(*arguments[:3], "--level", wrong, "--interactions", self.path / "log.csv", check=False, ranks=2)
            self.assertEqual(done.returncode, 2)
            self.assertIn(words, done.stderr)

    def check_export(self, result, levels):
        users = cohort("export", result, ranks=3).stdout
        for level in range(3):
            self.assertEqual(list(map(int, column(users, f"level_{level + 1}"))), levels[:, level].tolist())
        line = json.loads(cohort("export", result, "--format", "jsonl").stdout.splitlines()[7])
        self.assertEqual([line[f"level_{level}"] for level in (1, 2, 3)], levels[7].tolist())
        every = list(csv.DictReader(io.StringIO(cohort("export", result, "--what", "levels", ranks=2).stdout)))
        self.assertEqual(len(every), sum(COUNTS))
        for row in every:
            level = int(row["level"]) - 1
            inside = levels[:, level] == int(row["segment"])
            self.assertEqual(int(row["users"]), inside.sum())
            above = set(levels[inside, level - 1]) if level else {-1}
            self.assertEqual({int(row["parent"])}, above)

    def check_measures(self, result, levels):
        """NDCG of the strategy segment at every level, against numpy."""
        with h5py.File(result) as file, h5py.File(self.path / "run" / "graph.h5") as graph:
            smoothing = file["segments/levels/smoothing"][...]
            items = len(file["items/id"])
            pairs = [numpy.zeros((USERS, items), bool) for _ in range(2)]
            for has, name in zip(pairs, ("interactions", "holdout")):
                begin, item = graph[f"{name}/row_begin"][...], graph[f"{name}/item"][...]
                user = numpy.repeat(numpy.arange(USERS), numpy.diff(begin))
                has[user[item >= 0], item[item >= 0]] = True
                if name == "holdout":
                    held = numpy.diff(begin)
        trained, wanted = pairs
        gains = 1 / numpy.log2(numpy.arange(20) + 2)
        measured = evaluate(result, ranks=2)
        self.assertEqual([one["segments"] for one in measured["levels"]], COUNTS)
        popular = (trained.sum(0) + 1) / (trained.sum() + items)
        for level, one in enumerate(measured["levels"]):
            inside = numpy.array([trained[levels[:, level] == s].sum(0) for s in range(COUNTS[level])])
            chance = (inside / smoothing[level] + popular) / (inside.sum(1, keepdims=True) / smoothing[level] + 1)
            score = numpy.where(trained, -1, chance[levels[:, level]])
            best = numpy.argsort(-score, axis=1, kind="stable")[:, :20]
            hits = numpy.take_along_axis(wanted, best, 1)
            ndcg = [hits[u] @ gains / gains[:min(20, held[u])].sum() for u in range(USERS) if held[u] > 0]
            self.assertAlmostEqual(one["ndcg@20"], numpy.mean(ndcg), places=6)
        self.assertEqual(measured["levels"][2]["ndcg@20"], measured["strategies"]["segment"]["ndcg@20"])
        # Groups like 30 items, parts 12 more: the parts tell more.
        self.assertGreater(measured["levels"][1]["ndcg@20"], 1.2 * measured["levels"][0]["ndcg@20"])

    def check_recommend(self, result, levels):
        arguments = ("recommend", self.path / "config.toml", "--quiet")
        with h5py.File(result) as file:
            before = file["segments/levels/1/recommendations/item"][...].tolist()
            ids = file["items/id"].asstr()[...]
        cohort(*arguments, "--level", 1, "--csv", self.path / "lists.csv", ranks=2)
        lines = list(csv.DictReader(io.StringIO((self.path / "lists.csv").read_text())))
        lists = {}
        for line in lines:
            if not line["user"]:
                lists.setdefault(int(line["segment"]), []).append(line["item"])
        with h5py.File(result) as file:
            self.assertEqual(int(file.attrs["recommend_level"]), 1)
            self.assertEqual(file["segments/levels/1/recommendations/item"][...].tolist(), before)
            self.assertEqual(lists, {s: ids[row].tolist() for s, row in enumerate(before)})
            mine = file["users/recommendations/item"][...]
            users = file["users/id"].asstr()[...].tolist()
        of_user = {line["user"]: int(line["segment"]) for line in lines if line["user"]}
        self.assertEqual([of_user[user] for user in users], levels[:, 0].tolist())
        measured = evaluate(result)
        self.assertEqual(measured["strategies"]["segment"]["ndcg@20"], measured["levels"][0]["ndcg@20"])
        # By the segments of level 1: mostly what groups like, in the order of their lists.
        order = [ids[item] for item in mine[0] if item >= 0]
        listed = [item for item in lists[levels[0, 0]] if item in order]
        self.assertEqual(listed, [item for item in order if item in listed])
        done = cohort(*arguments, "--level", 7, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("has levels 1 to 3, but --level is 7", done.stderr)
        told = cohort("profile", self.path / "config.toml").stdout
        self.assertEqual(len(re.findall(r"(?m)^ *level [123] segment \d+: ", told)), sum(COUNTS))

    def check_report(self, result):
        if LIBRARIES:
            return
        page = self.path / "report.html"
        report(result, "--output", page)
        text = page.read_text()
        for level, count in enumerate(COUNTS[:2], 1):
            self.assertEqual(sorted(map(int, re.findall(rf'id="level-{level}-segment-(\d+)"', text))), list(range(count)))
        self.assertEqual(len(re.findall('<a class="leaf"', text)), COUNTS[2])
        self.assertEqual(len(re.findall('<article class="card"', text)), COUNTS[2])
        for width in (1280, 390):
            try:
                window = browser(width)
            except unittest.SkipTest:
                return
            self.addCleanup(window.quit)
            window.get(page.as_uri())
            for unfolded in (False, True):
                if unfolded:
                    window.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
                self.assertEqual(window.execute_script(
                    "return document.documentElement.scrollWidth - document.documentElement.clientWidth"), 0)
                # As large as WCAG 2.2 (2.5.8) wants what is tapped, and no number of the map over another.
                tapped = window.execute_script("""
                    return [...document.querySelectorAll('main a, summary')].map(e => [e.className, e.getBoundingClientRect()])
                        .filter(([, r]) => r.width).map(([name, r]) => [name, r.x, r.y, r.width, r.height])""")
                self.assertGreater(len(tapped), COUNTS[1] + (COUNTS[2] if unfolded else 0))
                self.assertEqual([one for one in tapped if min(one[3:]) < 24], [])
                numbers = [one[1:3] for one in tapped if one[0].startswith("number")]
                self.assertEqual([(one, other) for n, one in enumerate(numbers) for other in numbers[:n]
                                  if numpy.hypot(*numpy.subtract(one, other)) < 24], [])
            # The map's numbers are those that its legend explains, in the same colours.
            shown = window.execute_script("""return ['.picture a', '.legend a'].map(chosen => [...document.querySelectorAll(chosen)]
                .map(a => [a.getAttribute('href'), (a.matches('.number') ? a : a.querySelector('.number')).style.background]))""")
            self.assertEqual([href for href, _ in shown[1]], [f"#level-1-segment-{s}" for s in range(COUNTS[0])])
            self.assertGreater(len(shown[0]), 1)
            self.assertEqual([one for one in shown[0] if one not in shown[1]], [])

    def test_what_does_not_go_together_is_refused(self):
        self.make(levels=[2, 3])
        arguments = ("segment", self.path / "config.toml", "--quiet")
        for settings, words in (
                (["segment.levels=[5]"], "names one number"),
                (["segment.levels=[5, 5]"], "must ascend, from few large segments to many small ones, but 5 follows 5"),
                (["segment.levels=[9, 3]"], "must ascend"),
                (["segment.levels=[2, 20000]"], "at most 10000 segments are nested"),
                (["segment.count=7"], "leave segment.count out"),
                (['segment.count="auto"'], 'segment.count cannot be "auto"'),
                (["train.joint=true"], "train.joint exclude each other"),
                (["segment.previous=other.h5"], "segment.previous"),
                (["segment.levels=[3, 400]"], f"segment.levels ends in 400, but there are only {USERS} users")):
            done = cohort(*arguments, *(part for one in settings for part in ("--set", one)), check=False, ranks=2)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(words, done.stderr)
            self.assertEqual(done.stderr.count("error"), 1)
        result = self.path / "run" / "segments.h5"
        with changed(result) as file:
            parent = file["segments/levels/2/parent"]
            parent[...] = 1 - parent[...]
        done = cohort("export", result, check=False, ranks=2)
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, "dataset /(segments/levels/1/size does not count|users/levels is not what)")


if __name__ == "__main__":
    unittest.main()
