"""What the program says of its result, against what numpy computes from the files."""

import json
import unittest

import h5py
import numpy

from support import WithDirectory, cohort, datasets, evaluate, shared


class Results(WithDirectory):
    def run_generated(self, *overrides, ranks=2, **options):
        data = self.path / "data"
        arguments = dict(users=800, items=400, interactions=16000, segments=4, noise=0.1, seed=5) | options
        cohort("generate", "--output", data,
               *(part for key, value in arguments.items() for part in (f"--{key}", value)))
        output = self.path / "out"
        settings = [f"output.directory={output}", *overrides]
        cohort("run", data / "config.toml", *(part for s in settings for part in ("--set", s)), ranks=ranks)
        return data, output / "segments.h5"

    def test_planted_segments_are_found(self):
        data, result = self.run_generated()
        measures = evaluate(result, "--truth", data / "truth.tsv", ranks=3)
        self.assertGreater(measures["ari"], 0.95)
        self.assertGreater(measures["nmi"], 0.9)

    def test_result_is_consistent(self):
        _, result = self.run_generated("train.epochs=2", "segment.count=6", "segment.tolerance=0")
        with h5py.File(result, "r") as file:
            embedding = file["users/embedding"][...].astype(numpy.float64)
            centroid = file["segments/centroid"][...].astype(numpy.float64)
            segment = file["users/segment"][...]
            distance = file["users/distance"][...]
            margin = file["users/margin"][...]
            size = file["segments/size"][...]
            ids = [value.decode() for value in file["users/id"][...]]
        distances = numpy.sqrt(((embedding[:, None, :] - centroid[None]) ** 2).sum(-1))
        ordered = numpy.sort(distances, axis=1)
        numpy.testing.assert_array_equal(distances.argmin(1), segment)
        numpy.testing.assert_allclose(ordered[:, 0], distance, rtol=1e-5, atol=1e-6)
        numpy.testing.assert_allclose(ordered[:, 1] - ordered[:, 0], margin, rtol=1e-4, atol=1e-6)
        numpy.testing.assert_array_equal(numpy.bincount(segment, minlength=6), size)
        self.assertEqual(list(size), sorted(size, reverse=True))
        for s in range(6):
            numpy.testing.assert_allclose(embedding[segment == s].mean(0), centroid[s], rtol=1e-3, atol=1e-4)
        self.assertEqual(ids, sorted(ids, key=lambda text: (len(text), text)))

    def test_ranking_measures_match_numpy(self):
        data, result = self.run_generated("train.epochs=3", "input.holdout=0.2")
        measures = evaluate(result, ranks=3)
        self.assertEqual(measures, evaluate(result))
        with h5py.File(result, "r") as file:
            users, items = file["users/embedding"][...], file["items/embedding"][...]
            user_number = {value: i for i, value in enumerate(file["users/id"][...])}
            item_number = {value: i for i, value in enumerate(file["items/id"][...])}
        with h5py.File(result.parent / "graph.h5", "r") as file:
            rows, item = file["interactions/row_begin"][...], file["interactions/item"][...]
        pairs = set()
        for line in (data / "interactions.tsv").read_bytes().splitlines():
            fields = line.split(b"\t")
            if fields[0] in user_number:
                pairs.add((user_number[fields[0]], item_number[fields[1]]))
        recalls, gains = [], []
        for user in range(len(users)):
            seen = set(item[rows[user]:rows[user + 1]])
            held = {i for u, i in pairs if u == user} - seen
            if not held:
                continue
            scores = (users[user].astype(numpy.float64) * items).sum(1)
            scores[list(seen)] = -numpy.inf
            top = numpy.lexsort((numpy.arange(len(scores)), -scores))[:20]
            hits = numpy.array([i in held for i in top])
            recalls.append(hits.sum() / len(held))
            ideal = (1 / numpy.log2(numpy.arange(2, min(20, len(held)) + 2))).sum()
            gains.append((hits / numpy.log2(numpy.arange(2, 22))).sum() / ideal)
        self.assertGreater(len(recalls), 500)
        self.assertAlmostEqual(measures["recall@20"], numpy.mean(recalls), places=3)
        self.assertAlmostEqual(measures["ndcg@20"], numpy.mean(gains), places=3)

    def test_what_was_trained_is_not_trained_again(self):
        data, result = self.run_generated("train.epochs=4", "input.holdout=0.1")
        expected = datasets(result)
        result.unlink()
        again = cohort("run", data / "config.toml", "--set", f"output.directory={result.parent}", "--set",
                       "train.epochs=4", "--set", "input.holdout=0.1", ranks=3)
        self.assertIn("going on after epoch 4 of", again.stderr)
        self.assertEqual(datasets(result), expected)

    def test_info_describes_every_file(self):
        _, result = self.run_generated("train.epochs=1")
        for name in ("graph.h5", "model.h5", "segments.h5"):
            text = cohort("info", result.parent / name).stdout
            self.assertIn("schema", text)
            self.assertIsInstance(json.loads(cohort("info", "--json", result.parent / name, ranks=2).stdout), dict)

    def test_cora_labels(self):
        labels = shared("cora", "labels.txt")
        config = self.write("cora.toml", f"""
[input]
social = "{shared('cora', 'edges.txt')}"
[train]
epochs = 30
[segment]
count = 7
""")
        cohort("run", config, "--set", f"output.directory={self.path}/out", ranks=4)
        measures = evaluate(self.path / "out" / "segments.h5", "--truth", labels)
        self.assertGreater(measures["nmi"], 0.25)
        self.assertGreater(measures["social_modularity"], 0.4)


if __name__ == "__main__":
    unittest.main(verbosity=2)
