#!/usr/bin/python3
"""Scaling studies: strong (the same data on more and more cores) and weak (data that grow with the ranks).

  scripts/scaling.py run STUDY [--kinds strong weak] [--nodes 1] [--ranks 1 2] [--threads 1] [--repetitions 3] ...
  scripts/scaling.py submit STUDY [the same] [-- options of sbatch]
  scripts/scaling.py collect STUDY

STUDY is a directory. `run` makes a run of every combination that has none there yet (so the same line goes on after an
interruption), and collects; `submit` has Slurm make them, a job for each number of nodes, and one that collects. What was
asked for is STUDY/study.json; given again, without options, it is taken from there. --ranks counts ranks of a node. Strong
scaling takes --config, or a made-up population as large as the largest of weak scaling; weak scaling always a made-up one,
of --users and so on for each rank. `collect` writes runs.csv, table.md, speedup, phases and traffic (.png and .svg).

Only Python's own modules are needed to run, Matplotlib to collect (without it there are no pictures).
"""

import argparse
import csv
import itertools
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
PHASES = ("prepare", "partition", "train", "segment", "profile", "recommend")
SIZES = ("users", "items", "interactions")


def fail(message):
    sys.exit(f"error: {message}")


def program():
    found = os.environ.get("COHORT") or shutil.which("cohort") or ROOT / "build" / "release" / "cohort"
    if not shutil.which(str(found)):
        fail(f"there is no program {found}; build preset release, or set COHORT")
    return str(found)


