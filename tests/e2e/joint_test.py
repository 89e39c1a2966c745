"""Segments that training makes, by DMoN and by the joint phase, and training that starts from another run's model."""

import shutil
import unittest

import h5py
import numpy

from support import WithDirectory, cohort, datasets, evaluate


def pure_clusters(segment, truth):
    """Whether two partitions are the same but for the names of their parts."""
    pairs = set(zip(segment, truth))
    return len(pairs) == len(set(segment)) == len(set(truth))


class TrainedSegments(WithDirectory):
    def run_(self, config, name, *settings, command="run", ranks=2, check=True, options=()):
        settings = [f"output.directory={self.path / name}", "recommend.strategy=personal", *settings]
        return cohort(command, config, "--quiet", *(part for setting in settings for part in ("--set", setting)),
                      *options, ranks=ranks, check=check)

    def communities(self):
        """Four of forty friends each, and few friendships between them."""
        random = numpy.random.default_rng(4)
        edges = set()
        for a in range(160):
            for b in range(a):
                if random.random() < (0.3 if a // 40 == b // 40 else 0.01):
                    edges.add((a, b))
        self.write("friends.tsv", "".join(f"p{a}\tp{b}\n" for a, b in sorted(edges)))
        return self.write("friends.toml", f'[input]\nsocial = "{self.path}/friends.tsv"\n[segment]\ncount = 4\n')

    def generated(self):
        cohort("generate", "--output", self.path / "data", "--users", 300, "--items", 200, "--interactions", 6000,
               "--segments", 3, "--noise", 0.2, "--seed", 3)
        return self.path / "data" / "config.toml"

    def test_dmon_finds_planted_communities_by_its_head(self):
        config = self.communities()
        for encoder in ("gcn", "sage"):
            self.run_(config, encoder, f"model.encoder={encoder}", "model.dim=16", "train.loss=dmon",
                      "train.epochs=300")
            with h5py.File(self.path / encoder / "segments.h5") as file, \
                    h5py.File(self.path / encoder / "model.h5") as model:
                segment = file["users/segment"][...]
                truth = [int(name.decode()[1:]) // 40 for name in file["users/id"][...]]
                self.assertTrue(pure_clusters(segment, truth), encoder)
                embedding = model["embedding"][...].astype(float)
                share = embedding @ model["replicated/head"][...].T + model["replicated/head_bias"][...]
                self.assertTrue(pure_clusters(segment, share.argmax(axis=1)), encoder)
                centroid = numpy.array([embedding[segment == s].mean(axis=0) for s in range(4)])
                numpy.testing.assert_allclose(file["segments/centroid"][...], centroid, atol=1e-5)
                distance = numpy.linalg.norm(embedding - centroid[segment], axis=1)
                numpy.testing.assert_allclose(file["users/distance"][...], distance, atol=1e-4)

    def test_the_joint_phase_leaves_centres_by_which_users_are_assigned(self):
        config = self.generated()
        settings = ("train.joint=true", "train.loss=softmax", "train.epochs=9", "train.batch=150", "segment.count=3",
                    "train.temperature=0.12", "train.pair_weight=degree", "train.length_power=0.25",
                    "train.checkpoint_every=8")
        self.run_(config, "whole", *settings)
        with h5py.File(self.path / "whole" / "segments.h5") as file, \
                h5py.File(self.path / "whole" / "model.h5") as model:
            centres = model["centres"][...]
            self.assertEqual(centres.shape[0], 3)
            self.assertEqual(model["numbers/joint/begun"][0], 1)
            embedding = file["users/embedding"][...]
            cosine = (embedding / numpy.linalg.norm(embedding, axis=1, keepdims=True)) @ (
                centres / numpy.linalg.norm(centres, axis=1, keepdims=True)).T
            self.assertTrue(pure_clusters(file["users/segment"][...], cosine.argmax(axis=1)))
            numpy.testing.assert_allclose(file["users/distance"][...], 1 - cosine.max(axis=1), atol=1e-5)
            history = {name: values[...] for name, values in file["history/joint"].items()}
            self.assertEqual(sorted(history), ["epoch", "modularity", "moved", "objective"])
            numpy.testing.assert_array_equal(history["epoch"], [8, 9])
            numpy.testing.assert_allclose(history["objective"] + history["modularity"], file["history/loss"][7:],
                                          rtol=1e-12)
        found = evaluate(self.path / "whole" / "segments.h5", "--truth", self.path / "data" / "truth.tsv")
        self.assertGreater(found["ari"], 0.9)
        # Taken up in the joint phase, on other ranks: the same.
        expected = datasets(self.path / "whole" / "segments.h5")
        with h5py.File(self.path / "whole" / "model.previous.h5") as model:
            self.assertIn("centres", model)
        self.run_(config, "whole", *settings, ranks=3, options=("--previous",))
        found = datasets(self.path / "whole" / "segments.h5")
        self.assertEqual(list(found), list(expected))
        self.assertEqual([name for name in expected if found[name] != expected[name]], [])

    def test_the_joint_phase_of_features_is_read_back(self):
        """Such a network has no rows of its own: only the centres' state stands by row in model.h5."""
        config = self.communities()
        random = numpy.random.default_rng(5)
        groups = numpy.arange(160) // 40
        numpy.save(self.path / "features.npy", (groups[:, None] == numpy.arange(4)) + 0.1 * random.random((160, 4)))
        ids = "".join(f"p{n}\n" for n in range(160))
        self.write("ids.txt", ids)
        settings = (f"input.user_features={self.path}/features.npy", f"input.user_feature_ids={self.path}/ids.txt",
                    "model.encoder=gcn", "train.joint=true", "train.epochs=10", "train.checkpoint_every=9",
                    "segment.count=4")
        self.run_(config, "features", *settings)
        with h5py.File(self.path / "features" / "model.h5") as model:
            self.assertEqual(list(model["rows"]), ["joint"])
        expected = datasets(self.path / "features" / "segments.h5")
        for command, options in (("segment", ()), ("train", ("--previous",)), ("run", ())):
            self.run_(config, "features", *settings, command=command, ranks=3, options=options)
        found = datasets(self.path / "features" / "segments.h5")
        self.assertEqual([name for name in expected if found.get(name) != expected[name]], [])
        # Another day begins with its centres.
        self.run_(config, "after", *settings, f"train.initial={self.path}/features/model.h5")

    def test_what_does_not_go_together_is_said(self):
        config = self.communities()
        for settings, words in (
                (("train.loss=dmon", "model.encoder=lightgcn"), 'needs model.encoder = "gcn" or "sage"'),
                (("train.joint=true",), 'needs a model.encoder that is trained'),
                (("train.joint=true", "model.encoder=gcn", "segment.count=auto"), "segment.count"),
                (("train.joint=true", "model.encoder=gcn", "segment.levels=[2, 4]"), "segment.levels"),
                (("train.joint=true", "model.encoder=gcn", "train.loss=dmon"), 'train.loss = "dmon"'),
                (("train.loss=dmon", "model.encoder=gcn", "segment.method=kmeans"), "segment.method"),
                (("train.initial=elsewhere/model.h5", "model.encoder=gcn"), "elsewhere/model.h5")):
            done = self.run_(config, "none", *settings, check=False)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertEqual(done.stderr.count(words), 1, done.stderr)
            self.assertFalse((self.path / "none" / "graph.h5").exists())

    def test_training_starts_from_another_run_by_id(self):
        config = self.generated()
        lines = (self.path / "data" / "interactions.tsv").read_text().splitlines()
        lines = [line for line in lines if not line.startswith("#")]
        cut = [line for line in lines if not line.startswith(("u7\t", "u100\t", "u250\t"))]
        self.write("before.tsv", "\n".join(cut) + "\n")
        self.write("now.tsv", "\n".join(line for line in lines if not line.startswith("u3\t")) + "\nnew\tunseen\n")
        bpr = ("train.loss=bpr", "model.dim=16", "segment.count=3", "train.epochs=4")
        self.run_(config, "before", f"input.interactions={self.path}/before.tsv", *bpr)
        initial = self.path / "before" / "model.h5"
        # A step so small that rows stay as they began.
        now = (f"input.interactions={self.path}/now.tsv", *bpr, "train.epochs=1", "train.learning_rate=1e-30",
               f"train.initial={initial}")
        self.run_(config, "now", *now, ranks=1)
        rows, ids = [], []
        for name in ("before", "now"):
            with h5py.File(self.path / name / "model.h5") as model, h5py.File(self.path / name / "graph.h5") as graph:
                rows.append(model["rows/parameters"][...])
                ids.append([("u", i) for i in graph["users/id"][...]] + [("i", i) for i in graph["items/id"][...]])
        old = dict(zip(ids[0], rows[0]))
        fresh = [node for node in ids[1] if node not in old]
        self.assertEqual({node[1] for node in fresh}, {b"u7", b"u100", b"u250", b"new", b"unseen"})
        pairs = [line.split("\t")[:2] for line in (self.path / "now.tsv").read_text().splitlines()]
        for node, row in zip(ids[1], rows[1]):
            if node in old:
                numpy.testing.assert_array_equal(row, old[node])
            elif node[1] in (b"new", b"unseen"):  # they know each other alone
                self.assertGreater(abs(row).max(), 0)
            else:
                around = {("i", item.encode()) for user, item in pairs if user.encode() == node[1]}
                numpy.testing.assert_allclose(row, numpy.mean([old[item] for item in around], axis=0), atol=1e-6)
        first = datasets(self.path / "now" / "segments.h5")
        self.run_(config, "three", *now, ranks=3)
        again = datasets(self.path / "three" / "segments.h5")
        self.assertEqual(list(again), list(first))
        self.assertEqual([name for name in first if again[name] != first[name]], [])
        with h5py.File(self.path / "now" / "segments.h5") as file:
            self.assertEqual(list(file.attrs["follows_path"]),
                             [str(initial), str(self.path / "before" / "graph.h5")])
        result = self.path / "now" / "segments.h5"
        self.assertIn("identical", cohort("rerun", result, "--quiet").stdout)
        strangers = self.write("strangers.tsv", "user\titem\n" + "".join(f"x{n % 9}\ty{n % 7}\n" for n in range(60)))
        junk = self.write("junk.h5", "no HDF5")
        for settings, words in (("model.dim=8", "model.dim"), ("model.encoder=gcn", "model.encoder"),
                                (f"input.interactions={strangers}", "no node in common"),
                                (f"train.initial={junk}", "train.initial"),
                                (f"train.initial={self.path}/none.h5", "train.initial"),
                                (f"output.directory={self.path}/before", "the directory that this run writes to")):
            done = self.run_(config, "other", *now, settings, ranks=3, options=("--restart",), check=False)
            self.assertEqual((done.returncode, done.stderr.count(words) > 0), (2, True), done.stderr)
        graph = self.path / "before" / "graph.h5"
        shutil.move(graph, self.path / "aside.h5")
        # What has been started goes on without what it was started from.
        shutil.move(initial, self.path / "aside-model.h5")
        self.run_(config, "now", *now)
        shutil.move(self.path / "aside-model.h5", initial)
        done = self.run_(config, "other", *now, check=False)
        self.assertEqual((done.returncode, done.stderr.count("graph.h5")), (2, 1), done.stderr)
        shutil.move(self.path / "aside.h5", graph)
        with open(initial, "ab") as file:
            file.write(b"x")
        done = cohort("rerun", result, "--quiet", check=False)
        self.assertEqual((done.returncode, "has changed since" in done.stderr), (2, True), done.stderr)


    def test_weights_go_on_with_the_same_features_alone(self):
        config = self.generated()
        random = numpy.random.default_rng(3)
        with open(self.path / "data" / "interactions.tsv") as file:
            ids = [line.split("\t")[:2] for line in file.read().splitlines() if not line.startswith(("#", "user"))]
        for side, name in enumerate(("users.csv", "items.csv")):
            rows = [f"{id_},{a:.3f},{b:.3f}" for id_ in sorted({pair[side].strip() for pair in ids})
                    for a, b in [random.random(2)]]
            self.write(name, "id,a,b\n" + "\n".join(rows) + "\n")
        common = ("model.encoder=gcn", "model.dim=8", "model.widths=[8]", "model.activation=relu", "train.steps=2",
                  "segment.count=3")
        users, items = f"input.user_features={self.path}/users.csv", f"input.item_features={self.path}/items.csv"
        self.run_(config, "before", *common, users)
        follow = f"train.initial={self.path}/before/model.h5"
        self.run_(config, "same", *common, users, follow)
        # All of the same shapes.
        for settings, words in (((items,), "1 file in input.user_features"),
                                ((users, "input.user_feature_scaling=none"), "input.user_feature_scaling"),
                                ((users, "model.activation=selu"), "model.activation")):
            done = self.run_(config, "other", *common, follow, *settings, check=False)
            self.assertEqual((done.returncode, done.stderr.count(words)), (2, 1), done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
