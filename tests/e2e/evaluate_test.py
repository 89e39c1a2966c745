"""`evaluate` against numpy on a small result whose embedding is made of whole numbers, so that scores tie; its errors."""

import shutil
import unittest

import h5py
import numpy

from support import WithDirectory, changed, cohort, evaluate

K = 7


class Evaluate(WithDirectory):
    def setUp(self):
        super().setUp()
        self.data = self.path / "data"
        cohort("generate", "--output", self.data, "--users", 70, "--items", 40, "--interactions", 900, "--segments", 3,
               "--noise", 0.2, "--social", 120, "--seed", 9)
        self.result = self.run_once("out", f"evaluate.k=[{K}, 3]", "input.holdout=0.2")

    def run_once(self, name, *settings):
        settings = [f"output.directory={self.path / name}", "train.epochs=1", "model.dim=10", *settings]
        cohort("run", "--quiet", self.data / "config.toml", *(part for s in settings for part in ("--set", s)))
        return self.path / name / "segments.h5"

    def whole_numbers(self, result):
        """Replaces the embedding; returns that of users, of items, and the scores."""
        random = numpy.random.default_rng(4)
        with changed(result) as file:
            for name in ("users/embedding", "items/embedding"):
                file[name][...] = random.integers(-2, 3, file[name].shape)
            users, items = file["users/embedding"][...], file["items/embedding"][...]
        return users.astype(numpy.float64) @ items.T

    def table(self, result, group, other):
        with h5py.File(result.parent / "graph.h5", "r") as file:
            rows = file[f"{group}/row_begin"][...]
            return [file[f"{group}/{other}"][rows[u]:rows[u + 1]] for u in range(len(rows) - 1)]

    def numbers(self, result):
        with h5py.File(result, "r") as file:
            return ({name.decode(): i for i, name in enumerate(file["users/id"][...])},
                    {name.decode(): i for i, name in enumerate(file["items/id"][...])}, file["users/segment"][...])

    def expected_ranking(self, scores, seen, held, k):
        """recall, ndcg, precision, hit rate; held: a list of items a user, -1 for an unknown one."""
        rows = []
        for user, wanted in enumerate(held):
            if len(wanted) == 0:
                continue
            own = scores[user].copy()
            own[seen[user]] = -numpy.inf
            top = [i for i in numpy.lexsort((numpy.arange(len(own)), -own))[:k] if own[i] > -numpy.inf]
            hits = numpy.zeros(k)
            hits[:len(top)] = numpy.isin(top, wanted)
            gain = 1 / numpy.log2(numpy.arange(2, k + 2))
            rows.append([hits.sum() / len(wanted), hits @ gain / gain[:len(wanted)].sum(), hits.mean(), hits.any()])
        return len(rows), numpy.mean(rows, axis=0)

    def check_ranking(self, measures, scores, seen, held):
        for k in (K, 3):
            users, expected = self.expected_ranking(scores, seen, held, k)
            self.assertEqual(measures["test_users"], users)
            found = [measures[f"{name}@{k}"] for name in ("recall", "ndcg", "precision", "hit_rate")]
            numpy.testing.assert_allclose(found, expected, rtol=1e-9)

    def test_stored_holdout(self):
        scores = self.whole_numbers(self.result)
        held = self.table(self.result, "holdout", "item")
        self.assertGreater(sum(map(len, held)), 100)
        measures = evaluate(self.result, ranks=3)
        self.assertEqual(measures, evaluate(self.result))
        self.check_ranking(measures, scores, self.table(self.result, "interactions", "item"), held)

    def test_a_test_file_replaces_it(self):
        scores = self.whole_numbers(self.result)
        user, item, _ = self.numbers(self.result)
        pairs = [(u, i) for u in list(user)[::3] for i in list(item)[len(u) % 3::11]]
        pairs += [("u1", "i-unknown"), ("u1", "i-also-unknown"), ("u-unknown", "i1"), ("u1", "i2"), ("u1", "i2")]
        test = self.write("test.tsv", "user\titem\n" + "".join(f"{u}\t{i}\n" for u, i in pairs))
        held = [[] for _ in user]
        seen = self.table(self.result, "interactions", "item")
        for u, i in dict.fromkeys(pairs):
            if u in user and item.get(i, -1) not in seen[user[u]]:
                held[user[u]].append(item.get(i, -1))
        self.assertLess(sum(map(len, held)), len(set(pairs)) - 10, "pairs that are trained on should be left out")
        measures = evaluate(self.result, "--test", test, ranks=3)
        self.assertEqual(measures, evaluate(self.result, "--test", test))
        self.check_ranking(measures, scores, self.table(self.result, "interactions", "item"), held)

    def test_says_how_its_files_are_read(self):
        test = self.write("test.tsv", "user\titem\tshop\n" + "".join(f"u{u}\ti{u}\ts1\n" for u in range(1, 40)))
        said = cohort("evaluate", "--result", self.result, "--test", test, ranks=3).stderr
        self.assertIn('test.tsv: tsv, columns by tab; a header; user: column 0 ("user"), e.g. "u1"; item: column 1 ("item")',
                      said)
        self.assertIn('not used: column 2 ("shop")', said)
        said = cohort("evaluate", "--result", self.result, "--truth", self.data / "truth.tsv").stderr
        self.assertRegex(said, r'truth.tsv: tsv, columns by tab; a header; user: column 0 \("\w+"\), e.g. "u\d+"; label: ')

    def test_advises_nothing_that_evaluate_cannot_be_told(self):
        for name, text in (("one.tsv", "u1\nu2\n"), ("spaces.txt", "1 2 3\n2 3 4\n3 4 5\n"), ("none.txt", "u1^i1\nu2^i2\n"),
                           ("names.csv", "customer,price,place,shop,label\nu1,3,x,y,z\n"), ("bad.tsv", "user\titem\nu1\n"),
                           ("x.inter", "u1\ti1\n"), ("few.tsv", "user\titem\nx1\ti1\n"), ("times.csv", "u1,i1,x\nu2,i2,y\n")):
            path = self.write(name, text)
            for option in ("--test", "--truth"):
                done = cohort("evaluate", "--result", self.result, option, path, check=False)
                if option == "--test":
                    self.assertEqual(done.returncode, 2, done.stderr)
                self.assertNotRegex(done.stderr, r"input\.|clean\.|--format", name)
        spaces = self.path / "spaces.txt"
        done = cohort("assign", "--result", self.result, "--interactions", spaces, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("give --format ssv or lightgcn", done.stderr)
        self.assertNotIn("input.", done.stderr)

    def modularity(self, matrix, cluster):
        degree = matrix.sum(0)
        same = cluster[:, None] == cluster[None]
        return ((matrix - numpy.outer(degree, degree) / degree.sum()) * same).sum() / degree.sum()

    def test_modularity_and_truth(self):
        user, item, segment = self.numbers(self.result)
        matrix = numpy.zeros((len(user) + len(item),) * 2)
        for u, items in enumerate(self.table(self.result, "interactions", "item")):
            matrix[u, len(user) + items] = matrix[len(user) + items, u] = 1
        for u, others in enumerate(self.table(self.result, "social", "user")):
            matrix[u, others] = 1
        social = matrix[:len(user), :len(user)]
        user_item = matrix.copy()
        user_item[:len(user), :len(user)] = 0
        counts = numpy.array([[matrix[len(user) + i, :len(user)][segment == s].sum() for s in range(3)]
                              for i in range(len(item))])
        of_item = numpy.where(counts.any(1), counts.argmax(1), 10 + numpy.arange(len(item)))
        truth = {line.split("\t")[0]: int(line.split("\t")[1])
                 for line in (self.data / "truth.tsv").read_text().splitlines()[1:]}
        label = numpy.array([truth[name] for name in user])
        table = numpy.array([[(label[segment == s] == t).sum() for t in range(3)] for s in range(3)])

        measures = evaluate(self.result, "--truth", self.data / "truth.tsv", ranks=3)
        self.assertEqual(measures, evaluate(self.result, "--truth", self.data / "truth.tsv"))
        for name, graph in (("modularity", user_item), ("graph_modularity", matrix)):
            self.assertAlmostEqual(measures[name], self.modularity(graph, numpy.concatenate([segment, of_item])),
                                   places=9)
        self.assertAlmostEqual(measures["social_modularity"], self.modularity(social, segment), places=9)
        self.assertEqual((measures["users"], measures["segments"], measures["labelled_users"]), (70, 3, 70))
        self.assertAlmostEqual(measures["purity"], table.max(1).sum() / 70, places=9)
        text = cohort("evaluate", "--result", self.result).stdout
        for name, value in measures.items():
            if name not in ("ari", "nmi", "purity", "labelled_users", "written_strategy", "strategies", "notes") and (
                    "@" not in name):
                self.assertRegex(text, f"(?m)^{name} +{value if isinstance(value, int) else f'{value:.4f}'}$")

    def test_what_is_not_defined_is_null(self):
        measures = evaluate(self.run_once("single", "segment.count=1"), ranks=2)
        self.assertIsNone(measures["silhouette"])
        self.assertNotIn("recall@20", measures)

    def refused(self, arguments, *expected):
        for ranks in (1, 3):
            done = cohort("evaluate", *arguments, ranks=ranks, check=False)
            self.assertEqual(done.returncode, 2, done.stderr)
            for text in expected:
                self.assertIn(text, done.stderr)
            self.assertEqual(done.stderr.count("cohort: error"), 1)
            self.assertEqual(done.stdout, "")

    def test_without_the_graph(self):
        alone = self.path / "alone" / "segments.h5"
        alone.parent.mkdir()
        shutil.copy(self.result, alone)
        with_graph = evaluate(self.result)
        measures = evaluate(alone, ranks=3)
        self.assertEqual(measures, {name: with_graph[name] for name in measures})
        self.assertIn("silhouette", measures)
        self.assertEqual([n for n in with_graph if n not in measures and "@" not in n],
                         ["modularity", "social_modularity", "graph_modularity", "activity_share", "test_users",
                          "written_strategy", "strategies"])
        self.refused(["--result", alone, "--test", self.data / "interactions.tsv"], "graph.h5", "cohort prepare")

    def test_errors(self):
        self.refused(["--result", self.path / "none.h5"], "none.h5")
        self.refused(["--result", self.write("junk.h5", "no HDF5")], "junk.h5")
        graph = self.result.parent / "graph.h5"
        self.refused(["--result", graph], str(graph), "segments file")
        strangers = self.write("strangers.tsv", "user\tlabel\nx1\ta\nx2\tb\n")
        self.refused(["--result", self.result, "--truth", strangers], "strangers.tsv", "none of its users")
        self.refused(["--result", self.result, "--test", self.write("few.tsv", "user\titem\nx1\ti1\n")], "few.tsv",
                     "none of its users")
        other = self.run_once("other")
        # The same input, but another hold-out: what was seen in training is not what the graph says.
        shutil.copy(graph, other.parent / "graph.h5")
        self.refused(["--result", other], str(other.parent / "graph.h5"), "is not the graph")


if __name__ == "__main__":
    unittest.main(verbosity=2)
