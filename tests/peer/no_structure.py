"""Populations without segments: what is claimed although nothing is there.

    tests/peer/no_structure.py --cohort build/release/cohort [--seeds 20] [--users 2000 ...]

Every user draws its items by popularity alone (`generate --noise 1`). A fifth of the interactions is held out. Counted
are the claims of `evaluate --strategies` that a strategy beats the global one (of all users, of cold ones, of a
segment), the 95 % intervals of the gain over all users that lie above or below 0, and the items said to mark a segment.
One markdown table."""

import argparse
import json
import pathlib
import subprocess
import tempfile

import h5py


def run(*command):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))} exited {done.returncode}\n{done.stderr}")
    return done.stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cohort", required=True)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--users", type=int, default=2000)
    parser.add_argument("--items", type=int, default=800)
    parser.add_argument("--interactions", type=int, default=40000)
    parser.add_argument("--segments", type=int, default=8)
    options = parser.parse_args()
    count = {name: {"claims": 0, "tested": 0, "above": 0, "below": 0, "gain": 0.0}
             for name in ("segment", "personal", "blend")}
    marked = listed = 0
    with tempfile.TemporaryDirectory(prefix="cohort-no-structure-") as name:
        for seed in range(1, options.seeds + 1):
            data = pathlib.Path(name) / str(seed)
            run(options.cohort, "generate", "--quiet", "--users", options.users, "--items", options.items,
                "--interactions", options.interactions, "--segments", options.segments, "--noise", 1, "--seed", seed,
                "--output", data)
            result = data / "run" / "segments.h5"
            run(options.cohort, "run", data / "config.toml", "--quiet", "--set", "input.holdout=0.2", "--set",
                f"train.seed={seed}")
            compared = json.loads(run(options.cohort, "evaluate", "--quiet", "--strategies", "--json", "--result", result))
            for strategy, of in count.items():
                measures = compared["strategies"][strategy]
                claims = [m["beats_global"] for m in (measures["overall"], measures["cold"], *measures["segments"])]
                gain = measures["overall"]["ndcg"]
                of["claims"] += sum(claim is True for claim in claims)
                of["tested"] += sum(claim is not None for claim in claims)
                of["above"] += gain["gain_interval"][0] > 0
                of["below"] += gain["gain_interval"][1] < 0
                of["gain"] += gain["gain"] / options.seeds
            with h5py.File(result, "r") as file:
                marking = file["segments/profile/items/marking"][...]
            marked, listed = marked + int(marking.sum()), listed + len(marking)
    print("| strategy | claims made, of those tested | intervals above 0 | below 0 | mean gain in NDCG@20 |")
    print("| --- | --- | --- | --- | --- |")
    for strategy, of in count.items():
        print(f"| {strategy} | {of['claims']} of {of['tested']} | {of['above']} of {options.seeds} | "
              f"{of['below']} of {options.seeds} | {of['gain']:+.4f} |")
    print(f"\nitems said to mark a segment: {marked} of {listed}")


if __name__ == "__main__":
    main()
