"""A small population, every command on it, and what the files are after each stage of a run without faults."""

import pathlib
import shutil
import sys
import threading

import h5py

from harness import undisturbed

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from reseal import wrong_checksums  # noqa: E402 - found only then

STAGES = ("prepare", "partition", "train", "segment", "profile", "recommend")
FILES = ("graph.h5", "model.h5", "validation.h5", "segments.h5")
EPOCHS = 12
OTHERS = ("history/timing", "history/traffic", "checksums/")  # outside bit identity


def datasets(path):
    """Every dataset under the bit-identity contract: name -> (shape, type, bytes)."""
    found = {}

    def visit(name, item):
        if isinstance(item, h5py.Dataset) and not name.startswith(OTHERS):
            found[name] = (item.shape, str(item.dtype), item[...].tobytes())

    with h5py.File(path, "r") as file:
        file.visititems(visit)
    return found


def differences(directory, expected):
    """In words, for every file of `expected`, a directory of a run without faults, what is other in `directory`, and what
    has checksums there that are not right: its next reader would refuse it."""
    complaints = []
    for name in FILES:
        if not (expected / name).exists():
            continue
        if not (directory / name).exists():
            complaints.append(f"no {name}")
            continue
        found, wanted = datasets(directory / name), datasets(expected / name)
        other = sorted(key for key in found.keys() | wanted.keys() if found.get(key) != wanted.get(key))
        if other:
            complaints.append(f"{name} differs in {', '.join(other[:3])}")
    for path in sorted(directory.glob("*.h5")):
        if wrong := wrong_checksums(path):
            complaints.append(f"{path.name} has a wrong checksum of {', '.join(wrong[:3])}")
    return complaints


def temporary_files(directory):
    return [f"left: {path.name}" for path in directory.rglob("*") if ".tmp" in path.name]


def neutral(text, output):
    return text.replace(str(output), "OUT")


class Population:
    """Made anew in `directory`; after[stage] is a directory with the files as they are after that stage, after["none"]
    is empty, after["half"] has a model.h5 of some of the epochs, and the one before it."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.data = self.directory / "data"
        undisturbed(["generate", "--output", self.data, "--users", 80, "--items", 50, "--interactions", 1200,
                     "--segments", 4, "--social", 100, "--seed", 3], 1, self.directory)
        (self.data / "items.csv").write_text("id,kind\n" + "".join(f"i{n},{'abc'[n % 3]}\n" for n in range(50)))
        (self.data / "users.csv").write_text("id,age\n" + "".join(f"u{n},{n * 7 % 60}\n" for n in range(80)))
        (self.data / "config.toml").write_text(f"""
[input]
interactions = "interactions.tsv"
social = "social.tsv"
item_attributes = "items.csv"
user_attributes = "users.csv"
holdout = 0.1
[model]
dim = 16
[partition]
shards = 8
[train]
loss = "bpr"
batch = 100
epochs = {EPOCHS}
checkpoint_every = 6
[segment]
count = 4
restarts = 2
[recommend]
count = 5
""")
        self.outputs = {}
        self.one_at_a_time = threading.Lock()
        self.after = {"none": self.directory / "after-none"}
        self.after["none"].mkdir()
        previous = "none"
        for stage in STAGES:
            self.after[stage] = self.copy(previous, self.directory / f"after-{stage}")
            undisturbed(self.arguments(stage, self.after[stage]), 1, self.directory)
            previous = stage
        self.after["half"] = self.copy("partition", self.directory / "after-half")
        undisturbed(self.arguments("train", self.after["half"], f"train.epochs={EPOCHS * 2 // 3}"), 1, self.directory)

    def copy(self, stage, directory):
        """The files after a stage, in a directory of their own."""
        shutil.copytree(self.after[stage], directory)
        return directory

    def arguments(self, command, output, *settings):
        """Of any command but generate, on the files in `output`."""
        result = output / "segments.h5"
        if command in STAGES + ("run",):
            settings = (f"output.directory={output}", *settings)
            return [command, self.data / "config.toml", "--quiet",
                    *(part for setting in settings for part in ("--set", setting))]
        return {"evaluate": ["evaluate", "--result", result, "--json"],
                "strategies": ["evaluate", "--result", result, "--strategies", "--json"],
                "explain": ["explain", "--result", result, "--user", "u1", "--json"],
                "assign": ["assign", "--result", result, "--interactions", self.data / "interactions.tsv"],
                "compare": ["compare", result, self.after["recommend"] / "segments.h5", "--json"],
                "export": ["export", result],
                "embedding": ["export", result, "--what", "embedding"],
                "rerun": ["rerun", result],
                "graph": ["info", output / "graph.h5"],
                "model": ["info", output / "model.h5"],
                "result": ["info", result]}[command]

    def output_of(self, command):
        """What a command prints when nothing goes wrong, with OUT for its output directory."""
        with self.one_at_a_time:
            if command not in self.outputs:
                output, arguments, _ = self.start(command, self.directory / f"print-{command}")
                self.outputs[command] = neutral(undisturbed(arguments, 1, self.directory).out, output)
            return self.outputs[command]

    # Commands that write, with the stage whose files they find and the one whose files they make.
    WRITES = {"prepare": ("none", "prepare"), "partition": ("prepare", "partition"), "train": ("partition", "train"),
              "half": ("half", "train"), "segment": ("train", "segment"), "profile": ("segment", "profile"),
              "recommend": ("profile", "recommend"),
              "again": ("recommend", "recommend"), "run": ("none", "recommend")}
    READS = ("evaluate", "strategies", "explain", "assign", "compare", "export", "embedding", "rerun", "graph", "model",
             "result")

    def start(self, command, directory):
        """An output directory with what the command finds; returns it, the arguments, and the directory that is right."""
        before, after = self.WRITES.get(command, ("recommend", "recommend"))
        output = self.copy(before, directory / "out")
        name = {"half": "train", "again": "recommend"}.get(command, command)
        return output, self.arguments(name, output), self.after[after]
