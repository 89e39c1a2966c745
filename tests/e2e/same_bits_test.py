"""The same input, configuration and seed give the same bits at 1, 2, 3 and 4 ranks and 1 or 2 threads."""

import os
import unittest

import h5py
import numpy

from support import WithDirectory, cohort, datasets, shared

LAYOUTS = [(ranks, threads) for ranks in (1, 2, 3, 4) for threads in (1, 2)]


class SameBits(WithDirectory):
    def check(self, config, *overrides, remote_triples=True, strategy="blend"):
        """Runs at every layout; compares all datasets with the first; returns the path of the 4-rank result."""
        expected = None
        for ranks, threads in LAYOUTS:
            output = self.path / f"run-{ranks}-{threads}"
            settings = [f"output.directory={output}", f"recommend.strategy={strategy}", *overrides]
            cohort("run", config, "--quiet", *(part for setting in settings for part in ("--set", setting)),
                   ranks=ranks, threads=threads)
            found = datasets(output / "segments.h5")
            if expected is None:
                expected = found
                self.assertIn("users/segment", expected)
                self.assertIn("users/map", expected)
                self.assertIn("segments/profile/description", expected)
                self.assertEqual("items/id" in expected, "users/recommendations/item" in expected)
                continue
            self.assertEqual(list(expected), list(found))
            different = [name for name in expected if expected[name] != found[name]]
            self.assertEqual(different, [], f"differ at {ranks} ranks x {threads} threads")
            if ranks > 1:
                with h5py.File(output / "segments.h5", "r") as file:
                    self.assertGreaterEqual(int(file.attrs["shards"]), 16)
                    traffic = file["history/traffic"]
                    self.assertTrue((traffic["ghosts"][...] > 0).all(), "a rank without ghosts tests nothing")
                    if remote_triples:
                        self.assertTrue((traffic["remote_rows"][...] > 0).all(), "no remote triples")
        return output / "segments.h5"

    def generated(self, **options):
        directory = self.path / "data"
        arguments = dict(users=900, items=500, interactions=14000, segments=5, noise=0.2, seed=3) | options
        cohort("generate", "--output", directory,
               *(part for key, value in arguments.items() for part in (f"--{key}", value)), ranks=2)
        return directory / "config.toml"

    def attributes(self):
        """Tables of the generated users and items, as settings."""
        self.write("items.csv", "id,kind\n" + "".join(f"i{n},{'abc'[n % 3]}{n % 2}\n" for n in range(500)))
        self.write("users.csv", "id,age,town\n" + "".join(f"u{n},{n * 7 % 60},{'xy'[n % 2]}\n" for n in range(900)))
        return [f"input.item_attributes={self.path}/items.csv", f"input.user_attributes={self.path}/users.csv"]

    def test_generated_with_social_edges(self):
        self.check(self.generated(social=2000), "train.loss=bpr", "train.epochs=3", "segment.restarts=2")

    def test_authors_sampler_spherical_and_odd_width(self):
        self.check(self.generated(), "train.epochs=2", "train.sampler=lightgcn", "model.dim=33",
                   "model.layers=2", "segment.method=spherical", "input.holdout=0.1")

    def test_segments_that_follow_others_and_how_many(self):
        config = self.generated(users=600, interactions=9000)
        settings = ["train.loss=bpr", "train.epochs=6", "model.dim=16"]
        cohort("run", config, "--quiet", *(part for one in (*settings, f"output.directory={self.path}/before", "segment.count=6",
                                                            "clean.min_user_interactions=8") for part in ("--set", one)))
        found = datasets(self.check(config, *settings, "train.seed=7", "segment.count=auto", "segment.count_max=12",
                                    f"segment.previous={self.path}/before/segments.h5", "segment.stickiness=0.1",
                                    strategy="segment"))
        for name in ("segments/number", "segments/appeared", "segments/vanished", "history/count/segments",
                     "history/count/silhouette", "history/count/reference", "history/count/stability",
                     "history/count/reference_stability", "history/count/valley", "history/count/reference_valley"):
            self.assertIn(name, found)

    def test_matrix_factorisation_and_narrow(self):
        config = self.generated()
        for ranks in (1, 3):
            cohort("run", config, "--quiet", "--set", f"output.directory={self.path}/mf{ranks}", "--set",
                   "model.layers=0", "--set", "model.dim=10", "--set", "train.epochs=2", "--set", "train.loss=bpr",
                   ranks=ranks)
        self.assertEqual(datasets(self.path / "mf1" / "segments.h5"), datasets(self.path / "mf3" / "segments.h5"))

    def test_defaults_and_their_choice(self):
        self.check(self.generated(users=400, interactions=6000),
                   *(f"train.{key}=auto" for key in ("loss", "epochs", "learning_rate")), "train.steps=30", remote_triples=False,
                   strategy="auto")

    def test_softmax_from_the_spectral_start(self):
        self.check(self.generated(), "train.loss=softmax", "train.steps=9", "train.batch=250", "model.layers=2",
                   "model.dim=33", "recommend.strategy=personal", remote_triples=False)

    def test_softmax_with_friends(self):
        config = self.generated(social=2000)
        for ranks in (1, 3):
            cohort("run", config, "--quiet", "--set", f"output.directory={self.path}/friends{ranks}", "--set",
                   "train.loss=softmax", "--set", "train.steps=4", "--set", "recommend.strategy=personal", ranks=ranks)
        self.assertEqual(datasets(self.path / "friends1" / "segments.h5"),
                         datasets(self.path / "friends3" / "segments.h5"))

    def test_partition_from_file_with_an_empty_shard(self):
        config = self.generated()
        cohort("prepare", config, "--quiet", "--set", f"output.directory={self.path}/prepared")
        with h5py.File(self.path / "prepared" / "graph.h5", "r") as file:
            nodes = len(file["users/id"]) + len(file["items/id"])
        shard = numpy.random.default_rng(1).integers(0, 20, nodes)
        shard[shard == 7] = 8
        shard[0] = 19
        part = self.write("graph.part", "\n".join(map(str, shard)) + "\n")
        self.check(config, "train.loss=bpr", "train.epochs=2", "partition.tool=file", f"partition.file={part}", "partition.shards=20")

    def test_lastfm_with_friendships(self):
        interactions = shared("lastfm", "lastfm.inter.gz")
        config = self.write("lastfm.toml", f"""
[input]
interactions = "{interactions}"
social = "{shared('lastfm', 'lastfm.net')}"
holdout = 0.1
[train]
loss = "bpr"
epochs = 2
[segment]
count = 8
""")
        self.check(config)

    def test_attributes_and_tested_profiles(self):
        settings = self.attributes() + ["train.loss=bpr", "train.epochs=3", "input.holdout=0.2"]
        found = datasets(self.check(self.generated(social=500), *settings))
        for name in ("items/marking", "categories/marking", "user_categories/lift", "numeric/mean"):
            self.assertIn(f"segments/profile/{name}", found)

    def test_nested_segments(self):
        settings = self.attributes() + ["train.loss=bpr", "train.epochs=2", "segment.levels=[2, 6, 15]", "segment.count=15",
                                        "segment.restarts=2", "input.holdout=0.2"]
        found = datasets(self.check(self.generated(users=400, interactions=6000), *settings, strategy="segment"))
        for name in ("users/levels", "segments/levels/1/centroid", "segments/levels/2/parent",
                     "segments/levels/3/added/items/lift", "segments/levels/2/profile/description",
                     "segments/levels/1/recommendations/score"):
            self.assertIn(name, found)

    def test_nested_segments_that_follow_others(self):
        config = self.generated(users=300, interactions=4000)
        settings = ["train.loss=bpr", "train.epochs=2", "model.dim=16"]
        before = (*settings, f"output.directory={self.path}/before", "train.seed=7", "segment.levels=[2, 5, 12]",
                  "segment.count=12", "clean.min_user_interactions=8")
        cohort("run", config, "--quiet", *(part for one in before for part in ("--set", one)))
        found = datasets(self.check(config, *settings, "segment.levels=[3, 6, 11]", "segment.count=11", "segment.stickiness=0.1",
                                    f"segment.previous={self.path}/before/segments.h5", strategy="segment"))
        for name in ("segments/levels/1/number", "segments/levels/2/vanished", "segments/levels/stayed_users"):
            self.assertIn(name, found)

    def test_communities_of_friends(self):
        config = self.write("football.toml", f"""
[input]
social = "{shared('football', 'edges.txt')}"
[segment]
count = 12
""")
        self.check(config, remote_triples=False)

    def test_friends_trained(self):
        config = self.write("football.toml", f"""
[input]
social = "{shared('football', 'edges.txt')}"
[model]
encoder = "lightgcn"
[train]
epochs = 20
[segment]
count = 12
""")
        self.check(config)

    def network(self, *settings):
        config = self.write("football.toml", f"""
[input]
social = "{shared('football', 'edges.txt')}"
[model]
dim = 16
[segment]
count = 12
""")
        return self.check(config, "train.epochs=12", *settings, remote_triples=False)

    def test_gcn_by_contrast(self):
        file = self.network("model.encoder=gcn", "train.loss=ns4gc", "model.widths=[24]")
        with h5py.File(file.parent / "model.h5", "r") as model:
            self.assertEqual(model["replicated/layer_1"].shape, (16, 24))
            self.assertEqual(model["replicated/layer_2"].shape, (24, 16))

    def test_gcn_with_a_joint_phase(self):
        file = self.network("model.encoder=gcn", "train.loss=ns4gc", "train.joint=true")
        with h5py.File(file, "r") as result:
            self.assertEqual(result["history/joint/moved"].shape, (3,))

    def test_dmon(self):
        config = self.generated(users=300, interactions=4000)
        for ranks in (1, 3):
            cohort("run", config, "--quiet", "--set", f"output.directory={self.path}/dmon{ranks}", "--set",
                   "model.encoder=sage", "--set", "train.loss=dmon", "--set", "train.epochs=20", "--set",
                   "recommend.strategy=personal", ranks=ranks)
        self.assertEqual(datasets(self.path / "dmon1" / "segments.h5"), datasets(self.path / "dmon3" / "segments.h5"))

    def test_sage_by_softmax(self):
        self.network("model.encoder=sage", "model.edge_dropout=0.2", "model.activation=selu")

    def test_gcn_recommends(self):
        config = self.generated(users=400, interactions=6000)
        for ranks in (1, 3):
            cohort("run", config, "--quiet", "--set", f"output.directory={self.path}/gcn{ranks}", "--set",
                   "model.encoder=gcn", "--set", "train.loss=softmax", "--set", "train.steps=6", "--set",
                   "train.temperature=0.12", "--set", "train.pair_weight=degree", "--set", "train.length_power=0.25",
                   "--set", "recommend.strategy=personal", ranks=ranks)
        self.assertEqual(datasets(self.path / "gcn1" / "segments.h5"), datasets(self.path / "gcn3" / "segments.h5"))

    @unittest.skipUnless(os.environ.get("COHORT_LONG_TESTS"), "COHORT_LONG_TESTS is not set")
    def test_every_pair_of_encoder_and_objective(self):
        config = self.generated(users=300, items=200, interactions=4000, social=300)
        losses = {"lightgcn": ("bpr", "softmax"), "gcn": ("bpr", "softmax", "ns4gc", "dmon"),
                  "sage": ("bpr", "softmax", "ns4gc", "dmon")}
        pairs = [(kind, encoder, loss, joint) for kind in ("bipartite", "user") for encoder, some in losses.items()
                 for loss in some for joint in (False, True)
                 if not (joint and loss == "dmon") and not (kind == "user" and (encoder, loss) == ("lightgcn", "softmax"))]
        for kind, encoder, loss, joint in pairs:
            settings = [f"graph.kind={kind}", f"model.encoder={encoder}", f"train.loss={loss}", f"train.joint={str(joint).lower()}",
                        "train.epochs=4", "model.dim=16", "recommend.strategy=personal", "segment.restarts=2"]
            if loss == "softmax":
                settings += ["train.temperature=0.12", "train.pair_weight=degree", "train.length_power=0.25"]
            found = []
            for ranks, threads in ((1, 1), (3, 2), (4, 1)):
                output = self.path / f"pair-{ranks}"
                cohort("run", config, "--quiet", "--restart", *(part for setting in [f"output.directory={output}", *settings]
                                                               for part in ("--set", setting)), ranks=ranks, threads=threads)
                found.append(datasets(output / "segments.h5") | datasets(output / "model.h5"))
            with self.subTest(kind=kind, encoder=encoder, loss=loss, joint=joint):
                for other in found[1:]:
                    self.assertEqual([name for name in found[0] if found[0][name] != other.get(name)], [])

    def test_stages_give_what_run_gives(self):
        config = self.generated(social=500)
        run, stages = self.path / "whole", self.path / "stages"
        settings = self.attributes() + ["train.loss=bpr", "train.epochs=2", "input.holdout=0.2", "recommend.min_support=12"]
        settings = [part for setting in settings for part in ("--set", setting)]
        cohort("run", config, "--quiet", *settings, "--set", f"output.directory={run}", ranks=2)
        for ranks, stage in zip((3, 1, 2, 4, 3, 2),
                                ("prepare", "partition", "train", "segment", "profile", "recommend")):
            cohort(stage, config, "--quiet", *settings, "--set", f"output.directory={stages}", ranks=ranks)
        for name in ("graph.h5", "model.h5", "segments.h5"):
            whole, parts = datasets(run / name), datasets(stages / name)
            self.assertEqual(list(whole), list(parts), name)
            self.assertEqual([key for key in whole if whole[key] != parts[key]], [], name)


if __name__ == "__main__":
    unittest.main(verbosity=2)
