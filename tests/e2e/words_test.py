"""What the program says in words: singulars, names beside ids, notes on doubtful results, warnings; and that its two
streams never cut each other's lines."""

import json
import os
import re
import subprocess
import unittest

import h5py
import numpy

from support import MPIEXEC, PROGRAM, WithDirectory, cohort, evaluate

# A count of one before a plural of what the program counts.
PLURAL_OF_ONE = re.compile(r"(?<![\d.,])1 (ranks|threads|users|items|segments|epochs|iterations|lines|records|nodes|edges|"
                           r"shards|interactions|pairs|layers|columns|rows|others|friendships|social edges)\b")


class Words(WithDirectory):
    def population(self, *options):
        self.data = self.path / "data"
        cohort("generate", "--users", 300, "--items", 90, "--interactions", 4500, "--segments", 3, "--noise", 0.1,
               "--seed", 3, "--output", self.data, "--quiet")
        with open(self.data / "interactions.tsv") as file:
            next(file)
            self.pairs = {tuple(line.rstrip("\n").split("\t")[:2]) for line in file}
        items = sorted({item for _, item in self.pairs})
        self.write("items.csv", "item,title\n" + "".join(f'{item},"Title, {item}"\n' for item in items))
        users = sorted({user for user, _ in self.pairs})
        self.write("users.csv", "user,name\n" + "".join(f"{user},Person {user}\n" for user in users))
        self.arguments = (self.data / "config.toml", "--set", f"input.item_attributes={self.path}/items.csv", "--set",
                          f"input.user_attributes={self.path}/users.csv", "--set", f"output.directory={self.path}/run",
                          "--set", "segment.count=3", "--set", "train.loss=bpr", *options)
        self.result = self.path / "run" / "segments.h5"

    def test_notes_and_explanations(self):
        self.population("--set", "train.epochs=4", "--set", "input.holdout=0.1")
        done = cohort("run", *self.arguments)
        measures = evaluate(self.result, ranks=3)

        # Loss still falling: by the file's own history.
        with h5py.File(self.result) as file:
            loss = file["history/loss"][...]
            segment = file["users/segment"][...]
            description = file["segments/profile/description"].asstr()[...]
            stored = float(file["segments/profile/activity_share"][0])
            ids = file["users/id"].asstr()[...]
        with h5py.File(self.path / "run" / "graph.h5") as file:
            degree = numpy.diff(file["interactions/row_begin"][...])
        fall = (loss[-4] - loss[-1]) / loss[-4] / 3
        said = [note for note in measures["notes"] if "still falling" in note]
        self.assertEqual(len(said), int(fall > 0.01))
        if said:
            self.assertIn(f"{100 * fall:.1f} % an epoch", said[0])
        # The share of the variance of log activity, from the degrees.
        value = numpy.log1p(degree)
        within = sum(numpy.square(value[segment == s] - value[segment == s].mean()).sum() for s in set(segment))
        share = 1 - within / numpy.square(value - value.mean()).sum()
        self.assertAlmostEqual(measures["activity_share"], share, places=5)
        self.assertEqual(measures["activity_share"], stored)
        self.assertEqual(any("log activity" in note for note in measures["notes"]), share > 0.2)
        self.assertEqual(any("silhouette" in note for note in measures["notes"]), measures["silhouette"] < 0.05)
        # `run` and a person's `evaluate` say the same.
        table = cohort("evaluate", "--result", self.result).stdout
        for note in measures["notes"]:
            self.assertIn(f"note: {note}\n", table)
            self.assertIn(f"note: {note}\n", done.stdout)
        self.assertEqual(table.count("note: "), len(measures["notes"]))

        # Titles hold commas.
        named = [text for text in description if "marked by" in text]
        self.assertTrue(named)
        for text in named:
            self.assertRegex(text, r'marked by "Title, i\d+"')

        # Names beside ids, and what share the user's own row has.
        user = ids[0]
        explained = json.loads(cohort("explain", "--result", self.result, "--user", user, "--json").stdout)
        exact = explained["exact"]
        for row in exact["contributions"] + explained["first_order"]["additions"]:
            self.assertEqual(row["name"], f"Title, {row['item']}")
        self.assertAlmostEqual(exact["own_share"], exact["own"] / explained["difference"], places=9)
        text = cohort("explain", "--result", self.result, "--user", user, ranks=2).stdout
        best = exact["contributions"][0]
        self.assertIn(f"item {best['item']} Title, {best['item']} ", text)
        self.assertIn(f"its own row of the model, {100 * exact['own_share']:.0f} % of the difference: ", text)
        self.check_first_sentence(text, exact["own_share"] > 0.5)
        held = json.loads(cohort("explain", "--result", self.result, "--segment", 0, "--json").stdout)
        self.assertTrue(all(row["name"] == f"Title, {row['item']}" for row in held["items"]))
        self.assertAlmostEqual(held["exact"]["own_share"], held["exact"]["own"] / held["difference"], places=9)
        # Some users on either side of one half.
        both = set()
        for other in ids[:40]:
            share = json.loads(cohort("explain", "--result", self.result, "--user", other, "--json").stdout)["exact"][
                "own_share"]
            if (share > 0.5) not in both:
                self.check_first_sentence(cohort("explain", "--result", self.result, "--user", other).stdout, share > 0.5)
            both.add(share > 0.5)
            if len(both) == 2:
                break

        # A table that is gone or another leaves the names that the profiles have.
        marked = {}
        with h5py.File(self.result) as file:
            items = file["items/id"].asstr()[...]
            for item, name in zip(file["segments/profile/items/item"][...],
                                  file["segments/profile/items/name"].asstr()[...]):
                marked[items[item]] = name
        (self.path / "users.csv").unlink()
        for content in (None, "item,title\nx,y\n", b"\xff\xfe\x00", "".join(
                f"{item},other {item}\n" for item in ["item", *items])):
            (self.path / "items.csv").unlink(missing_ok=True)
            if content is not None:
                self.write("items.csv", content)
            again = json.loads(cohort("explain", "--result", self.result, "--user", user, "--json", ranks=2).stdout)
            self.assertEqual([row.get("name") for row in again["exact"]["contributions"]],
                             [marked.get(row["item"]) for row in exact["contributions"]])

    def check_first_sentence(self, text, mostly):
        self.assertEqual("mostly (" in text.splitlines()[0] and "its own row of the model: what training learnt" in
                         text.splitlines()[0], mostly, text)

    def test_diverging_loss(self):
        self.population("--set", "train.epochs=6", "--set", "train.batch=8192", "--set", "train.learning_rate=5", "--set",
                        "recommend.strategy=personal")
        done = cohort("run", *self.arguments)
        warning = "the loss was above that of the first epoch"
        lines = done.stderr.splitlines()
        places = [n for n, line in enumerate(lines) if warning in line]
        epochs = [n for n, line in enumerate(lines) if re.search(r"epoch \d+/6: loss", line)]
        self.assertEqual(len(places), 2, done.stderr)
        self.assertEqual(places[0], epochs[3] + 1)  # once the third in a row is done
        self.assertGreater(places[1], epochs[5])
        self.assertIn("epochs 2 to 4", lines[places[0]])
        self.assertIn("note: in epochs 2 to 4 " + warning, done.stdout)

    def test_one_is_singular(self):
        self.population("--set", "train.epochs=1")
        said = ""
        for command in ("run", "prepare", "partition", "train", "segment", "profile", "recommend"):
            done = cohort(command, *self.arguments, "--set", "segment.count=1",
                          "--set", "segment.max_iterations=1")
            said += done.stdout + done.stderr
        for arguments in (["info", self.result], ["evaluate", "--result", self.result],
                          ["compare", self.result, self.result]):
            done = cohort(*arguments)
            said += done.stdout + done.stderr
        self.assertIn("1 rank x 1 thread", said)
        self.assertEqual(PLURAL_OF_ONE.findall(said), [])

    def test_whole_lines(self):
        self.population("--set", "train.epochs=3")
        environment = dict(os.environ, OMP_NUM_THREADS="1", OMPI_ALLOW_RUN_AS_ROOT="1",
                           OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", OMPI_MCA_mpi_yield_when_idle="1")
        launched = [MPIEXEC, "--oversubscribe", "--bind-to", "none", "-n", "2", PROGRAM]
        whole = re.compile(r"\[\d\d:\d\d:\d\d\] (info|warning) .*|"          # standard error
                           r" *segment +users .*|[ \d,.%]+|segment \d+: .*|[a-z_@\d]+ +[-\d.]+|note: .*|")  # standard output
        for start in ([PROGRAM], launched):
            done = subprocess.run([*start, "run", *map(str, self.arguments)], env=environment, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, timeout=120, check=True)
            for line in done.stdout.splitlines():
                self.assertTrue(whole.fullmatch(line), line)
            self.assertIn("segment 0: ", done.stdout)

    def test_lost_output_is_a_failure(self):
        self.population("--set", "train.epochs=1", "--quiet")
        cohort("run", *self.arguments)
        for arguments in (["info", self.result], ["evaluate", "--result", self.result], ["--help"],
                          ["compare", self.result, self.result, "--json"]):
            with open("/dev/full", "w") as full:
                done = subprocess.run([PROGRAM, *map(str, arguments)], stdout=full, stderr=subprocess.PIPE, text=True,
                                      timeout=120, check=False)
            self.assertEqual(done.returncode, 1, arguments)
            self.assertEqual(done.stderr.count("standard output cannot be written: No space left on device"), 1)


if __name__ == "__main__":
    unittest.main()
