"""Bad input: one clear message, exit 2, no partial output, no hang, at 1 and 3 ranks."""

import gzip
import unittest

from support import WithDirectory, cohort, shared

GOOD = "".join(f"u{u}\ti{(u * 7 + k) % 23}\n" for u in range(60) for k in range(5))


class Errors(WithDirectory):
    def refused(self, config_text, *expected, code=2, arguments=("run",)):
        """Every `expected` text stands in the message; exactly one message; nothing is left behind."""
        config = self.write("config.toml", config_text)
        for ranks in (1, 3):
            output = self.path / f"out{ranks}"
            done = cohort(*arguments, config, "--set", f"output.directory={output}", ranks=ranks, check=False)
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertEqual(done.stderr.count("cohort: error: "), 1, "said once:\n" + done.stderr)
            # The launcher's own lines follow, with process names whose numbers could be any of the expected.
            message = done.stderr.partition("cohort: error: ")[2].partition("\n-----")[0]
            for text in expected:
                self.assertIn(text, message)
            left = [p.name for p in output.rglob("*")] if output.exists() else []
            self.assertNotIn("segments.h5", left)
            self.assertEqual([name for name in left if "tmp" in name], [])

    def input_refused(self, content, *expected, name="interactions.tsv", extra=""):
        self.write(name, content)
        self.refused(f'[input]\ninteractions = "{name}"\n{extra}\n[train]\nepochs = 1\n[segment]\ncount = 2\n', *expected)

    def test_configuration(self):
        self.refused('[input]\ninteractions = "x.tsv"\n[train]\nepoch = 3\n', "train.epoch", "epochs")
        self.refused('[input]\ninteractions = "x.tsv"\n[train]\nepochs = "many"\n', "train.epochs")
        self.refused('[input]\ninteractions = "x.tsv"\n[model]\nlayers = -1\n', "model.layers")
        self.refused('[input\n', "config.toml")
        self.refused('[train]\nepochs = 3\n', "input.interactions")
        self.refused('[input]\ninteractions = "x.tsv"\n[model]\nencoder = "lightgnc"\n', "lightgcn")

    def test_files(self):
        self.refused('[input]\ninteractions = "missing.tsv"\n', "missing.tsv")
        (self.path / "folder.tsv").mkdir()
        self.refused('[input]\ninteractions = "folder.tsv"\n', "folder.tsv", "directory")
        self.input_refused("", "interactions.tsv", "empty")

    def test_lines(self):
        self.input_refused(GOOD + "only-one-field\n" + GOOD, "interactions.tsv:301")
        self.input_refused(GOOD + "u1\ti\x001\n", "interactions.tsv:301", "NUL")
        self.input_refused(GOOD + "u1\t" + "x" * 10240 + "\n", "interactions.tsv:301", "1,024")
        self.input_refused(GOOD + "u1\ti1" + "y" * (100 << 20) + "\n", "interactions.tsv:301")
        for weight in ("-1", "inf", "nan", "heavy"):
            rows = GOOD.replace("\n", "\t1\n") + f"u1\ti1\t{weight}\n"
            self.input_refused(rows, "interactions.tsv:301", weight)

    def test_formats(self):
        self.input_refused("1 2 3\n2 3 4\n3 4 5\n", "ssv", "lightgcn", name="pairs.txt")
        self.input_refused(gzip.compress(GOOD.encode())[:-30], "cut.tsv.gz", name="cut.tsv.gz")
        self.input_refused(b"\x1f\x8bnot gzip at all", "bad.tsv.gz", name="bad.tsv.gz")
        self.input_refused(GOOD, "rating", extra='columns = {user = 0, item = 1, weight = "rating"}')

    def test_segments(self):
        self.write("interactions.tsv", GOOD)
        base = '[input]\ninteractions = "interactions.tsv"\n[train]\nepochs = 1\n'
        self.refused(base + "[segment]\ncount = 61\n", "61", "60")
        self.refused(base + "[clean]\nmin_user_interactions = 100\n", "min_user_interactions")
        self.refused(base + "[partition]\nshards = 2\n[segment]\ncount = 2\n[train.x]\n", "train.x")

    def test_what_comes_after_training_is_checked_before_it(self):
        self.write("interactions.tsv", GOOD)
        self.write("others.txt", "id,kind\nx1,a\nx2,b\n")
        for extra, words in (('item_attributes = "none.csv"', "none.csv"),
                             ('user_attributes = "none.csv"', "none.csv"),
                             ('item_attributes = "others.txt"', "others.txt: none of its ids"),
                             ('[recommend]\nallowed_items = "none.txt"', "none.txt"),
                             ('[recommend]\nallowed_items = "others.txt"', "others.txt"),
                             ("[recommend]\nmin_support = 100", "recommend.min_support")):
            self.refused(f'[segment]\ncount = 2\n[input]\ninteractions = "interactions.tsv"\n{extra}\n', words)
            for ranks in (1, 3):
                self.assertEqual(list((self.path / f"out{ranks}").glob("*")), [], extra)

    def test_more_ranks_than_shards(self):
        self.write("interactions.tsv", GOOD)
        config = self.write("few.toml", '[input]\ninteractions = "interactions.tsv"\n[partition]\nshards = 2\n')
        done = cohort("run", config, "--set", f"output.directory={self.path}/out", ranks=3, check=False)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("shards", done.stderr)

    def test_divergence_names_the_epoch(self):
        self.write("interactions.tsv", GOOD)
        self.refused('[input]\ninteractions = "interactions.tsv"\n[train]\nloss = "bpr"\nlearning_rate = 1e30\nepochs = 50\n',
                     "diverged in epoch", code=1)

    def test_wrong_files_for_a_command(self):
        junk = self.write("junk.h5", "this is no HDF5 file")
        for ranks in (1, 3):
            for command in (("info", junk), ("evaluate", "--result", junk), ("evaluate", "--result", "none.h5")):
                done = cohort(*command, ranks=ranks, check=False)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn(str(command[-1]), done.stderr)
        self.assertEqual(cohort("nonsense", check=False).returncode, 2)
        self.assertEqual(cohort("run", check=False).returncode, 2)

    def test_tolerated_lines_and_treatments(self):
        text = "\ufeff" + GOOD.replace("\n", "\r\n") + "broken\r\n"
        self.write("interactions.tsv", text.encode())
        config = self.write("config.toml", '[input]\ninteractions = "interactions.tsv"\n[clean]\nmax_bad_lines = 1\n'
                            '[train]\nepochs = 1\n[segment]\ncount = 2\n')
        for ranks in (1, 3):
            done = cohort("run", config, "--set", f"output.directory={self.path}/ok{ranks}", ranks=ranks)
            self.assertIn("interactions.tsv:301", done.stderr)

    def test_unclear_format(self):
        ratings = self.write("ratings.txt", "1 2 3\n2 3 4\n3 4 5\n")
        self.refused(f'[input]\ninteractions = "{ratings}"\n', "input.format")


if __name__ == "__main__":
    unittest.main(verbosity=2)
