"""Cohort's training beside PyTorch's on the same split, one after the other on this machine; one markdown table.

usage: python3 compare.py --python PYTHON-WITH-TORCH --cohort build/release/cohort [--data ../shared/data]

LastFM (the split of LightGCN-PyTorch): LightGCN with 3 layers and matrix factorisation, six seeds, to convergence;
Gowalla: LightGCN, one seed, three epochs. Both sides: 64 columns, learning rate 0.001, decay 1e-4, 2,048 triples a
step, users drawn with replacement, binary weights, no social edges. Every run's numbers are kept as JSON in --output.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).parent
K = 20


class Split:
    def __init__(self, name, train, test, adjacency, epochs, seeds, layers):
        self.name, self.train, self.test, self.adjacency = name, train, test, adjacency
        self.epochs, self.seeds, self.layers = epochs, seeds, layers


def splits(data):
    lastfm = data / "lastfm" / "lightgcn-split"
    gowalla = data / "gowalla"
    return [Split("LastFM", lastfm / "data1.txt.gz", lastfm / "test1.txt", False, 600, range(1, 7), (3, 0)),
            Split("Gowalla", gowalla / "train.txt.gz", gowalla / "test.txt.gz", True, 3, (1,), (3,))]


def environment(threads):
    return dict(os.environ, OMP_NUM_THREADS=str(threads), MKL_NUM_THREADS=str(threads),
                OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")


def run(command, threads):
    done = subprocess.run(list(map(str, command)), env=environment(threads), stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} exited {done.returncode}")
    return done.stdout


def torch_run(options, split, *arguments):
    command = [options.python, HERE / "lightgcn_torch.py", "--train", split.train, "--test", split.test,
               "--threads", options.threads, *arguments]
    return json.loads(run(command + (["--adjacency"] if split.adjacency else []), options.threads))


def cohort_run(options, split, layers, seed, epochs):
    directory = options.output / f"{split.name}-{layers}-{seed}"
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "model.h5").unlink(missing_ok=True)
    config = directory / "config.toml"
    config.write_text(f"""
[input]
interactions = "{split.train.resolve()}"
test = "{split.test.resolve()}"
format = "{"lightgcn" if split.adjacency else "tsv"}"
columns = {{user = 0, item = 1}}
[model]
layers = {layers}
[train]
sampler = "lightgcn"
epochs = {epochs}
batch = 2048
seed = {seed}
checkpoint_every = 0
[segment]
restarts = 1
[evaluate]
k = {K}
[output]
directory = "{directory.resolve()}"
""")
    run([options.cohort, "run", config, "--quiet", "--set", f"threads={options.threads}"], options.threads)
    info = json.loads(run([options.cohort, "info", "--json", directory / "segments.h5"], options.threads))
    measures = json.loads(run([options.cohort, "evaluate", "--json", "--result", directory / "segments.h5"],
                              options.threads))
    return {"recall": measures[f"recall@{K}"], "ndcg": measures[f"ndcg@{K}"],
            "loss": [info["loss"]["first"], info["loss"]["last"]],
            "seconds_per_epoch": info["timing"]["train"][0] / epochs}


def mean(values, digits):
    text = f"{statistics.mean(values):.{digits}f}"
    return text if len(values) < 2 else f"{text} ± {statistics.stdev(values):.{digits}f}"


def line(split, method, program, runs):
    cells = [split.name, method, program, mean([r["recall"] for r in runs], 4), mean([r["ndcg"] for r in runs], 4)]
    if "loss" in runs[0]:
        cells += [mean([r["loss"][0] for r in runs], 4), mean([r["loss"][-1] for r in runs], 4),
                  mean([r["seconds_per_epoch"] for r in runs], 3)]
    else:
        cells += [""] * 3
    return "| " + " | ".join(cells) + " |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", required=True, help="an interpreter with torch and numpy")
    parser.add_argument("--cohort", required=True, type=pathlib.Path)
    parser.add_argument("--data", type=pathlib.Path, default=HERE.parents[2] / "shared" / "data")
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path("build/peer"))
    parser.add_argument("--only", choices=["LastFM", "Gowalla"])
    parser.add_argument("--epochs", type=int, help="instead of the split's number; for a quick look")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    options.cohort = options.cohort.resolve()
    options.output.mkdir(parents=True, exist_ok=True)

    rows = []
    for split in splits(options.data):
        if options.only not in (None, split.name):
            continue
        epochs = options.epochs or split.epochs
        rows.append(line(split, "popularity", "", [torch_run(options, split, "--popularity")]))
        for layers in split.layers:
            method = f"LightGCN, {layers} layers" if layers else "matrix factorisation"
            runs = {"Cohort": [], "PyTorch": []}
            for seed in split.seeds:
                start = time.perf_counter()
                runs["Cohort"].append(cohort_run(options, split, layers, seed, epochs))
                runs["PyTorch"].append(
                    torch_run(options, split, "--layers", layers, "--epochs", epochs, "--seed", seed))
                print(f"{split.name}, {method}, seed {seed}: {time.perf_counter() - start:.0f} s", file=sys.stderr)
            name = f"{split.name}-{layers}.json"
            (options.output / name).write_text(json.dumps({"epochs": epochs, "threads": options.threads} | runs))
            rows += [line(split, f"{method}, {epochs} epochs", program, runs[program]) for program in runs]
    table = "\n".join([f"| data | method | program | Recall@{K} | NDCG@{K} | loss, first epoch | last | s an epoch |",
                       "| --- | --- | --- | --- | --- | --- | --- | --- |", *rows]) + "\n"
    (options.output / "comparison.md").write_text(table)
    print(table)


if __name__ == "__main__":
    main()