def said(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        fail(f"{' '.join(map(str, command))} exited {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=("run", "submit", "collect"))
    parser.add_argument("study", type=pathlib.Path)
    parser.add_argument("--kinds", nargs="+", choices=("strong", "weak"), help="default: both")
    parser.add_argument("--nodes", nargs="+", type=int, help="default: 1")
    parser.add_argument("--ranks", nargs="+", type=int, help="of a node; default: 1 2")
    parser.add_argument("--threads", nargs="+", type=int, help="of a rank; default: 1")
    parser.add_argument("--repetitions", type=int, help="default: 3")
    parser.add_argument("--config", help="what strong scaling runs; default: a made-up population")
    parser.add_argument("--set", action="append", dest="settings", help="section.key=value, for all runs")
    for name, default in (("users", 20000), ("items", 5000), ("interactions", 400000)):
        parser.add_argument(f"--{name}", type=int, help=f"of a rank, of made-up populations; default: {default}")
    parser.add_argument("--launcher", choices=("mpirun", "srun"), default=os.environ.get("COHORT_LAUNCHER") or "mpirun")
    parser.add_argument("--only-nodes", type=int, help="of the study's runs those of so many nodes; for Slurm's jobs")
    mine, sbatch = sys.argv[1:], []
    if "--" in mine:
        mine, sbatch = mine[:mine.index("--")], mine[mine.index("--") + 1:]
    chosen = parser.parse_args(mine)
    chosen.sbatch = sbatch
    return chosen


def load_study(chosen):
    """What is asked for: the defaults, over them study.json, over that the command line. Written where it is new."""
    study = {"kinds": ["strong", "weak"], "nodes": [1], "ranks": [1, 2], "threads": [1], "repetitions": 3, "config": None,
             "settings": [], "users": 20000, "items": 5000, "interactions": 400000}
    path = chosen.study / "study.json"
    before = json.loads(path.read_text()) if path.exists() else {}
    study |= before
    study |= {name: value for name in study if (value := getattr(chosen, name, None)) is not None}
    if study["config"]:
        study["config"] = str(pathlib.Path(study["config"]).resolve())
    fixed = ("config", "settings", *SIZES)
    if before and any(study[name] != before[name] for name in fixed):
        fail(f"{path} is of other data or settings; take another directory")
    if chosen.action != "collect" and study != before:
        chosen.study.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(study, indent=1) + "\n")
    return study


def points(study):
    """(kind, nodes, ranks of a node, threads, repetition), so that what a machine does meanwhile meets all alike."""
    for repetition in range(study["repetitions"]):
        for kind, *rest in itertools.product(study["kinds"], study["nodes"], study["ranks"], study["threads"]):
            yield (kind, *rest, repetition)


def population(chosen, study, ranks):
    """The configuration of a made-up population for so many ranks; made once, whoever comes first."""
    place = chosen.study / "data" / str(ranks)
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        draft = pathlib.Path(tempfile.mkdtemp(dir=place.parent))
        sizes = [part for name in SIZES for part in (f"--{name}", str(ranks * study[name]))]
        said([program(), "generate", *sizes, "--segments", "8", "--seed", "1", "--output", str(draft / "data")])
        try:
            (draft / "data").rename(place)
        except OSError:  # another job was faster
            pass
        shutil.rmtree(draft)
    return place / "config.toml"


def launch(launcher, nodes, ranks, threads):
    free = os.environ.get("COHORT_BIND") == "none"
    if launcher == "srun":
        return ["srun", "--mpi=pmix", "--kill-on-bad-exit=1", f"--nodes={nodes}", f"--ntasks={nodes * ranks}",
                f"--ntasks-per-node={ranks}", f"--cpus-per-task={threads}", f"--cpu-bind={'none' if free else 'cores'}"]
    if nodes == 1 and "SLURM_JOB_ID" not in os.environ:
        where = ["--bind-to", "none"] if free else ["--map-by", f"slot:PE={threads}", "--bind-to", "core"]
    else:
        where = ["--map-by", f"ppr:{ranks}:node" + ("" if free else f":PE={threads}"), "--bind-to", "none" if free else "core"]
    return ["mpirun", *where, "-n", str(nodes * ranks)]


def make_run(chosen, study, point):
    kind, nodes, ranks, threads, repetition = point
    place = chosen.study / kind / f"nodes{nodes}-ranks{ranks}-threads{threads}" / str(repetition)
    if (place / "run.json").exists():
        return
    largest = max(study["nodes"]) * max(study["ranks"])
    own = kind == "strong" and study["config"]
    config = study["config"] if own else population(chosen, study, largest if kind == "strong" else nodes * ranks)
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    command = [*launch(chosen.launcher, nodes, ranks, threads), program(), "run", str(config), "--quiet", "--set",
               f"output.directory={place}", *(part for setting in study["settings"] for part in ("--set", setting))]
    begin = time.monotonic()
    with open(place / "log", "w") as log:
        code = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                              env=os.environ | {"OMP_NUM_THREADS": str(threads)}).returncode
    seconds = time.monotonic() - begin
    if code != 0:
        fail(f"{' '.join(command)} exited {code}; see {place / 'log'}")
    info = json.loads(said([program(), "info", "--json", str(place / "segments.h5")]))
    names = os.environ.get("SLURM_JOB_NODELIST") or platform.node()
    run = {"kind": kind, "nodes": nodes, "ranks": nodes * ranks, "threads": threads, "repetition": repetition,
           "wall_seconds": seconds, "node_names": names, "command": command, "cores_here": os.cpu_count(),
           **{name: info[name] for name in ("cohort_version", "git_revision", "vector_target", "inputs", "timing", "traffic",
                                            "configuration")}}
    (place / "run.json").write_text(json.dumps(run, indent=1) + "\n")
    for name in ("segments.h5", "model.h5", "model.previous.h5", "graph.h5", "validation.h5"):
        (place / name).unlink(missing_ok=True)  # a study of large data would fill the disk
    print(f"{kind}: {nodes} nodes, {nodes * ranks} ranks, {threads} threads: {seconds:.2f} s", flush=True)


