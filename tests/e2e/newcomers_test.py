"""New users of networks, with friends and features of their own: against numpy's float64 of the same network, on a
matrix of edges with rows that take from the graph and give nothing."""

import itertools
import json
import shutil
import unittest

import h5py
import numpy

from support import WithDirectory, cohort

USERS = 40
NEW = 6
COLUMNS = 5


def selu(x):
    return 1.0507009873554805 * numpy.where(x > 0, x, 1.6732632423543772 * (numpy.exp(numpy.minimum(x, 0)) - 1))


def standardised(rows, of_graph):
    return (rows - of_graph.mean(0)) / of_graph.std(0)


def unit(rows):
    return rows / numpy.linalg.norm(rows, axis=1, keepdims=True)


class Newcomers(WithDirectory):
    def setUp(self):
        super().setUp()
        random = numpy.random.default_rng(2)
        # Persons by number: those of the graph, then those who come. Names of equal length, so that numbers are ranks.
        self.names = [f"p{n:03}" for n in range(USERS + NEW)]
        self.features = random.normal(size=(USERS + NEW, COLUMNS)) + numpy.arange(USERS + NEW)[:, None] % 2
        self.friends = {(u, v): 1 + (u + v) % 3 for u, v in itertools.combinations(range(USERS), 2)
                        if random.random() < (0.3 if u % 2 == v % 2 else 0.02) or v == u + 2}
        self.new_friends = {(n, (7 * n + 4 * k) % USERS): 1 + k for n in range(USERS, USERS + NEW - 1) for k in range(3)}
        self.items = {(n, i) for n in range(USERS + NEW) for i in range(20)
                      if random.random() < 0.3 or i == n % 20}

    def table(self, name, people, features=None):
        features = self.features if features is None else features
        return self.write(name, "id," + ",".join(f"f{c}" for c in range(COLUMNS)) + "\n" + "".join(
            self.names[n] + "," + ",".join(f"{x:.9g}" for x in features[n]) + "\n" for n in people))

    def lines(self, name, pairs, other=None):
        return self.write(name, "".join(f"{self.names[u]} {self.names[v] if other is None else other(v)} {w}\n"
                                        for (u, v), w in pairs.items()))

    def run_network(self, *settings, ranks=2):
        self.write("empty.toml", "")
        cohort("run", self.path / "empty.toml", "--quiet", "--restart", *(part for setting in (
            f"output.directory={self.path}/run", "segment.count=2", "train.epochs=5", "model.dim=8",
            "recommend.strategy=personal", *settings) for part in ("--set", setting)), ranks=ranks)
        return self.path / "run" / "segments.h5"

    def assign(self, result, *arguments, layouts=((1, 2), (3, 1))):
        answers = [sorted(cohort("assign", "--result", result, *arguments, ranks=ranks, threads=threads).stdout
                          .splitlines()) for ranks, threads in layouts]
        for other in answers[1:]:
            self.assertEqual(answers[0], other)
        return {answer["user"]: answer for answer in map(json.loads, answers[0])}

    def expected(self, result, edges, taking, rows, sage=False, smoothings=2):
        """Rows of those that take `taking` from the nodes of `edges`, and the centroids."""
        with h5py.File(result, "r") as file:
            centroid = file["segments/centroid"][...].astype("f8")
        with h5py.File(result.parent / "model.h5", "r") as file:
            names = ("mean", "self") if sage else (None,)
            weights = [[file[f"replicated/layer_{layer}" + (f"/{name}" if name else "")][...].astype("f8")
                        for name in names] for layer in (1, 2)]
        nodes = len(edges)
        whole = numpy.zeros((nodes + len(taking),) * 2)
        whole[:nodes, :nodes] = edges
        whole[nodes:, :nodes] = taking
        loops = whole + numpy.eye(len(whole))
        root = numpy.sqrt(loops.sum(1))
        by_root = loops / root[:, None] / root
        degree = whole.sum(1)
        mean = whole / numpy.where(degree > 0, degree, 1)[:, None]
        for layer, weight in enumerate(weights):
            rows = mean @ rows @ weight[0] + rows @ weight[1] if sage else by_root @ rows @ weight[0]
            if layer == 0:
                rows = selu(rows)
        if smoothings:
            rows = unit(rows)
        for _ in range(smoothings):
            rows = by_root @ rows
        return rows[nodes:], centroid

    def check_distances(self, answers, names, found, spherical):
        rows, centroid = found
        if spherical:
            rows, centroid = unit(rows), unit(centroid)
        distance = numpy.linalg.norm(rows[:, None] - centroid[None], axis=2)
        if spherical:
            distance = distance ** 2 / 2  # 1 - cosine
        for name, of_user in zip(names, distance):
            answer = answers[name]
            self.assertEqual(answer["segment"], int(of_user.argmin()), name)
            self.assertAlmostEqual(answer["distance"], of_user.min(), delta=2e-4 * max(1, of_user.min()), msg=name)

    def symmetric(self, pairs, size):
        edges = numpy.zeros((size, size))
        for (u, v), w in pairs.items():
            edges[u, v] = edges[v, u] = w
        return edges

    def test_friends_and_a_table_of_features(self):
        result = self.run_network(f"input.social={self.lines('friends.txt', self.friends)}", "segment.method=kmeans",
                                  f"input.user_features={self.table('features.csv', range(USERS))}",
                                  "model.encoder=gcn", "model.widths=[6]", "model.smoothings=2")
        # A user of the graph with the friends and features that it has, named by the lines' first column.
        old = 3
        again = {(old, v if u == old else u): w for (u, v), w in self.friends.items() if old in (u, v)}
        # An edge may be written from either end; one friend is nobody's.
        turned = {(v, u) if u % 2 else (u, v): w for (u, v), w in self.new_friends.items()}
        social = self.write("new.txt", self.lines("a", turned).read_text() + self.lines("b", again).read_text()
                            + f"{self.names[USERS]} stranger 1\n")
        features = self.table("new.csv", [*range(USERS, USERS + NEW), old])
        answers = self.assign(result, "--social", social, "--user-features", features)
        people = [old, *range(USERS, USERS + NEW)]
        # The stranger knows nobody of the graph, and nothing is known of it.
        self.assertEqual(set(answers), {self.names[n] for n in people} | {"stranger"})
        self.assertIsNone(answers["stranger"]["segment"])
        taking = numpy.zeros((len(people), USERS))
        for (u, v), w in {**self.new_friends, **again}.items():
            taking[people.index(u), v] = w
        rows = standardised(self.features, self.features[:USERS])
        self.check_distances(answers, [self.names[n] for n in people], self.expected(
            result, self.symmetric(self.friends, USERS), taking, numpy.vstack([rows[:USERS], rows[people]])), False)
        self.assertEqual(answers[self.names[old]]["recommendations"], [])

        # Of features alone those are placed whom the graph does not know; the last of them has no friend anyway.
        alone = self.assign(result, "--user-features", features, layouts=((2, 1),))
        self.assertEqual(set(alone), {self.names[n] for n in range(USERS, USERS + NEW)})
        self.assertEqual(alone[self.names[-1]], answers[self.names[-1]])

    def test_items_friends_and_arrays_of_features(self):
        # Two arrays, one of which has nothing of every third user; of a newcomer nothing is in the other.
        has = [n % 3 != 1 for n in range(USERS + NEW)]
        ids = self.write("ids.txt", "\n".join(self.names[n] for n in range(USERS)) + "\n")
        counts = (numpy.abs(self.features) * 4).astype("i4") + 1

        def arrays(name, people):
            zeroed = numpy.where(numpy.array(has)[:, None], counts, 0)
            numpy.save(self.path / f"{name}1.npy", zeroed[people])
            numpy.save(self.path / f"{name}2.npy", counts[people, :2])
            return f"{self.path}/{name}1.npy", f"{self.path}/{name}2.npy"

        def items(name, people):
            return self.lines(name, {(u, i): "" for u, i in sorted(self.items) if u in people}, lambda i: f"i{i:02}")

        people = list(range(USERS, USERS + NEW))
        result = self.run_network(
            f"input.interactions={items('items.txt', range(USERS))}",
            f"input.social={self.lines('friends.txt', self.friends)}", "graph.social_weight=0.5",
            f"input.user_features={list(arrays('old', range(USERS)))}", f"input.user_feature_ids={ids}",
            "model.encoder=sage", "model.widths=[6]", "model.smoothings=1", "model.activation=selu", "segment.method=spherical")
        new_ids = self.write("new_ids.txt", "\n".join(self.names[n] for n in people) + "\n")
        arguments = ("--interactions", items("new_items.txt", people), "--social", self.lines("new.txt", self.new_friends),
                     "--user-features", *arrays("new", people), "--user-feature-ids", new_ids)
        answers = self.assign(result, *arguments)
        self.assertEqual(set(answers), {self.names[n] for n in people})
        nodes = USERS + 20
        edges = numpy.zeros((nodes, nodes))
        edges[:USERS, :USERS] = 0.5 * self.symmetric(self.friends, USERS)
        taking = numpy.zeros((NEW, nodes))
        for u, i in self.items:
            if u < USERS:
                edges[u, USERS + i] = edges[USERS + i, u] = 1
            else:
                taking[u - USERS, USERS + i] = 1
        for (u, v), w in self.new_friends.items():
            taking[u - USERS, v] = 0.5 * w
        first = numpy.where(numpy.array(has)[:, None], counts / counts.sum(1, keepdims=True), 0)
        second = counts[:, :2] / counts[:, :2].sum(1, keepdims=True)
        of_users = numpy.hstack([first, second, ~numpy.array(has)[:, None], numpy.zeros((USERS + NEW, 1))])
        of_items = numpy.zeros((20, COLUMNS + 4))
        of_items[:, -1] = 1
        self.check_distances(answers, [self.names[n] for n in people], self.expected(
            result, edges, taking, numpy.vstack([of_users[:USERS], of_items, of_users[USERS:]]), sage=True,
            smoothings=1), True)
        for answer in answers.values():
            self.assertGreater(len(answer["recommendations"]), 5)

    def test_what_cannot_be_read_is_said_once(self):
        features = self.table("features.csv", range(USERS))
        friends = self.lines("friends.txt", self.friends)
        result = self.run_network(f"input.social={friends}", f"input.user_features={features}", "model.encoder=gcn")
        numpy.save(self.path / "array.npy", self.features[USERS:])
        ids = self.write("ids.txt", "".join(f"{name}\n" for name in self.names[USERS:]))
        reordered = self.write("reordered.csv", "id,f0,f2,f1,f3,f4\nsomebody,1,2,3,4,5\n")
        strangers = self.write("strangers.txt", "somebody nobody\n")
        narrow = self.write("narrow.csv", "id,f0\nsomebody,1\n")
        output = self.path / "answers.jsonl"
        for arguments, words in (
                (["--interactions", friends], ["--social"]),
                (["--social", strangers], ["none of its users", "p000"]),
                (["--social", friends, "--user-features", narrow], ["1 column", "5", "features.csv"]),
                (["--user-features", reordered], ["reordered.csv", "column 2", '"f2"', '"f1"', "features.csv"]),
                (["--user-features", self.path / "array.npy", "--user-feature-ids", ids], ["no names", "features.csv"]),
                (["--user-features", features], ["in the graph already"]),
                (["--user-features", narrow, narrow], ["2 files", "trained on 1"]),
                (["--user-features", self.path / "array.npy"], ["no ids"]),
                (["--user-features", self.path / "nothing.csv"], ["nothing.csv"]),
                (["--user-features", self.write("words.csv", "id,f0,f1,f2,f3,f4\nx,1,2,a,4,5\n")], ["f2", "number"]),
                (["--user-features", self.write("twice.csv", narrow.read_text() + "somebody,2\n")], ["somebody", "already"])):
            with self.subTest(arguments=arguments):
                done = cohort("assign", "--result", result, "--output", output, *arguments, ranks=2, check=False)
                self.assertEqual(done.returncode, 2, done.stderr)
                said = [line for line in done.stderr.splitlines() if line.startswith("cohort: error: ")]
                self.assertEqual(len(said), 1, done.stderr)
                for word in words:
                    self.assertIn(word, said[0])
                self.assertFalse(output.exists())
        # A line of the stream has items, which this network knows none of: said before anything beside the result is read.
        alone = self.path / "alone" / "segments.h5"
        alone.parent.mkdir()
        shutil.copy(result, alone)
        done = cohort("assign", "--result", alone, "--stream", check=False)
        self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
        self.assertIn("by theirs and their features, while a line of --stream has items alone: give --social FILE", done.stderr)
        self.assertNotIn("graph.h5", done.stderr)
        # Not a network: said before the files are looked at.
        other = self.run_network(f"input.social={friends}", "model.encoder=spectral", ranks=1)
        for option in ("--social", "--user-features"):
            done = cohort("assign", "--result", other, option, self.path / "nothing", check=False)
            self.assertEqual(done.returncode, 2)
            self.assertIn("gcn, sage", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
