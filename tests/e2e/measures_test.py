"""What is measured, on what, and what is said of it: measures of every strategy against numpy on the lists that are
written; test pairs that are trained, repeated or unknown; hold-outs that hold nothing; cut-offs; what a segment knows."""

import csv
import json
import pathlib
import tempfile
import unittest

import h5py
import numpy

from support import WithDirectory, cohort, datasets, evaluate

STRATEGIES = ("global", "segment", "personal", "blend", "filter", "hybrid")


def table(result, group, other="item"):
    with h5py.File(result.parent / "graph.h5", "r") as file:
        if group not in file:
            return None
        rows, values = file[f"{group}/row_begin"][...], file[f"{group}/{other}"][...]
        return [values[rows[u]:rows[u + 1]] for u in range(len(rows) - 1)]


def measures_of(lists, held, k):
    """recall, ndcg, precision, hit rate of lists (best first, -1 at the end) over users with held-out items."""
    gain = 1 / numpy.log2(numpy.arange(2, k + 2))
    rows = []
    for best, wanted in zip(lists, held):
        if len(wanted) == 0:
            continue
        hits = numpy.isin(best[:k], wanted) & (best[:k] >= 0)
        rows.append([hits.sum() / len(wanted), gain[:len(hits)][hits].sum() / gain[:len(wanted)].sum(),
                     hits.sum() / k, hits.any()])
    return dict(zip(("recall", "ndcg", "precision", "hit_rate"), numpy.mean(rows, axis=0)))


