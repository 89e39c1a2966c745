#!/usr/bin/env python3
"""Segments day by day of a made-up population that drifts, with segment.previous and without, beside another seed.

    tests/peer/drift.py --cohort build/release/cohort [--users 2000] [--seed 1] [--noise 0.2]

`generate` makes twice as many users, in 8 planted segments. A person is one of the first half. Its records fall on seven days,
half of them on the first; a fifth of the persons come on later days. On every day from the second on one of ten moves, to one of
the two smallest segments: from then on they do what a user of the second half does who is planted there. A person's planted
segment of a day is the one that most of its records so far are of. scripts/days.py makes the days. One markdown table."""

import argparse
import collections
import os
import pathlib
import random
import subprocess
import sys
import tempfile

import h5py

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))
import days  # noqa: E402

DAYS, SEGMENTS, MOVING, LATE = 7, 8, 0.1, 0.2


def run(command, **options):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))} exited {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def pairs_of(path):
    with path.open() as lines:
        return [line.split()[:2] for line in lines]


def drift(directory, users, seed):
    """Writes log.tsv; returns the planted segment of every person on every day, None before its first record."""
    made = directory / "made"
    draw = random.Random(seed)
    truth = {user: int(segment) for user, segment in pairs_of(made / "truth.tsv") if segment.isdigit()}
    names = sorted(truth)
    draw.shuffle(names)
    persons, others = names[:users], collections.defaultdict(list)
    for name in names[users:]:
        others[truth[name]].append(name)
    records = collections.defaultdict(list)  # of a made-up user: (day, item)
    for user, item in pairs_of(made / "interactions.tsv"):
        if user in truth:
            records[user].append((1 if draw.random() < 0.5 else draw.randint(2, DAYS), item))
    smallest = [segment for segment, _ in collections.Counter(truth.values()).most_common()[-2:]]
    planted = {}
    with (directory / "log.tsv").open("w") as log:
        log.write("user\titem\ttime\n")
        for person in persons:
            first = draw.randint(2, DAYS) if draw.random() < LATE else 1
            moves = next((day for day in range(2, DAYS + 1) if draw.random() < MOVING), None)
            target = draw.choice([segment for segment in smallest if segment != truth[person]])
            after = draw.choice(others[target]) if moves else None
            seen = collections.Counter()
            planted[person] = []
            had = set()
            for day in range(1, DAYS + 1):
                who = after if moves and day >= moves else person
                if day >= first:
                    for _, item in filter(lambda record: record[0] == day, records[who]):
                        seen[truth[who]] += 1
                        if item not in had:
                            log.write(f"{person}\t{item}\t{day}\n")
                        had.add(item)
                planted[person].append(max(seen, key=lambda s: (seen[s], s == truth[person])) if seen else None)
    return planted


def segments(result):
    """Of every user, by the segments' numbers."""
    with h5py.File(result) as file:
        number = file["segments/number"][...] if "segments/number" in file else range(len(file["segments/size"]))
        return {name.decode(): int(number[row]) for name, row in zip(file["users/id"][...], file["users/segment"][...])}


def moved(cohort, before, after, lasting, chosen):
    """Of the `chosen` users, the share whose segment is another one."""
    same = days.Step(days.json.loads(run([cohort, "compare", before, after, "--json"]))).same(lasting)
    old, new = segments(before), segments(after)
    common = [user for user in chosen if user in old and user in new]
    return sum(same.get(new[user]) != old[user] for user in common) / len(common) if common else float("nan")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cohort", required=True, type=pathlib.Path)
    parser.add_argument("--users", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--noise", type=float, default=0.2, help="as of generate")
    options = parser.parse_args()
    cohort = options.cohort.resolve()
    with tempfile.TemporaryDirectory(prefix="cohort-drift-") as name:
        directory = pathlib.Path(name)
        run([cohort, "generate", "--quiet", "--users", 2 * options.users, "--items", options.users // 4, "--interactions",
             60 * options.users, "--segments", SEGMENTS, "--noise", options.noise, "--seed", options.seed, "--output", directory / "made"])
        planted = drift(directory, options.users, options.seed)
        made = (directory / "made" / "config.toml").read_text()
        config = directory / "drift.toml"
        config.write_text('[input]\ninteractions = "log.tsv"\n' + made[made.index("[train]"):made.index("[segment]")] +
                          f"[segment]\ncount = {SEGMENTS}\n")
        environment = {**os.environ, "COHORT": str(cohort)}
        cuts = [str(day) for day in range(1, DAYS + 1)]
        for way in ("with", "without"):
            run([sys.executable, days.__file__, config, "--output", directory / way, "--cuts", *cuts,
                 *(["--no-previous"] if way == "without" else [])], env=environment)
        print("| day | planted moves | with `previous` | without | of those that stay: with | without | of those that move: with |")
        print("| --- " * 7 + "|")
        for day in range(2, DAYS + 1):
            both = [user for user, all_days in planted.items() if all_days[day - 2] is not None]
            stay = [user for user in both if planted[user][day - 1] == planted[user][day - 2]]
            move = [user for user in both if planted[user][day - 1] != planted[user][day - 2]]

            def share(way, chosen):
                return moved(cohort, directory / way / f"day-{day - 1}/segments.h5", directory / way / f"day-{day}/segments.h5",
                             way == "with", chosen)
            values = [share("with", both), share("without", both), share("with", stay), share("without", stay), share("with", move)]
            print(f"| {day} | {100 * len(move) / len(both):.1f} % | " + " | ".join(f"{100 * value:.1f} %" for value in values) + " |",
                  flush=True)
        last = directory / "without" / f"day-{DAYS}"
        run([cohort, "run", config, "--quiet", "--set", "train.seed=43", "--set", f"output.directory={directory}/seed"])
        other = moved(cohort, last / "segments.h5", directory / "seed" / "segments.h5", False, list(planted))
        print(f"\nAnother seed on the last day's records: {100 * other:.1f} % in another segment.")


if __name__ == "__main__":
    main()
