"""Segments in use, on data whose truth is known. Planted: what marks a segment are the items planted for it, its users
are recommended more to their liking than by popularity, and what explains them are planted items. Without any structure:
nothing is said to mark a segment but by the error allowed for, and no strategy is said to gain."""

import collections
import json
import unittest

import h5py
import numpy

from support import WithDirectory, cohort


def table(path):
    with open(path) as file:
        next(file)
        return dict(line.split() for line in file)


class Planted(WithDirectory):
    def run_made_up(self, name, *settings, **options):
        """A made-up population and its result, with a fifth of the interactions held out."""
        data = self.path / name
        cohort("generate", "--quiet", "--output", data,
               *(part for key, value in options.items() for part in (f"--{key}", value)))
        settings = ["input.holdout=0.2", f"train.seed={options['seed']}", *settings]
        cohort("run", data / "config.toml", "--quiet", *(part for s in settings for part in ("--set", s)))
        return data, data / "run" / "segments.h5"

    def strategies(self, result):
        return json.loads(cohort("evaluate", "--strategies", "--json", "--quiet", "--result", result).stdout)

    def test_planted_items_mark_explain_and_are_recommended(self):
        data, result = self.run_made_up("data", users=1500, items=600, interactions=45000, segments=5, noise=0.2,
                                        seed=4)
        planted_user, planted_item = table(data / "truth.tsv"), table(data / "item_truth.tsv")
        with h5py.File(result) as file:
            users = [name.decode() for name in file["users/id"][...]]
            items = numpy.array([name.decode() for name in file["items/id"][...]])
            segment = file["users/segment"][...]
            profile = file["segments/profile"]
            begin, listed = profile["items/row_begin"][...], items[profile["items/item"][...]]
            marking = profile["items/marking"][...] != 0
            typical = profile["representative/id"][...].reshape(5, -1)
            recommended = items[file["segments/recommendations/item"][...]]

        planted_as = []
        for s in range(5):
            counts = collections.Counter(planted_user[users[u]] for u in numpy.flatnonzero(segment == s))
            planted_as.append(counts.most_common(1)[0][0])
        self.assertEqual(sorted(planted_as), list("01234"), "every planted segment is found")

        for s in range(5):
            marked = listed[begin[s]:begin[s + 1]][marking[begin[s]:begin[s + 1]]]
            own = sum(planted_item[item] == planted_as[s] for item in marked)
            self.assertGreaterEqual(len(marked), 5)
            self.assertGreaterEqual(own, 0.95 * len(marked), f"segment {s}: {marked}")
            own = sum(planted_item[item] == planted_as[s] for item in recommended[s])
            self.assertGreaterEqual(own, 0.9 * len(recommended[s]), f"segment {s}: {recommended[s]}")

        own = shown = 0
        for s in range(5):
            for user in typical[s][:3]:
                explained = json.loads(cohort("explain", "--result", result, "--user", users[user], "--json",
                                              "--quiet").stdout)
                best = [c["item"] for c in explained["exact"]["contributions"][:5]]
                own += sum(planted_item[item] == planted_as[s] for item in best)
                shown += len(best)
        self.assertGreaterEqual(shown, 60)
        self.assertGreaterEqual(own, 0.9 * shown)

        compared = self.strategies(result)["strategies"]["segment"]
        self.assertTrue(compared["overall"]["beats_global"])
        self.assertGreater(compared["overall"]["ndcg"]["gain_interval"][0], 0)
        self.assertEqual([s["beats_global"] for s in compared["segments"]], [True] * 5)

    def test_without_structure_nothing_is_claimed(self):
        claims, marked, tested = [], 0, 0
        for seed in range(1, 21):
            _, result = self.run_made_up(f"noise{seed}", "recommend.count=1", "train.epochs=40", users=300, items=150,
                                         interactions=6000, segments=4, noise=1, seed=seed)
            for name, strategy in self.strategies(result)["strategies"].items():
                sets = [strategy["overall"], strategy["cold"], *strategy["segments"]]
                claims += [(seed, name) for measures in sets if measures["beats_global"]]
            with h5py.File(result) as file:
                found = file["segments/profile/items/marking"][...]
                marked, tested = marked + found.sum(), tested + len(found)
        # Each population may claim anything at all with a probability of 1 %.
        self.assertEqual(claims, [])
        self.assertGreater(tested, 400)
        self.assertLessEqual(marked, 0.05 * tested)


if __name__ == "__main__":
    unittest.main(verbosity=2)