def row_of(run):
    """One line of runs.csv: seconds of the slowest rank, bytes of all ranks."""
    timing, traffic = run["timing"], run["traffic"]
    owned = traffic.get("owned", [0])
    row = {name: run[name] for name in ("kind", "nodes", "ranks", "threads", "repetition", "wall_seconds")}
    row |= {phase: max(timing.get(phase, [0])) for phase in PHASES}
    row["seconds"] = sum(row[phase] for phase in PHASES)
    row["waiting"] = max(timing.get("train_waiting", [0]))
    row["waiting_mean"] = statistics.mean(timing.get("train_waiting", [0]))
    row["halo_bytes"] = sum(traffic.get("halo_bytes", [0]))
    row["pair_bytes"] = sum(traffic.get("pair_bytes", [0]))
    row["balance"] = max(owned) / max(statistics.mean(owned), 1)
    row |= {name: run[name] for name in ("cohort_version", "git_revision", "vector_target", "node_names", "cores_here")}
    return row


def summaries(rows):
    """A line for each combination: medians, and speed-up and efficiency beside the fewest cores of its kind. Weak scaling's
    speed-up is that of so many times the work."""
    found = []
    for kind in ("strong", "weak"):
        groups = {}
        for row in rows:
            if row["kind"] == kind:
                groups.setdefault((row["ranks"] * row["threads"], row["nodes"], row["ranks"],
                                   row["threads"]), []).append(row)
        base = None
        for (cores, nodes, ranks, threads), group in sorted(groups.items()):
            line = {"kind": kind, "nodes": nodes, "ranks": ranks, "threads": threads, "cores": cores, "runs": len(group)}
            for name in ("seconds", *PHASES, "waiting", "halo_bytes", "pair_bytes", "balance"):
                line[name] = statistics.median(row[name] for row in group)
            line["least"] = min(row["seconds"] for row in group)
            line["most"] = max(row["seconds"] for row in group)
            base = base or line
            more = cores / base["cores"]
            work = ranks / base["ranks"] if kind == "weak" else 1
            for name in ("seconds", "train"):
                speedup = work * base[name] / line[name] if line[name] > 0 else float("nan")
                line[f"speedup_{name}"], line[f"efficiency_{name}"] = speedup, speedup / more
            line["more_than_cores"] = any(ranks * threads > nodes * row["cores_here"] for row in group)
            found.append(line)
    return found


def table(lines, runs):
    text = ("| scaling | nodes | ranks | threads | seconds (least to most) | speed-up | efficiency | train s | its efficiency | "
            "waiting s | halo MB | balance |\n" + "| --- " * 12 + "|\n")
    for line in lines:
        text += (f"| {line['kind']} | {line['nodes']} | {line['ranks']}{' *' if line['more_than_cores'] else ''} | "
                 f"{line['threads']} | {line['seconds']:.2f} ({line['least']:.2f} to {line['most']:.2f}) | "
                 f"{line['speedup_seconds']:.2f} | {100 * line['efficiency_seconds']:.0f} % | {line['train']:.2f} | "
                 f"{100 * line['efficiency_train']:.0f} % | {line['waiting']:.2f} | {line['halo_bytes'] / 1e6:.1f} | "
                 f"{line['balance']:.2f} |\n")
    if any(line["more_than_cores"] for line in lines):
        text += "\n`*`: more ranks and threads than cores: that it works, not how fast.\n"
    of = sorted({(run["cohort_version"], run["git_revision"], run["vector_target"]) for run in runs})
    text += "\n" + "".join(f"cohort {version} ({revision}), {target}. " for version, revision, target in of)
    text += f"Nodes: {', '.join(sorted({run['node_names'] for run in runs}))}. Medians of "
    text += f"{min(line['runs'] for line in lines)} or more runs; seconds are the sum of the phases, each of its slowest rank.\n"
    for kind in sorted({run["kind"] for run in runs}):
        run = next(run for run in runs if run["kind"] == kind)
        text += f"\nOne of the {kind} runs:\n\n```\n{' '.join(run['command'])}\n```\n\n```toml\n{run['configuration']}\n```\n"
    return text


