#!/usr/bin/env python3
"""What `cohort plan` predicts beside what a run then takes, on a made-up population: a table in Markdown.

    tests/bench/planned.py memory build/release/cohort          # highest resident set of each command's fullest rank
    tests/bench/planned.py seconds build/release/cohort         # of a step, in turn: median of the ratios
    tests/bench/planned.py network build/release/cohort         # of a step, between two machines that root makes here
    tests/bench/planned.py memory build/release/cohort --cases softmax,gcn --ranks 1,4 --users 50000

The two machines are network namespaces joined by a link of limited rate (Linux's `ip` and `tc`), a rank each.

Seconds mean something on a machine that does nothing else. Nothing is left behind.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

import h5py
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from peak_of import peaks  # noqa: E402 - found only then

# Nothing is left to choose before training.
SOFTMAX = ["train.loss=softmax", "train.temperature=0.12", "train.pair_weight=degree", "train.length_power=0.25"]
USERS = ["graph.kind=user"]
CASES = {
    "bpr": ["train.loss=bpr"],
    "softmax": SOFTMAX,
    "sage": ["model.encoder=sage", *SOFTMAX],
    "dmon": ["model.encoder=gcn", "train.loss=dmon", "segment.count=20"],
    "joint": [*SOFTMAX, "train.joint=true", "segment.count=20"],
    "spectral": ["model.encoder=spectral"],
    "gcn": [*USERS, "model.encoder=gcn", *SOFTMAX],
    "ns4gc": [*USERS, "model.encoder=gcn", "train.loss=ns4gc"],
    "users-lightgcn": [*USERS, "model.encoder=lightgcn", *SOFTMAX],
    "users-dmon": [*USERS, "model.encoder=gcn", "train.loss=dmon", "segment.count=20"],
    "users-joint": [*USERS, "model.encoder=gcn", *SOFTMAX, "train.joint=true", "segment.count=20"],
    "users-spectral": [*USERS, "model.encoder=spectral"],
    # {data}: the folder of the population, which has features and attributes of its users.
    "dense": ["model.encoder=gcn", "train.loss=dmon", "segment.count=20", "input.user_features={data}/dense.npy",
              "input.user_feature_ids={data}/ids.txt"],
    "sparse": [*USERS, "model.encoder=gcn", "train.loss=ns4gc", "input.user_features={data}/sparse.npz",
               "input.user_feature_ids={data}/ids.txt"],
    "attributes": [*SOFTMAX, "input.user_attributes={data}/attributes.tsv"],
    "choosing": ["train.loss=softmax", "train.steps=40"],
}
MIB = 1 << 20


class Study:
    def __init__(self, options, directory):
        self.options = options
        self.directory = pathlib.Path(directory)
        self.environment = dict(os.environ, OMP_NUM_THREADS="1", OMP_WAIT_POLICY="passive",
                                OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
                                OMPI_MCA_mpi_yield_when_idle="1")
        self.run("generate", "--users", options.users, "--items", options.items, "--interactions",
                 options.interactions, "--segments", 20, "--seed", 5, "--output", self.directory / "data", settings=[])
        self.describe_users(self.directory / "data")

    def describe_users(self, data):
        """64 numbers each, 100 of 2,000 words each, and a table of four columns."""
        users = self.options.users
        draw = np.random.default_rng(1)
        (data / "ids.txt").write_text("".join(f"u{u}\n" for u in range(users)))
        np.save(data / "dense.npy", draw.random((users, 64), dtype=np.float32))
        words = np.sort(draw.integers(0, 2000, (users, 100)), axis=1).ravel()
        np.savez(data / "sparse.npz", format=np.array("csr"), shape=np.array([users, 2000]),
                 data=np.ones(words.size, np.float32), indices=words.astype(np.int32),
                 indptr=np.arange(0, words.size + 1, 100))
        with open(data / "attributes.tsv", "w", encoding="utf-8") as table:
            table.write("user\tage\tvisits\tcountry\tinterests\n")
            for u, (age, visits, country, *interests) in enumerate(draw.integers(0, 90, (users, 8))):
                words = "|".join(f"subject-{i}" for i in interests)
                table.write(f"u{u}\t{age}\t{visits * 17}\tcountry-{country}\t{words}\n")

    @staticmethod
    def launch(ranks):
        return ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", str(ranks)]

    def command(self, name, settings, *arguments):
        """The words of a command on the population; settings: section.key=value each."""
        words = [self.options.program, name]
        if name == "evaluate":
            words += ["--result", self.directory / "run" / "segments.h5"]
        elif name != "generate":
            settings = [f"output.directory={self.directory}/run", *settings]
            settings = [setting.replace("{data}", f"{self.directory}/data") for setting in settings]
            words += [self.directory / "data" / "config.toml", *(w for s in settings for w in ("--set", s))]
        return [str(word) for word in [*words, *arguments, "--quiet"]]

    def run(self, name, *arguments, settings, ranks=1):
        command = [*self.launch(ranks), *self.command(name, settings, *arguments)]
        done = subprocess.run(command, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              check=False)
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)} exited {done.returncode}\n{done.stderr}")
        return done.stdout

    def plan(self, settings, ranks, *arguments):
        numbers = ",".join(map(str, ranks))
        done = self.run("plan", "--ranks", numbers, "--json", *arguments, settings=settings)
        return json.loads(done)["ranks"]

    def history(self, *names):
        """Of the slowest rank, or of the one that sent most."""
        with h5py.File(self.directory / "run" / "model.h5", "r") as model:
            return [float(max(model[f"history/{name}"])) for name in names]

    def peak(self, name, settings, ranks, *arguments):
        """Bytes of the fullest rank."""
        return max(peaks(self.launch(ranks), ranks, self.directory, self.command(name, settings, *arguments),
                         env=self.environment))

    def prepare(self, settings):
        for command in ("prepare", "partition"):
            self.run(command, settings=settings)


STAGES = ("prepare", "partition", "train", "segment", "profile", "recommend", "evaluate")


def memory(study, cases, all_ranks):
    """Each stage as a command of its own, on what the one before it left; what a run was begun with is made again."""
    print("| case | ranks | stage | planned, MiB | measured, MiB | ratio |")
    print("| --- | --- | --- | --- | --- | --- |")
    for case in cases:
        settings = [*CASES[case], *(["train.epochs=1"] if case != "choosing" else []), "input.holdout=0.1",
                    f"recommend.strategy={study.options.strategy}"]
        settings += [] if study.options.batch is None else [f"train.batch={study.options.batch}"]
        study.prepare(settings)
        for ranks, plan in zip(all_ranks, study.plan(settings, all_ranks)):
            for stage in STAGES:
                planned = plan["stages"][stage]["memory_bytes"]
                measured = study.peak(stage, settings, ranks, *(["--restart"] if stage == "train" else []))
                print(f"| {case} | {ranks} | {stage} | {planned / MIB:.0f} | {measured / MIB:.0f} | "
                      f"{planned / measured:.2f} |", flush=True)


def seconds(study, cases, all_ranks):
    print("| case | ranks | planned, ms a step | measured, ms a step | median of the ratios | least | most |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for case in cases:
        settings = [*CASES[case], "train.start=random", f"train.epochs={study.options.epochs}"]
        study.prepare(settings)
        pairs = {ranks: [] for ranks in all_ranks}
        for _ in range(study.options.repetitions):
            plans = study.plan(settings, all_ranks)
            for ranks, plan in zip(all_ranks, plans):
                study.run("train", "--restart", settings=settings, ranks=ranks)
                pairs[ranks].append((plan["seconds_per_step"], *study.history("timing/train_step")))
        for ranks in all_ranks:
            planned, measured = (1e3 * statistics.median(column) for column in zip(*pairs[ranks]))
            ratios = [one / other for one, other in pairs[ranks]]
            print(f"| {case} | {ranks} | {planned:.1f} | {measured:.1f} | {statistics.median(ratios):.2f} | "
                  f"{min(ratios):.2f} | {max(ratios):.2f} |", flush=True)


class TwoMachines:
    """Network namespaces joined by a link that passes `rate` bits a second each way; a launcher of a rank on each."""

    address = {"cohortA": "10.77.9.1", "cohortB": "10.77.9.2"}

    def __init__(self, directory, rate):
        self.agent = directory / "agent.sh"
        self.rate = rate

    def __enter__(self):
        cases = " ".join(f"{address}) name={name};;" for name, address in self.address.items())
        self.agent.write_text(f"""#!/bin/bash