def philox_uniform(seed, purpose, a, b=0):
    """core/random's number for a counter, after Salmon et al. 2011."""
    x, key = [a & 0xFFFFFFFF, a >> 32, b, purpose], [seed & 0xFFFFFFFF, seed >> 32]
    for _ in range(10):
        p, q = 0xD2511F53 * x[0], 0xCD9E8D57 * x[2]
        x = [(q >> 32) ^ x[1] ^ key[0], q & 0xFFFFFFFF, (p >> 32) ^ x[3] ^ key[1], p & 0xFFFFFFFF]
        key = [(key[0] + 0x9E3779B9) & 0xFFFFFFFF, (key[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return (((x[1] << 32) | x[0]) >> 11) * 2.0 ** -53


class Planted(WithDirectory):
    """One run on generated data, which the tests copy nothing of and leave as it is."""

    @classmethod
    def setUpClass(cls):
        holder = tempfile.TemporaryDirectory(prefix="cohort-e2e-")
        cls.addClassCleanup(holder.cleanup)
        cls.data = pathlib.Path(holder.name)
        cohort("generate", "--users", 300, "--items", 150, "--interactions", 6000, "--segments", 4, "--noise", 0.2,
               "--social", 400, "--seed", 5, "--output", cls.data)
        cls.config = cls.data / "config.toml"
        cls.ran = cohort("run", cls.config, *cls.settings(cls.data / "out"), ranks=2)
        cls.result = cls.data / "out" / "segments.h5"

    @staticmethod
    def settings(output, *more):
        values = [f"output.directory={output}", "input.holdout=0.2", "train.epochs=4", "model.dim=16",
                  "evaluate.k=[20, 5]", "recommend.strategy=auto", *more]
        return [part for value in values for part in ("--set", value)]


class Strategies(Planted):
    def test_measures_are_those_of_the_lists_written(self):
        held = table(self.result, "holdout")
        found = {}
        for strategy in STRATEGIES:
            cohort("recommend", self.config, "--strategy", strategy, *self.settings(self.data / "out"), ranks=3)
            measures = evaluate(self.result, ranks=2)
            self.assertEqual(measures, evaluate(self.result))
            self.assertEqual(measures["written_strategy"], strategy)
            with h5py.File(self.result) as file:
                lists = file["users/recommendations/item"][...]
            for k in (20, 5):
                for name, value in measures_of(lists, held, k).items():
                    self.assertAlmostEqual(measures["strategies"][strategy][f"{name}@{k}"], value, places=9)
                    self.assertEqual(measures[f"{name}@{k}"], measures["strategies"]["personal"][f"{name}@{k}"])
            found[strategy] = measures["strategies"]
        # What needs nothing learnt is there whatever is written, and the same; a blend was made where one was written.
        self.assertEqual(list(found["blend"]), ["global", "segment", "personal", "blend"])
        self.assertEqual(list(found["filter"]), ["global", "personal", "filter"])
        self.assertEqual(list(found["hybrid"]), ["global", "personal", "filter", "hybrid"])
        self.assertEqual(list(found["segment"]), ["global", "segment", "personal"])
        self.assertEqual(list(found["personal"]), ["global", "personal"])
        for strategy in STRATEGIES:
            self.assertEqual(found[strategy]["personal"], found["blend"]["personal"])
        self.assertNotEqual(found["blend"]["global"], found["blend"]["personal"])

    def test_they_stand_side_by_side(self):
        cohort("recommend", self.config, *self.settings(self.data / "out"))
        measures = evaluate(self.result)
        written = measures["written_strategy"]
        self.assertIn(written, STRATEGIES[2:])
        for text in (self.ran.stdout, cohort("evaluate", "--result", self.result, ranks=2).stdout):
            names = " +".join(name + (r" \(written\)" if name == written else "") for name in STRATEGIES)
            self.assertRegex(text, f"(?m)^strategy +{names}$")
            self.assertIn(f"the lists written are those of {written}", text)
            for name in ("recall@20", "ndcg@5"):
                values = " +".join(f"{measures['strategies'][s][name]:.4f}" for s in STRATEGIES)
                self.assertRegex(text, f"(?m)^{name} +{values}$")
        comparison = json.loads(cohort("evaluate", "--strategies", "--json", "--result", self.result).stdout)
        self.assertEqual(comparison["written_strategy"], written)
        self.assertEqual(list(comparison["strategies"]), [*STRATEGIES, "itemcf"])
        for strategy in STRATEGIES:
            overall = comparison["strategies"][strategy]["overall"]
            self.assertAlmostEqual(overall["ndcg"]["mean"], measures["strategies"][strategy]["ndcg@20"], places=6)

    def test_cut_offs_above_the_number_of_items(self):
        output = self.path / "out"
        with h5py.File(self.result) as file:
            items = len(file["items/id"])
        done = cohort("run", self.config, *self.settings(output, "evaluate.k=[1000, 5, 200]", "train.epochs=1"), ranks=2)
        self.assertIn(f"evaluate.k = 1000 is more than there are items: {items}", done.stderr)
        measures = evaluate(output / "segments.h5")
        self.assertEqual([name for name in measures if name.startswith("recall@")], [f"recall@{items}", "recall@5"])
        # All that may be recommended is in a list of all items.
        self.assertEqual(measures[f"recall@{items}"], 1)
        comparison = json.loads(cohort("evaluate", "--strategies", "--json", "--result", output / "segments.h5").stdout)
        self.assertEqual(comparison["k"], items)


class Validation(Planted):
    def left(self):
        """Which interactions the validation embedding may know, drawn here again: user, item by number."""
        pairs = set()
        for user, items in enumerate(table(self.result, "interactions")):
            # Fewer than 5,000 users: all of them hold back, a tenth or one, but no more than a fifth.
            share = min(0.2, max(0.1, 1 / max(len(items), 1)))
            held = [i for i in items if philox_uniform(42, 32, user, int(i)) < share]
            held = held[:-1] if len(held) == len(items) else held
            pairs |= {(user, int(i)) for i in items if i not in held}
        return pairs

    def test_its_embedding_never_saw_the_pairs(self):
        # A run from a file without the pairs, in one shard each, is trained on the same graph.
        one, other = self.path / "one", self.path / "other"
        one_shard = ["partition.shards=1", "clean.social_only_users=keep", "train.epochs=3"]
        cohort("run", self.config, *self.settings(one, *one_shard))
        with h5py.File(self.result) as file:
            user, item = ([name.decode() for name in file[f"{kind}/id"][...]] for kind in ("users", "items"))
        left = sorted(self.left())
        self.assertLess(len(left), sum(map(len, table(self.result, "interactions"))))
        known = {i for _, i in left}
        self.assertEqual(len(known), len(item), "the data should leave every item a user")
        self.write("left.tsv", "user\titem\n" + "".join(f"{user[u]}\t{item[i]}\n" for u, i in left))
        cohort("prepare", self.config, *self.settings(other, *one_shard, f"input.interactions={self.path}/left.tsv",
                                                      "input.holdout=0.0"))
        for stage in ("partition", "train"):
            cohort(stage, self.config, *self.settings(other, *one_shard, f"input.interactions={self.path}/left.tsv",
                                                      "input.holdout=0.0"))
        with h5py.File(one / "validation.h5") as found, h5py.File(other / "model.h5") as expected:
            self.assertEqual(found["embedding"][...].tobytes(), expected["embedding"][...].tobytes())
            self.assertEqual(found["history/loss"][...].tobytes(), expected["history/loss"][...].tobytes())
        with h5py.File(one / "model.h5") as model, h5py.File(one / "validation.h5") as validation:
            self.assertNotEqual(model["embedding"][...].tobytes(), validation["embedding"][...].tobytes())

    def test_a_stage_alone_and_what_was_interrupted_have_the_same_bits(self):
        output = self.path / "out"
        # One epoch of both first: training of both goes on from there.
        cohort("run", self.config, *self.settings(output, "train.epochs=1"), ranks=3)
        done = cohort("run", self.config, *self.settings(output))
        self.assertIn(f"going on after epoch 1 of {output}/validation.h5", done.stderr)
        self.assertEqual(datasets(output / "segments.h5"), datasets(self.result))
        # As a stage: with what is there, and with nothing there.
        again = cohort("recommend", self.config, *self.settings(output), ranks=2)
        self.assertNotIn("epoch 4/4", again.stderr)
        self.assertEqual(datasets(output / "segments.h5"), datasets(self.result))
        (output / "validation.h5").unlink()
        cohort("recommend", self.config, *self.settings(output), ranks=3)
        self.assertEqual(datasets(output / "segments.h5"), datasets(self.result))

    def test_only_the_blend_needs_it(self):
        output = self.path / "out"
        for strategy in ("personal", "segment", "global"):
            cohort("run", self.config, *self.settings(output, "train.epochs=1", f"recommend.strategy={strategy}"))
            self.assertFalse((output / "validation.h5").exists())
        # Comparing all strategies makes the blend's weight where no blend was written.
        text = cohort("evaluate", "--strategies", "--json", "--result", output / "segments.h5", ranks=2).stdout
        self.assertTrue((output / "validation.h5").exists())
        cohort("recommend", self.config, *self.settings(output, "train.epochs=1"))
        with h5py.File(output / "segments.h5") as file:
            self.assertEqual(json.loads(text)["blend_weight"], file.attrs["recommend_blend_weight"])

    def test_users_of_one_interaction_leave_nothing_to_learn_on(self):
        pairs = "".join(f"u{n}\ti{n % 4}\n" for n in range(20))
        self.write("one.tsv", "user\titem\n" + pairs)
        done = cohort("run", self.write("one.toml", "[input]\ninteractions = 'one.tsv'\n"), "--set", "segment.count=2",
                      "--set", f"output.directory={self.path}/out", "--set", "train.epochs=1", ranks=2)
        self.assertIn("nothing could be held back", done.stderr)
        with h5py.File(self.path / "out" / "segments.h5") as file:
            self.assertEqual(file.attrs["recommend_blend_weight"], 0)


class TestPairs(Planted):
    def test_trained_and_repeated_pairs(self):
        cohort("recommend", self.config, *self.settings(self.data / "out"))
        with h5py.File(self.result) as file:
            user, item = ([name.decode() for name in file[f"{kind}/id"][...]] for kind in ("users", "items"))
            lists = file["users/recommendations/item"][...]
        trained = table(self.result, "interactions")
        random = numpy.random.default_rng(1)
        held, lines, already = [[] for _ in user], [], 0
        for u in range(len(user)):
            for i in random.choice(len(item), 12, replace=False):
                lines.append((user[u], item[i]))
                if i in trained[u]:
                    already += 1
                else:
                    held[u].append(i)
        self.assertGreater(already, 100)
        lines += lines[:50] + [(user[0], "unknown"), ("stranger", item[0])]
        held[0].append(-1)
        test = self.write("test.tsv", "user\titem\n" + "".join(f"{u}\t{i}\n" for u, i in lines))
        done = cohort("evaluate", "--json", "--result", self.result, "--test", test, ranks=3)
        measures = json.loads(done.stdout)
        for k in (20, 5):
            for name, value in measures_of(lists, held, k).items():
                self.assertAlmostEqual(measures["strategies"][measures["written_strategy"]][f"{name}@{k}"], value,
                                       places=9)
        self.assertEqual(measures["test_users"], sum(map(bool, held)))
        for words in (f"{already} pairs trained on too", "counting once: 50 repeated pairs",
                      "1 pair of users that are not trained on", "1 pair of items that are not trained on"):
            self.assertIn(words, done.stderr)
        # The same as input.test.
        output = self.path / "out"
        done = cohort("prepare", self.config, *self.settings(output, f"input.test={test}", "input.holdout=0.0"), ranks=2)
        self.assertIn("counting once: ", done.stderr)
        stored = table(output / "segments.h5", "holdout")
        interactions = table(output / "segments.h5", "interactions")
        self.assertFalse(any(set(a) & set(b) for a, b in zip(stored, interactions)))

    def test_all_of_them_are_trained(self):
        output = self.path / "out"
        settings = self.settings(output, f"input.test={self.data}/interactions.tsv", "input.holdout=0.0",
                                 "train.epochs=1")
        done = cohort("run", self.config, *settings, ranks=2)
        self.assertIn("every pair of input.test is one of the interactions that are trained on", done.stderr)
        self.assertNotIn("set input.holdout", done.stderr)
        self.assertNotIn("recall", done.stdout)
        self.assertNotIn("strategies", evaluate(output / "segments.h5"))
        refused = cohort("evaluate", "--strategies", "--result", output / "segments.h5", check=False)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("every pair of input.test", refused.stderr)

    def test_strangers(self):
        for name, content, words in (("users.tsv", "x1\ti1\nx2\ti2\n", "none of its users"),
                                     ("items.tsv", "u1\tj1\nu2\tj2\n", "none of the items"),
                                     ("swapped.tsv", "i1\tu1\ni2\tu2\n", "none of its users"),
                                     ("empty.tsv", "", "the file is empty")):
            test = self.write(name, "user\titem\n" + content)
            for ranks in (1, 3):
                for arguments in (["evaluate", "--result", self.result, "--test", test],
                                  ["run", self.config,
                                   *self.settings(self.path / "out", f"input.test={test}", "input.holdout=0.0")]):
                    done = cohort(*arguments, ranks=ranks, check=False)
                    self.assertEqual(done.returncode, 2, done.stderr)
                    self.assertIn(words, done.stderr)
                    self.assertIn(name, done.stderr)
                    self.assertEqual(done.stderr.count("cohort: error"), 1, done.stderr)
                    self.assertFalse(list((self.path / "out").glob("*.h5")))


class HoldoutsThatHoldNothing(WithDirectory):
    def check(self, name, rows, words, *settings):
        data = self.write(f"{name}.tsv", "user\titem\ttimestamp\n" + "".join(f"{u}\t{i}\t{t}\n" for u, i, t in rows))
        config = self.write(f"{name}.toml", f"[input]\ninteractions = '{data}'\n")
        output = self.path / name
        values = [f"output.directory={output}", "train.epochs=1", "model.dim=4", "segment.count=2", *settings]
        settings = [part for value in values for part in ("--set", value)]
        done = cohort("run", config, *settings, ranks=2)
        result = output / "segments.h5"
        said = cohort("evaluate", "--result", result, ranks=3)
        refused = cohort("evaluate", "--strategies", "--result", result, check=False)
        self.assertEqual(refused.returncode, 2)
        profile = cohort("profile", config, *settings)
        for text in (done.stderr, said.stderr, refused.stderr, profile.stderr):
            self.assertIn(words, text)
            self.assertNotIn("set input.holdout", text)
        self.assertNotIn("recall", done.stdout + said.stdout)

    def test_reasons(self):
        temporal = ["input.holdout=0.2", 'input.holdout_split="temporal"']
        grid = [(f"u{u}", f"i{(u + i) % 7}", 100 + 7 * u + i) for u in range(10) for i in range(5)]
        self.check("same", [(u, i, 1000) for u, i, _ in grid], "all interactions have the same time", *temporal)
        self.check("tie", [(u, i, t if n % 5 == 0 else 900) for n, (u, i, t) in enumerate(grid)],
                   "40 interactions share the latest time, 900", *temporal)
        self.check("few", grid[:8], "a share of 0.1 (input.holdout) of 8 interactions is less than one",
                   "input.holdout=0.1", temporal[1])
        # Newcomers of one interaction come last.
        late = [(f"v{n}", "i0", 5000 + n) for n in range(10)]
        self.check("newcomers", grid[:40] + late, "the first interaction of each of its users", *temporal)
        for name, split in (("one", ["input.holdout=0.5"]), ("one-temporal", temporal)):
            self.check(name, [(f"u{n}", f"i{n % 5}", n) for n in range(30)], "every user has one interaction only",
                       *split)
        self.check("unlucky", grid[:10], "the draw of a share of 0.001", "input.holdout=0.001")


class KnownItems(Planted):
    def known(self, result, file):
        """Segments x items: whether more than half of the segment's users have the item."""
        segment = file["users/segment"][...]
        has = numpy.zeros((len(segment), len(file["items/id"])), bool)
        for user, items in enumerate(table(result, "interactions")):
            has[user, items] = True
        segments = range(len(file["segments/size"]))
        return numpy.array([2 * has[segment == s].sum(0) > (segment == s).sum() for s in segments])

    def test_they_are_marked_and_can_be_left_out(self):
        # Twenty segments of 300 users: some small ones, where half is few.
        output = self.path / "out"
        more = ["segment.count=20", "train.epochs=2", "recommend.count=9"]
        cohort("run", self.config, *self.settings(output, *more), ranks=2)
        result = output / "segments.h5"
        lists, lines = self.path / "lists.csv", self.path / "lists.jsonl"
        seen = 0
        for strategy in STRATEGIES:
            cohort("recommend", self.config, "--strategy", strategy, "--csv", lists, *self.settings(output, *more),
                   ranks=2)
            with h5py.File(result) as file:
                known = self.known(result, file)
                item, mark = (file[f"segments/recommendations/{name}"][...] for name in ("item", "known"))
                numpy.testing.assert_array_equal(mark, numpy.take_along_axis(known, item, 1))
                seen += mark.sum()
            with open(lists, newline="") as text:
                rows = [row for row in csv.DictReader(text)]
            self.assertEqual([row["known"] for row in rows if row["user"] == ""], [str(m) for m in mark.flat])
            self.assertEqual({row["known"] for row in rows if row["user"] != ""}, {""})

            before = datasets(result)
            novel = [*more, "recommend.novel=true"]
            cohort("recommend", self.config, "--strategy", strategy, "--jsonl", lines, *self.settings(output, *novel),
                   ranks=3)
            after = datasets(result)
            cohort("recommend", self.config, "--strategy", strategy, *self.settings(output, *novel))
            self.assertEqual(after, datasets(result))
            with h5py.File(result) as file:
                left = file["segments/recommendations/item"][...]
                self.assertFalse(file["segments/recommendations/known"][...].any())
            for s, row in enumerate(left):
                self.assertFalse(known[s][row[row >= 0]].any())
                kept = [i for i in item[s] if not known[s][i]]
                self.assertEqual(list(row[:len(kept)]), kept, "what is left keeps its order")
                self.assertEqual(len(set(row)), 9)
            # Lists of users leave out what each of them has, not what others have.
            self.assertEqual(after["users/recommendations/item"], before["users/recommendations/item"])
            parsed = [json.loads(line) for line in lines.read_text().splitlines()]
            self.assertTrue(all(entry["known"] is False for line in parsed if "user" not in line
                                for entry in line["items"]))
            self.assertTrue(all("known" not in entry for line in parsed if "user" in line for entry in line["items"]))
        self.assertGreater(seen, 0)

    def test_a_segment_that_knows_nearly_everything(self):
        # Users with the same items: next to nothing is left to recommend to their segment that is new to it.
        pairs = [(f"u{n}", f"i{k}") for n in range(6) for k in range(4)] + [("v", "i4")]
        self.write("all.tsv", "user\titem\n" + "".join(f"{u}\t{i}\n" for u, i in pairs))
        config = self.write("all.toml", "[input]\ninteractions = 'all.tsv'\n[recommend]\nnovel = true\n")
        for strategy in STRATEGIES:
            cohort("run", config, "--set", "segment.count=2", "--set", f"output.directory={self.path}/out",
                   "--set", "train.epochs=1", "--set", f"recommend.strategy={strategy}", ranks=2)
            result = self.path / "out" / "segments.h5"
            with h5py.File(result) as file:
                known = self.known(result, file)
                for s, row in enumerate(file["segments/recommendations/item"][...]):
                    self.assertEqual(sorted(row[row >= 0]), list(numpy.flatnonzero(~known[s])))
        done = cohort("run", config, "--set", "recommend.novel=1", check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("recommend.novel", done.stderr)
        self.assertIn("true or false", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
