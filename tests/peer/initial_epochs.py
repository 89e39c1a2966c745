"""How many epochs reach the same validation measure with train.initial, yesterday's model, and without, from random or spectral rows.

    tests/peer/initial_epochs.py CONFIG.toml --cohort build/release/cohort [--days 7] [--epochs 1 2 3 5 8 12 20] [-- cohort's options]

The log is cut as scripts/days.py cuts it. A tenth of its pairs, drawn once, are never trained on: of every day they are what is
measured (NDCG@20 of the strategy personal, on pairs of users and items that the day knows). Every day is trained to each number of
epochs, from its own start and from the model that the day before reached with the last number. A day's aim is 99 % of the best
of what it reaches without. One markdown table. h5py and numpy are not needed."""

import argparse
import json
import pathlib
import random
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))
import days  # noqa: E402

SHARE = 0.99  # of the best measure


def run(*command):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))} exited {done.returncode}\n{done.stderr}")
    return done.stdout


def main():
    own, others = sys.argv[1:], []
    if "--" in own:
        own, others = own[:own.index("--")], own[own.index("--") + 1:]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config", type=pathlib.Path)
    parser.add_argument("--cohort", required=True)
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--epochs", type=int, nargs="+", default=[1, 2, 3, 5, 8, 12, 20])
    parser.add_argument("--time", help="as of days.py")
    options = parser.parse_args(own)
    log = days.Log(options.config, options.time)
    cuts = log.cuts(options.days)
    with tempfile.TemporaryDirectory(prefix="cohort-initial-") as name:
        directory = pathlib.Path(name)
        suffix = "".join(suffix for suffix in log.path.suffixes if suffix != ".gz") or ".txt"
        drawn = random.Random(1)
        held = [time is not None and drawn.random() < 0.1 for time in log.times]
        test = directory / f"test{suffix}"
        test.write_text("".join(line for line, kept, time in zip(log.lines, held, log.times) if kept or time is None))

        def measured(day, epochs, initial):
            output = directory / f"{day}-{epochs}-{initial}"
            settings = [f"input.interactions={directory}/day-{day}{suffix}", f"input.test={test}", f"output.directory={output}",
                        f"train.epochs={epochs}", "recommend.strategy=personal"]
            if initial:
                settings.append(f"train.initial={directory}/{day - 1}-{options.epochs[-1]}-False/model.h5")
            run(options.cohort, "run", options.config, "--quiet", *others,
                *(part for one in settings for part in ("--set", one)))
            return json.loads(run(options.cohort, "evaluate", "--quiet", "--json", "--result", output / "segments.h5"))["ndcg@20"]

        print("| day | start | " + " | ".join(f"{epochs}" for epochs in options.epochs) + " | epochs to the aim |")
        print("| --- " * (len(options.epochs) + 3) + "|")
        for day, cut in enumerate(cuts, 1):
            (directory / f"day-{day}{suffix}").write_text("".join(
                line for line, kept, time in zip(log.lines, held, log.times) if time is None or time <= cut and not kept))
            if day == 1:
                measured(day, options.epochs[-1], False)
                continue
            found = {initial: [measured(day, epochs, initial) for epochs in options.epochs] for initial in (False, True)}
            aim = SHARE * max(found[False])
            for initial, values in found.items():
                reached = next((epochs for epochs, value in zip(options.epochs, values) if value >= aim), "not reached")
                print(f"| {day} | {'train.initial' if initial else 'its own'} | " +
                      " | ".join(f"{value:.4f}" for value in values) + f" | {reached} |", flush=True)


if __name__ == "__main__":
    main()
