#!/usr/bin/env python3
"""usage: faults.py [--long] [--kills N] [AREA...]

Makes things go wrong while the program runs, in every area or in those that are named, and says for each how it ended.
The short form is what continuous integration does; the long one takes every call, every stack, every damage by every
command that reads the file, and 500 kills and signals: hours. Exit 1 if anything ended as it should not.
docs/reliability.md has the table. COHORT_PROGRAM and COHORT_FAULTS_LIBRARY in the environment name other than those of
build/ci."""

import argparse
import errno
import os
import pathlib
import random
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
os.environ.setdefault("COHORT_PROGRAM", str(ROOT / "build/ci/cohort"))
os.environ.setdefault("COHORT_FAULTS_LIBRARY", str(ROOT / "build/ci/tests/faults/libcohort_faults.so"))

import calls  # noqa: E402 - reads the environment
import checkpoints  # noqa: E402
import damage  # noqa: E402
import harness  # noqa: E402
import kills  # noqa: E402
import memory  # noqa: E402
import population  # noqa: E402
import space  # noqa: E402

MOVES = "write,sync,size,rename"
ALL_CHANGES = "open,write,sync,size,rename,unlink,close"
LOOKS = "read"
ALL_LOOKS = "open,read,map,close"
READING = ("partition", "train", "half", "segment", "profile", "recommend", "evaluate", "strategies", "explain", "assign",
           "compare", "export", "embedding", "rerun", "graph", "model", "result")


def writes(people, scratch, options):
    if options.long:
        groups = [(command, ALL_CHANGES, calls.in_output) for command in people.WRITES]
        return calls.trials(people, scratch, 1, (errno.EIO, errno.ENOSPC, errno.EDQUOT), groups)
    return calls.trials(people, scratch, 10, (errno.EIO,), [(command, MOVES, calls.in_output) for command in ("run", "half")])


def reads(people, scratch, options):
    if options.long:
        groups = [(command, ALL_LOOKS, calls.in_output) for command in READING]
        groups += [(command, ALL_LOOKS, calls.in_input) for command in ("prepare", "run", "assign")]
        return calls.trials(people, scratch, 1, (errno.EIO, errno.ENOMEM), groups)
    groups = [(command, LOOKS, calls.in_output) for command in ("half", "assign")]
    groups.append(("prepare", LOOKS, calls.in_input))
    return calls.trials(people, scratch, 10, (errno.EIO,), groups)


def legal(people, scratch, options):
    groups = [("run", "write", calls.in_output)]
    groups += [(command, LOOKS, calls.in_output) for command in ("half", "recommend", "assign")]
    groups.append(("prepare", LOOKS, calls.in_input))
    return calls.trials(people, scratch, 1 if options.long else 100, (0, errno.EINTR), groups, stickies=(2, 0, 3))


def shared(people, scratch, options):
    groups = [("run", "map,memory,size", calls.by_program)]
    return calls.trials(people, scratch, 1 if options.long else 20, (errno.ENOMEM,), groups)


def stacks(people, scratch, options):
    groups = [("run", 3), ("run", 1), ("half", 3), ("half", 1)]
    if options.long:
        groups += [(command, ranks) for ranks in (3, 1) for command in READING]
    return memory.trials(people, scratch, 1 if options.long else 200, groups)


def damages(people, scratch, options):
    return damage.trials(people, None if options.long else 100)


def generations(people, scratch, options):
    return checkpoints.trials(people, options.long)


def interruptions(people, scratch, options):
    return kills.trials(people, options.kills or (500 if options.long else 20))


def disks(people, scratch, options):
    return space.trials(people, scratch, 200 if options.long else 8)


AREAS = {"writes": writes, "reads": reads, "legal": legal, "shared": shared, "memory": stacks, "damage": damages,
         "checkpoints": generations, "kills": interruptions, "space": disks}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("areas", nargs="*", metavar="AREA", help=", ".join(AREAS))
    parser.add_argument("--long", action="store_true", help="everything")
    parser.add_argument("--only", metavar="TEXT", default="", help="only trials in whose names this stands")
    parser.add_argument("--kills", type=int, help="how many kills and signals")
    options = parser.parse_args()
    if unknown := [area for area in options.areas if area not in AREAS]:
        parser.error(f"there is no area {unknown[0]}; there are {', '.join(AREAS)}")
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="cohort-faults-") as directory:
        scratch = pathlib.Path(directory)
        people = population.Population(scratch)
        for area in options.areas or AREAS:
            begin = time.monotonic()
            trials = [trial for trial in AREAS[area](people, scratch, options) if options.only in trial.name]
            if options.long:
                random.Random(area).shuffle(trials)  # where it is interrupted, all kinds were tried
            results = harness.carry_out(trials, told=lambda result: print(result, "\n", flush=True))
            wrong += sum(bool(result.complaints) for result in results)
            print(f"{area}: {len(results)} of {len(trials)} trials, {harness.summary(results)}; "
                  f"{time.monotonic() - begin:.0f} s", flush=True)
            if len(results) < len(trials):
                return 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
