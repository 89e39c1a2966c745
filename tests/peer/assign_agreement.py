"""How many training users `cohort assign` sends back to their own segment when it sees nothing but their interactions.

    tests/peer/assign_agreement.py --cohort build/release/cohort --shared ../shared/data [--epochs 100]

Planted segments, LastFM without and with friendships (which a new user does not have). One markdown table."""

import argparse
import json
import pathlib
import subprocess
import tempfile

import h5py
import numpy


def run(*command):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))} exited {done.returncode}\n{done.stderr}")
    return done.stdout


def agreement(cohort, config, interactions, *settings):
    """(share of users in their own segment, users, median margin of the others over that of all)."""
    output = config.parent / "out"
    run(cohort, "run", config, "--quiet", *(part for s in (f"output.directory={output}", *settings)
                                            for part in ("--set", s)))
    answers = map(json.loads, run(cohort, "assign", "--result", output / "segments.h5", "--quiet", "--count", 1,
                                  "--interactions", interactions).splitlines())
    with h5py.File(output / "segments.h5", "r") as file:
        users = [value.decode() for value in file["users/id"][...]]
        trained, margins = dict(zip(users, file["users/segment"][...])), dict(zip(users, file["users/margin"][...]))
    pairs = [(trained[a["user"]] == a["segment"], margins[a["user"]]) for a in answers]
    same = numpy.array([pair[0] for pair in pairs])
    margin = numpy.array([pair[1] for pair in pairs])
    moved = float(numpy.median(margin[~same]) / numpy.median(margin)) if (~same).any() else float("nan")
    return float(same.mean()), len(same), moved


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cohort", required=True)
    parser.add_argument("--shared", required=True, type=pathlib.Path)
    parser.add_argument("--epochs", type=int, default=100)
    options = parser.parse_args()
    lastfm = options.shared / "lastfm" / "lastfm.inter.gz"
    network = options.shared / "lastfm" / "lastfm.net"
    print("| data | users | in their own segment | margin of the others / of all (medians) |\n| --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory(prefix="cohort-agreement-") as name:
        directory = pathlib.Path(name)
        cases = []
        for noise in (0.1, 0.3, 0.5):
            data = directory / f"planted-{noise}"
            run(options.cohort, "generate", "--users", 4000, "--items", 2000, "--interactions", 80000, "--segments", 16,
                "--noise", noise, "--output", data)
            cases.append((f"planted, 16 segments, noise {noise}", data / "config.toml", data / "interactions.tsv", ()))
        for text, social, settings in (("", "", ()), (" with friendships", f'social = "{network.resolve()}"\n', ()),
                                       (" without layers", "", ("model.layers=0",))):
            config = directory / f"lastfm{len(cases)}" / "config.toml"
            config.parent.mkdir()
            config.write_text(f'[input]\ninteractions = "{lastfm.resolve()}"\n{social}')
            cases.append((f"LastFM, 20 segments{text}", config, lastfm, settings))
        for what, config, interactions, settings in cases:
            share, users, moved = agreement(options.cohort, config, interactions, f"train.epochs={options.epochs}",
                                            *settings)
            print(f"| {what} | {users} | {100 * share:.1f} % | {moved:.2f} |", flush=True)


if __name__ == "__main__":
    main()