case $1 in {cases} esac
shift
exec ip netns exec $name unshare --uts bash -c 'hostname '$name'; exec bash -c "$0"' "$*"
""")
        self.agent.chmod(0o755)
        try:
            self.join()
        except subprocess.CalledProcessError:
            self.__exit__()
            raise
        return self

    def join(self):
        first, second = self.address
        for name in self.address:
            self.call("ip", "netns", "add", name)
        self.call("ip", "link", "add", "v" + first, "netns", first, "type", "veth", "peer", "name", "v" + second, "netns",
                  second)
        for name, address in self.address.items():
            self.call("ip", "-n", name, "addr", "add", f"{address}/24", "dev", "v" + name)
            for link in ("lo", "v" + name):
                self.call("ip", "-n", name, "link", "set", link, "up")
            self.call("ip", "netns", "exec", name, "tc", "qdisc", "replace", "dev", "v" + name, "root", "tbf", "rate",
                      str(self.rate), "burst", "256kb", "latency", "20ms")

    def __exit__(self, *_):
        for name in self.address:
            subprocess.run(["ip", "netns", "del", name], check=False)

    @staticmethod
    def call(*words):
        subprocess.run(words, check=True)

    def launch(self, ranks):
        hosts = ",".join(f"{address}:1" for address in self.address.values())
        return [str(self.agent), next(iter(self.address.values())), "mpirun", "--mca", "plm", "rsh", "--mca",
                "plm_rsh_agent", str(self.agent), "--bind-to", "none", "--mca", "btl", "tcp,vader,self", "--mca",
                "btl_tcp_if_include", "10.77.9.0/24", "--host", hosts, "-n", str(ranks), "-x", "OMP_NUM_THREADS"]


def network(study, cases, rates):
    """`on the wire`: halo and rows of the objective of a step, at the link's rate; `waited`: what of it was not hidden."""
    print("| case | Gb/s | planned, ms a step | measured, ms a step | median of the ratios | least | most | on the wire, ms | "
          "waited, ms | the same two ranks on one machine, ms a step |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    one_machine = study.launch
    for case in cases:
        settings = [*CASES[case], "train.start=random", f"train.epochs={study.options.epochs}"]
        study.prepare(settings)
        for rate in rates:
            found = []
            with TwoMachines(study.directory, rate) as machines:
                for _ in range(study.options.repetitions):
                    # What is left of a link's rate beside the frames' own bytes: 1,448 of 1,514 and the gap.
                    plan, = study.plan(settings, [2], "--network", f"{0.957 * rate / 1e9:g}Gb,30us")
                    study.launch = machines.launch
                    study.run("train", "--restart", settings=settings, ranks=2)
                    study.launch = one_machine
                    step, train, waited, halo, pairs = study.history(
                        "timing/train_step", "timing/train", "timing/train_waiting", "traffic/halo_bytes",
                        "traffic/pair_bytes")
                    study.run("train", "--restart", settings=settings, ranks=2)
                    found.append((plan["seconds_per_step"], step, 8 * (halo + pairs) / (0.957 * rate) * step / train,
                                  waited * step / train, *study.history("timing/train_step")))
            planned, measured, wire, waited, beside = (1e3 * statistics.median(column) for column in zip(*found))
            ratios = [each[0] / each[1] for each in found]
            print(f"| {case} | {rate / 1e9:g} | {planned:.1f} | {measured:.1f} | {statistics.median(ratios):.2f} | "
                  f"{min(ratios):.2f} | {max(ratios):.2f} | {wire:.1f} | {waited:.1f} | {beside:.1f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["memory", "seconds", "network"])
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--cases", default=None, help="some of: " + "; ".join(CASES))
    parser.add_argument("--ranks", default=None)
    parser.add_argument("--rates", default="1e9,1e10", help="of the link between two machines, bits a second")
    parser.add_argument("--strategy", default="personal", help="of recommend; auto, blend and hybrid train once more")
    parser.add_argument("--batch", default=None, help="train.batch: memory can be measured with fewer and larger steps")
    parser.add_argument("--users", type=int, default=200000)
    parser.add_argument("--items", type=int, default=40000)
    parser.add_argument("--interactions", type=int, default=2000000)
    parser.add_argument("--repetitions", type=int, default=7)
    parser.add_argument("--epochs", type=int, default=5, help="of each run whose steps are timed")
    options = parser.parse_args()
    options.program = options.program.resolve()
    chosen = list(CASES) if options.cases is None else options.cases.split(",")
    for case in chosen:
        if case not in CASES:
            parser.error(f"no case {case!r}; there are: {'; '.join(CASES)}")
    if options.what == "network":
        numbers = [int(float(rate)) for rate in options.rates.split(",")]
    else:
        numbers = [int(r) for r in (options.ranks or {"memory": "1,3,4", "seconds": "1,2"}[options.what]).split(",")]
    with tempfile.TemporaryDirectory(prefix="cohort-planned-") as directory:
        study = Study(options, directory)
        {"memory": memory, "seconds": seconds, "network": network}[options.what](study, chosen, numbers)


if __name__ == "__main__":
    main()
