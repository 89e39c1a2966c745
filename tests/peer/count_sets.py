"""What segment.count = "auto" says of populations whose number of segments is known, or that have none.

    tests/peer/count_sets.py --cohort build/release/cohort [--only ring line ...]

Planted ones are those of `generate`; those without segments draw items uniformly, by popularity alone (users being as active as
each other, or by a power law), or by tastes that differ by degrees: normal and heavy-tailed ones, places on a line, a ring, a
square, a sphere, a torus, between two poles. Each is trained by sampled softmax and by bpr. The limits of
src/cluster/count_choice.hpp were set with seeds 1 and 2, and planted ones of seed 1, in sight; others are new. One markdown table."""

import argparse
import pathlib
import subprocess
import tempfile

import h5py
import numpy

USERS, ITEMS, EACH = 1200, 500, 20
METHODS = {"softmax": ("train.temperature=0.2", "train.pair_weight=equal", "train.length_power=0"),
           "bpr": ("train.loss=bpr", "train.start=spectral", "train.epochs=10", "train.learning_rate=0.005",
                   "train.decay=0.02")}
PLANTED = [(segments, noise) for segments in (4, 8, 16, 64) for noise in (0.1, 0.3, 0.5)]
NOTHING = ("uniform", "popular", "power law", "normal 1", "normal 2", "normal 4", "normal 16", "heavy tails", "line", "ring",
           "square", "sphere", "torus", "poles")


def chances(kind, random):
    """users x items: what each user's draws go by."""
    popularity = random.permutation((numpy.arange(ITEMS) + 10.0) ** (-0.8 if kind in ("popular", "power law") else -0.4))
    if kind == "uniform":
        return numpy.ones((USERS, ITEMS))
    if kind in ("popular", "power law"):
        return numpy.tile(popularity, (USERS, 1))
    if kind.startswith("normal"):
        columns = int(kind.split()[1])
        users, items = (random.standard_normal((count, columns)) for count in (USERS, ITEMS))
        return numpy.exp(2 * users @ items.T / numpy.sqrt(columns)) * popularity
    if kind == "heavy tails":
        users = random.standard_t(3, (USERS, 4))
        return numpy.exp(numpy.clip(users @ random.standard_normal((ITEMS, 4)).T, -20, 20)) * popularity
    if kind == "poles":
        share = random.uniform(0, 1, (USERS, 1))
        two = [popularity * numpy.exp(1.5 * random.standard_normal(ITEMS)) for _ in range(2)]
        return share * two[0] / two[0].sum() + (1 - share) * two[1] / two[1].sum()
    if kind == "sphere":
        users, items = (random.standard_normal((count, 3)) for count in (USERS, ITEMS))
        users, items = (rows / numpy.linalg.norm(rows, axis=1, keepdims=True) for rows in (users, items))
        return numpy.exp(6 * users @ items.T) * popularity
    columns = 2 if kind in ("torus", "square") else 1
    users, items = (random.uniform(0, 1, (count, 1, columns)) for count in (USERS, ITEMS))
    apart = numpy.abs(users - items[:, 0])
    if kind == "ring":
        return numpy.exp(4 * numpy.cos(2 * numpy.pi * apart[:, :, 0])) * popularity
    if kind == "torus":
        apart = numpy.minimum(apart, 1 - apart)
    return numpy.exp(-0.5 * numpy.square(apart / 0.12).sum(axis=2)) * popularity + 1e-6


def active(kind, random):
    """How many items each user draws."""
    if kind != "power law":
        return numpy.full(USERS, EACH)
    return numpy.minimum(5 + 8 * random.pareto(1.2, USERS), ITEMS // 4).astype(int)


def draw(kind, seed, directory):
    random = numpy.random.default_rng(seed)
    with (directory / "log.tsv").open("w") as file:
        for user, (chance, count) in enumerate(zip(chances(kind, random), active(kind, random))):
            for item in random.choice(ITEMS, count, replace=False, p=chance / chance.sum()):
                file.write(f"u{user}\ti{item}\n")


def run(*command):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))} exited {done.returncode}\n{done.stderr}")


def show(cohort, name, directory, log):
    (directory / "config.toml").write_text(f'[input]\ninteractions = "{log}"\n[segment]\ncount = "auto"\n'
                                           '[recommend]\nstrategy = "global"\n')
    for method, settings in METHODS.items():
        output = directory / method
        run(cohort, "run", directory / "config.toml", "--quiet", "--set", f"output.directory={output}",
            *(part for one in settings for part in ("--set", one)))
        with h5py.File(output / "segments.h5") as file:
            count = len(file["segments/size"])
            tried = {column: values[...] for column, values in file["history/count"].items()}
        best = int((tried["silhouette"] - tried["reference"]).argmax())
        of = {column: values[best] for column, values in tried.items()}
        print(f"| {name} | {method} | {count} | {of['segments']:.0f} | {of['silhouette']:.3f} ({of['reference']:.3f}) | "
              f"{of['stability']:.2f} ({of['reference_stability']:.2f}) | {of['valley']:.2f} ({of['reference_valley']:.2f}) |",
              flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cohort", required=True)
    parser.add_argument("--only", nargs="+", help="kinds whose names begin so; planted ones are called planted")
    parser.add_argument("--first-seed", type=int, default=1, help="of populations without segments (%(default)s)")
    parser.add_argument("--planted-seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=3, help="populations of each kind without segments (%(default)s)")
    options = parser.parse_args()
    wanted = tuple(options.only or [""])
    print("| population | trained by | says | of largest difference | silhouette (reference) | halves agree | valley |\n"
          "| --- | --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory(prefix="cohort-count-") as name:
        for kind in (kind for kind in NOTHING if kind.startswith(wanted)):
            for seed in range(options.first_seed, options.first_seed + options.seeds):
                directory = pathlib.Path(name) / f"{kind.replace(' ', '')}-{seed}"
                directory.mkdir()
                draw(kind, seed, directory)
                show(options.cohort, f"{kind}, {seed}", directory, "log.tsv")
        for segments, noise in PLANTED if "planted".startswith(wanted) else ():
            directory = pathlib.Path(name) / f"{segments}-{noise}"
            users = USERS if segments < 64 else 3200
            run(options.cohort, "generate", "--quiet", "--users", users, "--items", users * 2 // 5, "--interactions",
                EACH * users, "--segments", segments, "--noise", noise, "--seed", options.planted_seed, "--output", directory)
            show(options.cohort, f"{segments} planted, noise {noise}", directory, "interactions.tsv")


if __name__ == "__main__":
    main()
