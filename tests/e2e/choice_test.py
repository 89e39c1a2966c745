"""Settings of training that are chosen on held-back interactions, the defaults that follow from the input, presets."""

import unittest

import h5py
import numpy

from support import WithDirectory, changed, cohort, datasets


def table_of(path):
    with h5py.File(path, "r") as file:
        return {name: column[...] for name, column in file["history/choice"].items()}


def configuration(path):
    with h5py.File(path, "r") as file:
        text = file.attrs["configuration"]
    return (text.decode() if isinstance(text, bytes) else text).splitlines()


class Choice(WithDirectory):
    def generated(self, **options):
        directory = self.path / "data"
        arguments = dict(users=600, items=300, interactions=9000, segments=4, noise=0.2, seed=3) | options
        cohort("generate", "--output", directory,
               *(part for key, value in arguments.items() for part in (f"--{key}", value)))
        return directory / "config.toml"

    def run_it(self, config, name, *settings, command="run", **how):
        values = (f"output.directory={self.path / name}", "recommend.strategy=personal",
                  *(f"train.{key}=auto" for key in ("loss", "epochs", "learning_rate")), *settings)
        done = cohort(command, config, *(part for value in values for part in ("--set", value)), **how)
        return done.stdout + done.stderr, self.path / name / "segments.h5"

    def replay(self, table):
        """What must have been tried and taken, by the rule and from what the table says of each."""
        rows = list(zip(table["temperature"], table["by_degree"], table["length_power"], strict=True))
        best = 0

        def take(row):
            nonlocal best
            self.assertAlmostEqual(table["gain"][row], table["ndcg"][row] - table["ndcg"][best], delta=1e-12)
            if table["gain"][row] > table["standard_error"][row]:
                best = row

        def tried(first, temperature, by_degree):
            self.assertEqual(rows[first:first + 3], [(temperature, by_degree, g) for g in (0.25, 0, 0.5)])
            for row in range(max(first, 1), first + 3):
                take(row)
            return first + 3

        end = tried(0, 0.12, 1)
        for before, temperature in ((0.12, 0.2), (0.2, 0.8)):
            if rows[best][0] == before:
                end = tried(end, temperature, 1)
        end = tried(end, rows[best][0], 0)
        self.assertEqual(len(rows), end)
        self.assertEqual(list(numpy.flatnonzero(table["chosen"])), [best])
        return best

    def test_what_is_tried_and_what_is_taken(self):
        config = self.generated()
        said, result = self.run_it(config, "auto", "train.steps=30", ranks=2)
        self.assertIn("choose: settings of training", said)
        table = table_of(result)
        self.assertEqual(len({len(column) for column in table.values()}), 1)
        rows = list(zip(table["temperature"], table["by_degree"], table["length_power"], strict=True))
        self.assertEqual(len(set(rows)), len(rows))
        self.assertEqual(rows[0], (0.12, 1, 0.25))
        # Three powers for each that is trained: temperatures upwards, then the other weight with the best of them.
        self.assertEqual([g for _, _, g in rows], [0.25, 0, 0.5] * 4)
        self.assertEqual([t for t, _, _ in rows[::3]], [0.12, 0.2, 0.8, 0.8])
        self.assertEqual([d for _, d, _ in rows[::3]], [1, 1, 1, 0])
        best = self.replay(table)
        self.assertTrue((table["ndcg"] > 0.05).all(), table["ndcg"])
        # Users of a segment differ by chance alone here: the least is learnt of it by the highest temperature.
        self.assertEqual(rows[best][0], 0.8)
        # Given instead of chosen it is the same model, and nothing is tried.
        temperature, by_degree, power = rows[best]
        said, given = self.run_it(config, "given", "train.steps=30", f"train.temperature={temperature}",
                                  f"train.pair_weight={'degree' if by_degree else 'equal'}",
                                  f"train.length_power={power}", ranks=3)
        self.assertNotIn("choose:", said)
        before, now = datasets(result), datasets(given)
        for name in before:
            if not name.startswith("history/choice"):
                self.assertEqual(before[name], now[name], name)
        self.assertEqual({name: list(column) for name, column in table_of(given).items()
                          if name not in ("ndcg", "gain", "standard_error")},
                         {"temperature": [temperature], "by_degree": [by_degree], "length_power": [power], "chosen": [1]})
        self.assertIn("identical", cohort("rerun", result).stdout)
        self.assertIn("settings of training, by candidate", cohort("info", result).stdout)

    def test_temperatures_end_above_one_that_is_no_better(self):
        # Neighbours on a ring share items, and no two users have the same taste: little is chance.
        lines = "".join(f"u{n}\ti{(n + 7 * j) % 300}\n" for n in range(300) for j in range(12))
        config = self.write("ring.toml", f"""
[input]
interactions = "{self.write('ring.tsv', lines)}"
header = false
[train]
steps = 40
[segment]
count = 2
""")
        _, result = self.run_it(config, "ring", ranks=2)
        self.replay(table_of(result))

    def test_what_nothing_looks_at_is_said(self):
        edges = "".join(f"u{n}\tu{(n + step) % 40}\n" for n in range(40) for step in (1, 2))
        friends = self.write("friends.toml", f"[input]\nsocial = '{self.write('friends.tsv', edges)}'\n[segment]\ncount = 2\n")
        for ranks in (1, 3):
            done = cohort("run", friends, "--quiet", "--set", f"output.directory={self.path / 'friends'}", "--set",
                          "train.epochs=7", "--set", "train.decay=0.5", ranks=ranks)
            self.assertEqual(done.stderr.count("without effect: train.epochs, train.decay, since nothing is trained"), 1)
        done = cohort("run", friends, "--quiet", "--set", f"output.directory={self.path / 'usual'}")
        self.assertNotIn("without effect", done.stderr)

    def test_a_choice_that_was_made_stays(self):
        config = self.generated()
        self.run_it(config, "out", "train.steps=12", command="run")
        with changed(self.path / "out" / "model.h5") as file:
            file["history/choice/length_power"][...] = 0.375
        said, result = self.run_it(config, "out", "train.steps=12")
        self.assertNotIn("choose:", said)
        self.assertTrue((table_of(result)["length_power"] == 0.375).all())
        with changed(self.path / "out" / "model.h5") as file:
            file["history/choice/chosen"][...] = 0
        values = (f"output.directory={self.path / 'out'}", "recommend.strategy=personal", "train.steps=12",
                  *(f"train.{key}=auto" for key in ("loss", "epochs", "learning_rate")))
        for ranks in (1, 3):
            done = cohort("run", config, *(part for value in values for part in ("--set", value)), check=False,
                          ranks=ranks)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn("/history/choice", done.stderr)

    def test_nothing_to_hold_back(self):
        lines = "".join(f"u{n}\ti{n % 7}\n" for n in range(40))
        config = self.write("one.toml", f"""
[input]
interactions = "{self.write('one.tsv', lines)}"
header = false
[train]
steps = 4
[segment]
count = 2
""")
        said, result = self.run_it(config, "one", ranks=2)
        self.assertIn("no user has two interactions", said)
        table = table_of(result)
        self.assertEqual((table["temperature"], table["by_degree"], table["length_power"]), (0.12, 1, 0.25))
        self.assertTrue(numpy.isnan(table["ndcg"]).all())

    def test_what_softmax_cannot_do_is_done_by_bpr(self):
        config = self.generated(social=900)
        for name, settings, loss, layers in (("usual", ["train.epochs=1"], "softmax", 2),
                                             ("budget", ["train.minutes=0.001"], "bpr", 3),
                                             ("authors", ["train.epochs=1", "train.sampler=lightgcn"], "bpr", 3),
                                             ("asked", ["train.epochs=1", "train.loss=bpr", "model.layers=1"], "bpr", 1)):
            with self.subTest(name):
                _, result = self.run_it(config, name, *settings)
                self.assertIn(f'loss = "{loss}"', configuration(result))
                self.assertIn(f"layers = {layers}", configuration(result))
                with h5py.File(result, "r") as file:
                    self.assertEqual("choice" in file["history"], loss == "softmax")

    def test_preset(self):
        config = self.generated()
        # What a configuration says goes before a preset.
        config.write_text(config.read_text().replace('start = "spectral"\n', ""))
        values = (f"output.directory={self.path / 'preset'}", "train.epochs=1", "recommend.strategy=personal")
        settings = [part for value in values for part in ("--set", value)]
        cohort("run", config, "--preset", "lightgcn", *settings)
        lines = configuration(self.path / "preset" / "segments.h5")
        for line in ('loss = "bpr"', 'sampler = "lightgcn"', "layers = 3", "dim = 64", "batch = 2048",
                     'start = "random"', "epochs = 1"):
            self.assertIn(line, lines)
        for ranks in (1, 3):
            done = cohort("run", config, "--preset", "lightgnn", *settings, check=False, ranks=ranks)
            self.assertEqual(done.returncode, 2)
            self.assertIn("there is no such preset", done.stderr)


if __name__ == "__main__":
    unittest.main()
