"""Cohort beside simple and strong peers: recommendations on sets of interactions, communities on social graphs.

usage: tests/peer/beside.py --cohort build/release/cohort [--python PYTHON-WITH-THE-PEERS'-MODULES] [--data ../shared/data]

One table for recommendations and one for communities, written to --output as results.md and, with all figures, as
results.json, and printed. Peers read the graph.h5 that Cohort made, so both see the same pairs; all items are ranked but
those trained on, and users with held-out pairs count. What peers choose, they choose on training pairs that they hold
back. Seconds and memory are of the whole process: for Cohort `run` with all its stages, for peers choosing included.
This driver needs Python's standard library alone; the peers' interpreter: see README.md beside it.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time
import tomllib

from sets import built_in

HERE = pathlib.Path(__file__).resolve().parent
K = 20
RECOMMENDERS = ("popularity", "itemcf", "svd", "gfcf", "ease")
COMMUNITIES = ("spectral", "leiden")
NAMES = {"popularity": "popularity", "itemcf": "ItemCF, 100 neighbours", "svd": "SVD-64, items' degree", "gfcf": "GF-CF",
         "ease": "EASE", "spectral": "spectral, regularised", "leiden": "Leiden", "cohort": "Cohort"}


class Failed(Exception):
    pass


def measured(options, command, log):
    """Runs it; (standard output, wall and CPU seconds, peak bytes). The kernel counts this driver's own peak of memory into
    the child's, so the driver imports nothing large."""
    environment = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
                       **{f"{library}_NUM_THREADS": str(options.threads) for library in ("OMP", "OPENBLAS", "MKL")})
    with open(log, "w") as errors, open(log.with_suffix(".out"), "w") as output:
        start = time.perf_counter()
        process = subprocess.Popen(list(map(str, command)), env=environment, stdout=output, stderr=errors)
        try:
            _, status, used = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            process.wait()
            raise
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - start
    if process.returncode != 0:
        last = (log.read_text(errors="replace").strip().splitlines() or ["without a word"])[-1]
        raise Failed(f"exited {process.returncode}: {last}")
    return log.with_suffix(".out").read_text(), {"wall_seconds": wall, "cpu_seconds": used.ru_utime + used.ru_stime,
                                                 "peak_bytes": used.ru_maxrss * 1024}


def cohort(options, directory, *arguments):
    return measured(options, [options.cohort, *arguments], directory / f"cohort-{arguments[0]}.log")


def cohort_rows(options, directory, truth, used):
    """label -> the measures of Cohort's result: one for each strategy, or one of the segments."""
    text, _ = cohort(options, directory, "evaluate", "--quiet", "--json", "--result", directory / "out" / "segments.h5",
                     *(["--truth", truth] if truth else []))
    found = json.loads(text)
    if "strategies" not in found:
        return {"Cohort": {"segments": found["segments"], "modularity": found.get("social_modularity"),
                           **{name: found[name] for name in ("ari", "nmi") if name in found}} | used}
    rows = {}
    for strategy, of in found["strategies"].items():
        written = " (written)" if strategy == found["written_strategy"] else ""
        rows[f"Cohort, {strategy}{written}"] = {"recall": of[f"recall@{K}"], "ndcg": of[f"ndcg@{K}"],
                                                "test_users": found["test_users"]} | used
    return rows


def peer(options, directory, method, seed, truth, count):
    graph = directory / "out" / "graph.h5"
    if method in COMMUNITIES:
        arguments = [HERE / "communities.py", graph, "--count", count, *(["--truth", truth] if truth else [])]
    else:
        arguments = [HERE / "recommenders.py", graph, "-k", K, "--memory-limit", options.memory_limit]
    try:
        text, used = measured(options, [options.python, *arguments, "--method", method, "--seed", seed],
                              directory / f"{method}.log")
    except Failed as failed:
        return {"skipped": str(failed)}
    return json.loads(text) | used


def one_seed(options, directory, config, truth, seed):
    """label -> result, of Cohort and of the peers that the set is for."""
    settings = [f"output.directory={directory / 'out'}", f"train.seed={seed}", f"evaluate.k={K}", *options.set]
    with_cohort = "cohort" in options.methods
    _, used = cohort(options, directory, "run" if with_cohort else "prepare", config, "--quiet",
                     *(part for one in settings for part in ("--set", one)))
    rows = cohort_rows(options, directory, truth, used) if with_cohort else {}
    info = json.loads(cohort(options, directory, "info", "--json", directory / "out" / "graph.h5")[0])
    if "interactions/item" in info["datasets"]:
        methods, count = RECOMMENDERS, None
    else:  # where Cohort chose the number itself, the peers are given that
        methods, count = COMMUNITIES, tomllib.loads(info["configuration"])["segment"]["count"]
        if not isinstance(count, int):
            if not rows:
                sys.exit(f"{config}: segment.count is {count}: give --set segment.count=K, or let Cohort run to choose it")
            count = rows["Cohort"]["segments"]
    for method in methods:
        if method in options.methods:
            rows[NAMES[method]] = peer(options, directory, method, seed, truth, count)
            print(f"{directory.name}, {method}: {json.dumps(rows[NAMES[method]])}", file=sys.stderr, flush=True)
    tested = {of["test_users"] for of in rows.values() if "test_users" in of}
    if len(tested) > 1:
        sys.exit(f"{directory.name}: not all test the same users: {sorted(tested)}")
    return rows