def pictures(directory, lines):
    try:
        import matplotlib
    except ImportError:
        print("there is no Matplotlib: no pictures")
        return
    matplotlib.use("Agg")
    from matplotlib import pyplot
    kinds = [kind for kind in ("strong", "weak") if any(line["kind"] == kind for line in lines)]

    def picture(name, draw):
        figure, axes = pyplot.subplots(1, len(kinds), figsize=(5.5 * len(kinds), 4), squeeze=False, layout="constrained")
        for axis, kind in zip(axes[0], kinds):
            mine = [line for line in lines if line["kind"] == kind]
            axis.set_title(f"{kind} scaling")
            draw(axis, mine, [f"{line['nodes']}x{line['ranks'] // line['nodes']}x{line['threads']}" for line in mine])
        for ending in ("png", "svg"):
            figure.savefig(directory / f"{name}.{ending}", dpi=150)
        pyplot.close(figure)

    def speedup(axis, mine, _):
        cores = [line["cores"] for line in mine]
        axis.plot(cores, [c / cores[0] for c in cores], "k--", label="ideal")
        axis.plot(cores, [line["speedup_seconds"] for line in mine], "o-", label="all phases")
        axis.plot(cores, [line["speedup_train"] for line in mine], "s-", label="training")
        axis.set(xlabel="cores (ranks x threads)", ylabel="speed-up", xscale="log", yscale="log")
        axis.minorticks_off()
        axis.set_xticks(cores, [str(c) for c in cores])
        shown = [c / cores[0] for c in cores] + [0.5, 0.25]
        axis.set_yticks(shown, [f"{s:g}" for s in shown])
        axis.legend()

    def stack(axis, mine, labels):
        bottom = [0.0] * len(mine)
        for phase in PHASES:
            axis.bar(labels, [line[phase] for line in mine], bottom=bottom, label=phase)
            bottom = [below + line[phase] for below, line in zip(bottom, mine)]
        axis.plot(labels, [line["waiting"] for line in mine], "kx", label="waiting in training")
        axis.set(xlabel="nodes x ranks x threads", ylabel="seconds")
        axis.legend()

    def traffic(axis, mine, labels):
        halo = [line["halo_bytes"] / 1e6 for line in mine]
        axis.bar(labels, halo, label="halo")
        axis.bar(labels, [line["pair_bytes"] / 1e6 for line in mine], bottom=halo, label="pairs and reductions")
        axis.set(xlabel="nodes x ranks x threads", ylabel="MB sent by all ranks")
        axis.legend()

    picture("speedup", speedup)
    picture("phases", stack)
    picture("traffic", traffic)


def collect(directory):
    runs = [json.loads(path.read_text()) for path in sorted(directory.glob("*/nodes*/*/run.json"))]
    if not runs:
        fail(f"there are no runs in {directory}")
    rows = [row_of(run) for run in runs]
    with open(directory / "runs.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    lines = summaries(rows)
    (directory / "table.md").write_text(table(lines, runs))
    pictures(directory, lines)
    print(f"{len(runs)} runs: runs.csv, table.md and pictures in {directory}")


def main():
    chosen = arguments()
    chosen.study = chosen.study.resolve()
    study = load_study(chosen)
    if chosen.action == "submit":
        if not shutil.which("sbatch"):
            fail("there is no Slurm here (no sbatch); without it: scripts/scaling.py run")
        os.execv("/bin/bash", ["bash", str(ROOT / "slurm" / "submit-study.sh"), str(chosen.study), *chosen.sbatch])
    if chosen.action == "run":
        for point in points(study):
            if chosen.only_nodes in (None, point[1]):
                make_run(chosen, study, point)
    if chosen.action == "collect" or chosen.only_nodes is None:
        collect(chosen.study)


main()
