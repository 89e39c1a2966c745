"""How many segments (segment.count = "auto"): planted numbers, none at all, what is stored, and a run of one segment to its
end; the curve against scikit-learn's formula in numpy."""

import json
import pathlib
import subprocess
import sys
import unittest

import h5py
import numpy

from support import WithDirectory, cohort, evaluate, shared

SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "scripts"


def silhouette(points, cluster):
    """Rousseeuw 1987, over all points."""
    distance = numpy.linalg.norm(points[:, None] - points, axis=2)
    member = numpy.eye(cluster.max() + 1)[cluster]
    sizes = member.sum(axis=0)
    sums = distance @ member
    place = numpy.arange(len(points))
    inside = sums[place, cluster] / numpy.maximum(sizes[cluster] - 1, 1)
    means = sums / sizes
    means[place, cluster] = numpy.inf
    outside = means.min(axis=1)
    return numpy.where(sizes[cluster] > 1, (outside - inside) / numpy.maximum(inside, outside), 0).mean()


class Count(WithDirectory):
    def run_it(self, name, *settings, segments=4, noise=0.2, seed=1, users=400, ranks=1, check=True):
        data = self.path / name
        cohort("generate", "--output", data, "--users", users, "--items", users // 2, "--interactions", 20 * users,
               "--segments", segments, "--noise", noise, "--seed", seed, "--quiet")
        settings = ["segment.count=auto", "recommend.strategy=segment", *settings]
        done = cohort("run", data / "config.toml", *(part for one in settings for part in ("--set", one)), ranks=ranks,
                      check=check)
        return done if not check else (data / "run" / "segments.h5", done)

    def test_planted_numbers(self):
        for segments, noise, ranks in ((4, 0.3, 2), (9, 0.1, 1), (16, 0.2, 2)):
            result, done = self.run_it(f"planted{segments}", segments=segments, noise=noise, users=40 * segments + 240,
                                       ranks=ranks)
            with h5py.File(result, "r") as file:
                self.assertEqual(len(file["segments/size"]), segments)
                tried = {name: column[...] for name, column in file["history/count"].items()}
                points, cluster = file["users/embedding"][...].astype(float), file["users/segment"][...]
            self.assertEqual(list(tried["segments"]), sorted(set(tried["segments"])))
            self.assertEqual((tried["segments"][0], tried["segments"][-1]), (2, min(64, len(points) // 4)))
            at = list(tried["segments"]).index(segments)
            self.assertEqual(at, int((tried["silhouette"] - tried["reference"]).argmax()))
            # The number next to it was tried too.
            self.assertLessEqual({segments - 1, segments + 1}, set(tried["segments"]))
            self.assertAlmostEqual(tried["silhouette"][at], silhouette(points, cluster), places=3)
            self.assertIn(f"  {segments} segments: with {segments} segments the silhouette is", done.stderr)
        page = self.path / "report.html"
        subprocess.run([sys.executable, SCRIPTS / "report.py", result, "--output", page], check=True, capture_output=True)
        self.assertIn("16 stands out most", page.read_text())

    def test_bounds(self):
        result, _ = self.run_it("bounded", "segment.count_min=6", "segment.count_max=8", segments=4)
        with h5py.File(result, "r") as file:
            self.assertEqual(list(file["history/count/segments"][...]), [6, 7, 8])
            self.assertIn(len(file["segments/size"]), (1, 6, 7, 8))
        done = self.run_it("wrong", "segment.count_min=9", "segment.count_max=8", check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("segment.count_min is 9, more than segment.count_max, 8", done.stderr)
        done = self.run_it("few", "segment.count_min=500", "segment.count_max=800", check=False, ranks=3)
        self.assertEqual(done.returncode, 2)
        self.assertIn("segment.count_min is 500, but after cleaning there are only 400 users", done.stderr)

    def test_nothing_where_nothing_is(self):
        result, done = self.run_it("nothing", "input.holdout=0.1", noise=1, ranks=2)
        with h5py.File(result, "r") as file:
            self.assertEqual(list(file["segments/size"][...]), [400])
            self.assertTrue(numpy.isinf(file["users/margin"][...]).all())
            self.assertEqual(file["segments/recommendations/item"].shape[0], 1)
            tried = {name: column[...] for name, column in file["history/count"].items()}
        best = int((tried["silhouette"] - tried["reference"]).argmax())
        self.assertEqual(list(numpy.flatnonzero(~numpy.isnan(tried["stability"]))), [best])
        self.assertTrue(1 - tried["stability"][best] > 0.4 * (1 - tried["reference_stability"][best])
                        or tried["valley"][best] > 0.5
                        or tried["silhouette"][best] - tried["reference"][best] < 0.02)
        self.assertIn("1 segment: there are none that stand apart and are found again", done.stderr)
        self.assertEqual(evaluate(result)["segments"], 1)
        self.assertEqual(json.loads(cohort("compare", result, result, "--json").stdout)["segments"]["first"], [400])
        page = self.path / "report.html"
        subprocess.run([sys.executable, SCRIPTS / "report.py", result, "--output", page], check=True, capture_output=True)
        self.assertIn("none stands apart", page.read_text())
        self.assertTrue(cohort("rerun", result).stdout.startswith("identical: "))

    def test_too_few_users(self):
        log = self.write("few.tsv", "".join(f"u{u}\ti{i}\n" for u in range(6) for i in range(u % 2, 8, 2)))
        config = self.write("few.toml", f'[input]\ninteractions = "{log}"\n[segment]\ncount = "auto"\n'
                            f'[output]\ndirectory = "{self.path}/few"\n[train]\nloss = "bpr"\nepochs = 2\n'
                            '[recommend]\nstrategy = "segment"\n')
        for ranks in (1, 3):
            done = cohort("run", config, ranks=ranks)
            with h5py.File(self.path / "few" / "segments.h5", "r") as file:
                self.assertEqual(list(file["segments/size"][...]), [6])
            self.assertIn("1 segment: fewer than", done.stderr)

    def test_communities_of_friends(self):
        random = numpy.random.default_rng(1)
        edges = "".join(f"{a} {b}\n" for a in range(180) for b in range(a)
                        if random.random() < (0.3 if a % 6 == b % 6 else 0.01))
        config = self.write("friends.toml", f'[input]\nsocial = "{self.write("friends.txt", edges)}"\n[segment]\n'
                            f'count = "auto"\n[output]\ndirectory = "{self.path}/friends"\n')
        cohort("run", config, "--quiet", ranks=2)
        with h5py.File(self.path / "friends" / "segments.h5", "r") as file:
            group = numpy.array([int(user) % 6 for user in file["users/id"][...]])
            segment = file["users/segment"][...]
        self.assertEqual(segment.max() + 1, 6)
        # Who has more friends in another group is with them.
        self.assertEqual(len({int(numpy.bincount(segment[group == one]).argmax()) for one in range(6)}), 6)
        self.assertGreater(sum(numpy.bincount(segment[group == one]).max() for one in range(6)), 170)
        # The conferences of college football.
        config = self.write("football.toml", f'[input]\nsocial = "{shared("football", "edges.txt")}"\n[segment]\n'
                            f'count = "auto"\n[output]\ndirectory = "{self.path}/football"\n')
        cohort("run", config, "--quiet")
        with h5py.File(self.path / "football" / "segments.h5", "r") as file:
            self.assertEqual(len(file["segments/size"]), 12)


if __name__ == "__main__":
    unittest.main(verbosity=2)