def mean(runs, name, digits, scale=1):
    values = [of[name] / scale for of in runs if of.get(name) is not None]
    if not values:
        return ""
    text = f"{statistics.mean(values):.{digits}f}"
    return text if len(values) < 2 else f"{text} ± {statistics.stdev(values):.{digits}f}"


def line(data, label, runs, measures):
    skipped = [of["skipped"] for of in runs if "skipped" in of]
    if skipped:
        return f"| {data} | {label} | skipped: {skipped[0]} |" + " |" * (len(measures) + 3)
    setting = ", ".join(dict.fromkeys(of["setting"] for of in runs if of.get("setting")))
    cells = [data, label, setting, *(mean(runs, name, 0 if name == "segments" else 4) for name in measures),
             mean(runs, "cpu_seconds", 1), mean(runs, "wall_seconds", 1), mean(runs, "peak_bytes", 0, 2**20)]
    return "| " + " | ".join(cells) + " |"


def table(sets, measures, heads):
    rows = [line(data, label, runs, measures) for data, methods in sets.items() for label, runs in methods.items()
            if set(measures) & set().union(*runs) or "skipped" in runs[0]]
    head = ["data", "method", "chosen", *heads, "CPU s", "wall s", "peak MiB"]
    return "\n".join(["| " + " | ".join(head) + " |", "| --- " * len(head) + "|", *rows]) + "\n" if rows else ""


def write(options, results):
    """What there is so far; a set that takes an hour loses nothing of those before."""
    recommended = {name: of for name, of in results.items() if not is_communities(of)}
    communities = {name: of for name, of in results.items() if is_communities(of)}
    text = "\n".join(filter(None, (
        table(recommended, ("recall", "ndcg"), (f"Recall@{K}", f"NDCG@{K}")),
        table(communities, ("segments", "modularity", "ari", "nmi"), ("segments", "modularity", "ARI", "NMI")))))
    (options.output / "results.md").write_text(text)
    about = {"seeds": options.seeds, "threads": options.threads, "set": options.set, "sets": results}
    (options.output / "results.json").write_text(json.dumps(about, indent=1))
    return text


def is_communities(methods):
    return any("modularity" in run for runs in methods.values() for run in runs)


def sets_of(options):
    """name -> (configuration, file of true classes or None), of those wanted that are there."""
    found = {}
    available = built_in(options.data.resolve())
    for name in options.sets or ([] if options.config else available):
        text, truth, needed = available[name]
        if not pathlib.Path(needed).exists():
            print(f"{name}: {needed} is not there: left out", file=sys.stderr)
            continue
        config = options.output / f"{slug(name)}.toml"
        config.write_text(text)
        found[name] = (config, truth)
    for path in options.config:
        found[path.stem] = (path.resolve(), options.truth)
    return found


def slug(name):
    return "-".join(name.replace(",", "").replace("'", "").split()).lower()


def main():
    names = list(built_in(pathlib.Path()))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohort", required=True, type=pathlib.Path)
    parser.add_argument("--python", default=sys.executable, help="the peers' interpreter")
    parser.add_argument("--data", type=pathlib.Path, default=HERE.parents[2] / "shared" / "data")
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path("build/peer/beside"))
    parser.add_argument("--sets", nargs="+", choices=names, metavar="NAME", help=f"of {'; '.join(names)}")
    parser.add_argument("--config", nargs="+", type=pathlib.Path, default=[], metavar="CONFIG.toml",
                        help="sets of your own: a configuration of Cohort with input.test or input.holdout, or with "
                             "social edges alone and segment.count")
    parser.add_argument("--truth", type=pathlib.Path, help="true classes of --config: lines of user and class")
    parser.add_argument("--methods", nargs="+", choices=NAMES, default=list(NAMES), metavar="METHOD",
                        help=f"of {', '.join(NAMES)}")
    parser.add_argument("--set", nargs="+", default=[], metavar="SECTION.KEY=VALUE", help="settings of Cohort")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1], metavar="SEED",
                        help="of training, of what is held out where a set has no split, and of what peers hold back")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--memory-limit", type=float, default=4, metavar="GIB",
                        help="a recommender that needs more is left out; EASE's dense matrix has min(users, items) rows")
    options = parser.parse_args()
    options.cohort, options.output = options.cohort.resolve(), options.output.resolve()
    options.output.mkdir(parents=True, exist_ok=True)
    results, text = {}, ""
    for name, (config, truth) in sets_of(options).items():
        for seed in options.seeds:
            directory = options.output / f"{slug(name)}-{seed}"
            shutil.rmtree(directory, ignore_errors=True)
            directory.mkdir()
            try:
                rows = one_seed(options, directory, config, truth, seed)
            except Failed as failed:
                sys.exit(f"{name}, seed {seed}: Cohort {failed}")
            for label, result in rows.items():
                results.setdefault(name, {}).setdefault(label, []).append(result)
        text = write(options, results)
    print(text, end="")


if __name__ == "__main__":
    main()
