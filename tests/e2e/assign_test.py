"""New users: fold-in against numpy, files and stream alike, agreement with training, bad input."""

import csv
import io
import json
import os
import re
import subprocess
import time
import unittest

import h5py
import numpy

from support import PROGRAM, TIMEOUT, WithDirectory, changed, cohort, shared


def ask(result, lines, *arguments, check=True):
    """What `assign --stream` answers to lines of text."""
    environment = dict(os.environ, OMP_NUM_THREADS="1", OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    done = subprocess.run([PROGRAM, "assign", "--result", str(result), "--stream", "--quiet", *map(str, arguments)],
                          input="".join(line + "\n" for line in lines), capture_output=True, text=True,
                          env=environment, timeout=TIMEOUT)
    if check and done.returncode != 0:
        raise AssertionError(done.stderr)
    return [json.loads(line) for line in done.stdout.splitlines()]


class Assign(WithDirectory):
    def train(self, *overrides, name="out", ranks=2, **options):
        data = self.path / "data"
        arguments = dict(users=800, items=300, interactions=16000, segments=4, noise=0.1, seed=5) | options
        cohort("generate", "--output", data,
               *(part for key, value in arguments.items() for part in (f"--{key}", value)))
        settings = [f"output.directory={self.path / name}", *overrides]
        cohort("run", data / "config.toml", "--quiet", *(part for s in settings for part in ("--set", s)), ranks=ranks)
        return data, self.path / name / "segments.h5"

    def records(self, file):
        """user -> items, from a generated file."""
        users = {}
        for line in file.read_text().splitlines()[1:]:
            user, item = line.split("\t")[:2]
            users.setdefault(user, []).append(item)
        return users

    def test_planted_users_come_back_to_their_segment(self):
        data, result = self.train("train.epochs=40", ranks=1)
        done = cohort("assign", "--result", result, "--interactions", data / "interactions.tsv", "--count", 3, ranks=3)
        with h5py.File(result, "r") as file:
            trained = dict(zip((value.decode() for value in file["users/id"][...]), file["users/segment"][...]))
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([a["user"] for a in answers], sorted(trained, key=lambda text: (len(text), text)))
        agree = numpy.mean([trained[answer["user"]] == answer["segment"] for answer in answers])
        self.assertGreaterEqual(agree, 0.95)

    def test_lastfm_users_come_back_to_their_segment(self):
        interactions = shared("lastfm", "lastfm.inter.gz")
        config = self.write("lastfm.toml", f'[input]\ninteractions = "{interactions}"\n[train]\nepochs = 10\n')
        cohort("run", config, "--quiet", "--set", f"output.directory={self.path}/out")
        result = self.path / "out" / "segments.h5"
        done = cohort("assign", "--result", result, "--interactions", interactions, "--count", 1, ranks=2)
        with h5py.File(result, "r") as file:
            trained = dict(zip((value.decode() for value in file["users/id"][...]), file["users/segment"][...]))
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertGreaterEqual(numpy.mean([trained[a["user"]] == a["segment"] for a in answers]), 0.8)

    def test_stored_rows_are_those_of_the_model(self):
        """/items/fold_in and the embedding of users, from model.h5 and graph.h5 by dense arithmetic."""
        _, result = self.train("train.epochs=3", "model.dim=10", social=300)
        with h5py.File(result.parent / "graph.h5", "r") as file:
            begin, item = file["interactions/row_begin"][...], file["interactions/item"][...]
            friends_begin, friend = file["social/row_begin"][...], file["social/user"][...]
            users, items = len(file["users/id"]), len(file["items/id"])
        with h5py.File(result.parent / "model.h5", "r") as file:
            base, trained = (file[name][...].astype(numpy.float64) for name in ("rows/parameters", "embedding"))
        graph = numpy.zeros((users + items, users + items))
        for user in range(users):
            graph[user, users + item[begin[user]:begin[user + 1]]] = 1
            graph[user, friend[friends_begin[user]:friends_begin[user + 1]]] = 1
        interactions = graph[:users, users:].copy()
        graph = numpy.maximum(graph, graph.T)
        degree = numpy.maximum(graph.sum(1), 1)
        graph /= numpy.sqrt(numpy.outer(degree, degree))
        below = base + graph @ base + graph @ (graph @ base)
        numpy.testing.assert_allclose((base + graph @ below) / 4, trained, atol=1e-5)
        neighbours = interactions @ (below[users:] / numpy.sqrt(interactions.sum(0).clip(1))[:, None])
        neighbours /= numpy.sqrt(interactions.sum(1).clip(1))[:, None]
        scale = (neighbours * trained[:users]).sum() / (neighbours ** 2).sum()
        with h5py.File(result, "r") as file:
            rows, counts = file["items/fold_in"][...], file["items/users"][...]
        numpy.testing.assert_array_equal(counts, interactions.sum(0))
        expected = scale * below[users:] / numpy.sqrt(interactions.sum(0).clip(1))[:, None]
        expected[counts == 0] = 0
        numpy.testing.assert_allclose(rows, expected, atol=1e-5)

    def test_files_and_stream_say_the_same_at_any_number_of_ranks(self):
        data, result = self.train("train.epochs=3")
        records = self.records(data / "interactions.tsv")
        some = list(records)[:40]
        known = records[some[0]][0]
        lines = [(user, item) for user in some for item in records[user]]
        lines += [("odd, user", "nothing"), ("odd, user", "else"), ("half", known), ("half", "unheard of"), ("half", known)]
        new = self.write("new.tsv", "user\titem\n" + "".join(f"{user}\t{item}\n" for user, item in lines))
        texts = {cohort("assign", "--result", result, "--interactions", new, "--count", 5, "--quiet", ranks=ranks,
                        threads=threads).stdout for ranks in (1, 2, 3, 4) for threads in (1, 2)}
        self.assertEqual(len(texts), 1)
        answers = [json.loads(line) for line in texts.pop().splitlines()]
        by_user = {}
        for user, item in lines:
            by_user.setdefault(user, []).append(item)
        live = ask(result, [json.dumps({"user": a["user"], "items": by_user[a["user"]]}) for a in answers], "--count", 5)
        self.assertEqual(live, answers)

        found = {answer["user"]: answer for answer in answers}
        self.assertEqual((found["half"]["known"], found["half"]["unknown"]), (1, 1))
        odd = found["odd, user"]
        self.assertEqual((odd["segment"], odd["known"], odd["unknown"], odd["note"]), (None, 0, 2, "no basis"))
        with h5py.File(result, "r") as file:
            counts = file["items/users"][...]
            ids = [value.decode() for value in file["items/id"][...]]
            items = file["items/embedding"][...].astype(numpy.float64)
            rows = file["items/fold_in"][...].astype(numpy.float64)
            centroid = file["segments/centroid"][...].astype(numpy.float64)
        popular = numpy.lexsort((numpy.arange(len(counts)), -counts))[:5]
        self.assertEqual([r["item"] for r in odd["recommendations"]], [ids[i] for i in popular])
        number = {value: i for i, value in enumerate(ids)}
        for user in some:
            mine = sorted({number[item] for item in records[user]})
            embedding = rows[mine].sum(0) / numpy.sqrt(len(mine))
            distance = numpy.sqrt(((embedding - centroid) ** 2).sum(1))
            answer = found[user]
            self.assertEqual(answer["segment"], distance.argmin())
            self.assertAlmostEqual(answer["distance"], distance.min(), places=4)
            self.assertAlmostEqual(answer["margin"], numpy.sort(distance)[1] - distance.min(), places=4)
            scores = items @ embedding
            scores[mine] = -numpy.inf
            numpy.testing.assert_allclose([r["score"] for r in answer["recommendations"]],
                                          numpy.sort(scores)[::-1][:5], rtol=1e-3, atol=1e-4)
            self.assertTrue({r["item"] for r in answer["recommendations"]}.isdisjoint(records[user]))

        output = self.path / "answers.csv"
        done = cohort("assign", "--result", result, "--interactions", new, "--count", 2, "--csv", "--output", output, ranks=3)
        self.assertEqual(done.stdout, "")
        self.assertIn("no basis", done.stderr)
        table = list(csv.DictReader(io.StringIO(output.read_text())))
        self.assertEqual([row["user"] for row in table], [answer["user"] for answer in answers])
        for row, answer in zip(table, answers):
            self.assertEqual(row["segment"], "" if answer["segment"] is None else str(answer["segment"]))
            self.assertEqual([row["item_1"], row["item_2"]], [r["item"] for r in answer["recommendations"][:2]])
        self.assertEqual(list(self.path.glob("*.tmp")), [])

    def test_stream_answers_at_once_and_outlives_bad_lines(self):
        _, result = self.train("train.epochs=1", "segment.method=spherical")
        with h5py.File(result, "r") as file:
            item = file["items/id"][0].decode()
        process = subprocess.Popen([PROGRAM, "assign", "--result", str(result), "--stream", "--count", "2"],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.kill)
        good = json.dumps({"user": 7, "items": [item, {"item": item, "weight": 2.5}, "?"]})
        requests = [good, "not json", "", "[1]", '{"items": []}', '{"user": "a"}', '{"user": "a", "items": 3}',
                    '{"user": "a", "items": [{"weight": 1}]}', '{"user": "a", "items": [{"item": "x", "weight": -1}]}',
                    '{"user": "a", "items": [{"item": "x", "weight": 1e300}]}', '{"user": "a", "items": [[]]}',
                    '{"user": "", "items": []}', '{"user": "a", "items": [' + "[" * 5000, '{"user": "a", "items": []}', good]
        answers = []
        seconds = []
        for request in requests:  # each answer is read before the next line is written
            start = time.perf_counter()
            process.stdin.write(request + "\n")
            process.stdin.flush()
            answers.append(json.loads(process.stdout.readline()))
            seconds.append(time.perf_counter() - start)
        process.stdin.close()
        log = process.stderr.read()
        self.assertEqual(process.wait(TIMEOUT), 0)
        lines, p50, p99 = re.search(r"(\d+) lines answered, half of them within (\S+) ms .p50., 99 % within (\S+) ms",
                                    log).groups()
        self.assertEqual(int(lines), len(requests))
        # What the program measures lies within what was measured here, but for its rounding.
        self.assertLess(0, float(p50))
        self.assertLessEqual(float(p50), 1.02e3 * sorted(seconds)[len(seconds) // 2])
        self.assertLessEqual(float(p50), float(p99))
        self.assertLessEqual(float(p99), 1.02e3 * max(seconds))
        self.assertEqual(answers[0], answers[-1])
        self.assertEqual((answers[0]["user"], answers[0]["known"], answers[0]["unknown"]), ("7", 1, 1))
        for line, answer in enumerate(answers[1:-2], start=2):
            self.assertEqual(answer["line"], line)
            self.assertIn("error", answer)
        self.assertEqual(answers[-2]["note"], "no basis")

    def refused(self, *arguments, expect, ranks=(1, 3), code=2, **options):
        for count in ranks:
            done = cohort("assign", *arguments, ranks=count, check=False, **options)
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertIn(expect, done.stderr)
            self.assertEqual(done.stderr.count(expect), 1, done.stderr)

    def test_bad_input(self):
        _, result = self.train("train.epochs=1")
        new = self.write("new.tsv", "user\titem\na\tb\n")
        self.refused("--result", self.path / "none.h5", "--interactions", new, expect="none.h5")
        self.refused("--result", result.parent / "model.h5", "--interactions", new, expect="segments file is needed")
        self.refused("--result", result, "--interactions", self.path / "gone.tsv", expect="gone.tsv")
        self.refused("--result", result, "--interactions", new, expect="none of its 1 item is among")
        self.refused("--result", result, expect="--interactions")
        self.refused("--result", result, "--stream", ranks=(2,), expect="one process")
        self.refused("--result", result, "--stream", "--csv", expect="--csv")
        bad = self.write("bad.tsv", "user\titem\nonly one\n")
        self.refused("--result", result, "--interactions", bad, expect="bad.tsv:2")
        with h5py.File(result, "r") as file:
            item = file["items/id"][0].decode()
        good = self.write("good.tsv", f"user\titem\na\t{item}\n")
        output = self.path / "missing" / "out.json"
        self.refused("--result", result, "--interactions", good, "--output", output, expect=str(output))
        descriptor = os.open(self.path, os.O_RDONLY)  # a directory cannot be read (mpirun would hand on an empty input)
        self.addCleanup(os.close, descriptor)
        done = subprocess.run([PROGRAM, "assign", "--result", str(result), "--stream"], stdin=descriptor,
                              capture_output=True, text=True, timeout=TIMEOUT)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("cannot read standard input", done.stderr)
        with changed(result) as file:
            version = file.attrs["schema_version"]
            file.attrs["schema_version"] = version + 1
        self.refused("--result", result, "--interactions", good, expect="schema version")
        with changed(result) as file:
            file.attrs["schema_version"] = version
            del file["items/fold_in"]
        self.refused("--result", result, "--interactions", good, expect="cohort segment")

    def test_result_without_items(self):
        social = self.write("friends.tsv", "source\ttarget\n" + "".join(
            f"{a}\t{b}\n" for a in range(20) for b in range(a + 1, 20) if (a - b) % 2 == 0))
        config = self.write("social.toml", f'[input]\nsocial = "{social}"\n[train]\nepochs = 1\n[segment]\ncount = 2\n')
        cohort("run", config, "--quiet", "--set", f"output.directory={self.path}/out")
        new = self.write("new.tsv", "user\titem\na\tb\n")
        self.refused("--result", self.path / "out" / "segments.h5", "--interactions", new, expect="has no items")

    def test_format_of_the_result_is_the_default(self):
        lists = self.write("lists.txt", "".join(
            f"{u} " + " ".join(str((u * 3 + k * k) % 40) for k in range(6)) + "\n" for u in range(60)))
        config = self.write("lists.toml", f'[input]\ninteractions = "{lists}"\nformat = "lightgcn"\n[train]\nepochs = 1\n'
                            '[segment]\ncount = 2\n')
        cohort("run", config, "--quiet", "--set", f"output.directory={self.path}/out")
        result = self.path / "out" / "segments.h5"
        new = self.write("new.txt", "n 1 2 3\n")
        table = self.write("new.csv", "user,item\nn,1\nn,2\nn,3\n")
        by_default = cohort("assign", "--result", result, "--interactions", new).stdout
        self.assertEqual(json.loads(by_default)["known"], 3)
        self.assertEqual(cohort("assign", "--result", result, "--interactions", table, "--format", "csv").stdout,
                         by_default)


if __name__ == "__main__":
    unittest.main(verbosity=2)
