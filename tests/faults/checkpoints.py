"""A newest checkpoint that cannot be used: training says so and touches nothing, and goes on as it is then told to."""

import errno

import h5py

from calls import settings, in_output
from damage import changed
from harness import Result, Trial, judge, launch
from population import differences, temporary_files

FILES = ("model.h5", "model.previous.h5")
CHOICES = ("--previous", "--restart", "requeued")


def torn(path):
    content = path.read_bytes()
    path.write_bytes(content[:len(content) * 2 // 3])


def emptied(path):
    path.write_bytes(b"")


def flipped(path):
    content = bytearray(path.read_bytes())
    with h5py.File(path, "r") as file:
        content[file["embedding"].id.get_offset() + 5] ^= 4
    path.write_bytes(content)


def newer(path):
    with changed(path) as file:
        file.attrs["schema_version"] = 99


def of_another_graph(path):
    with changed(path) as file:
        file.attrs["graph_hash"] = 1


def of_another_partition(path):
    with changed(path) as file:
        file.attrs["partition_hash"] = 1


def gone(path):
    path.unlink()


def untouched(path):
    pass


# What is done to model.h5, and a call that fails on top of it.
DAMAGES = {"torn": torn, "empty": emptied, "a bit of the embedding": flipped, "newer schema": newer,
           "another graph": of_another_graph, "another partition": of_another_partition, "gone": gone,
           "unreadable": untouched}


def trial(population, name, choice, ranks):
    full_name = f"train on {ranks}, model.h5 {name}, then {choice}"

    def run(directory):
        output, arguments, right = population.start("half", directory)
        DAMAGES[name](output / "model.h5")
        before = {file: (output / file).read_bytes() for file in FILES if (output / file).exists()}
        faults = None
        if name == "unreadable":
            faults = settings(population, output, "open,read", in_output)
            faults |= {"COHORT_FAULT_PATH": f"{output}/model.h5", "COHORT_FAULT_AT": 1, "COHORT_FAULT_STICKY": 1,
                       "COHORT_FAULT_ERROR": errno.EIO, "COHORT_FAULT_RANK": 0}
        refused = launch(arguments, ranks, directory, faults=faults)
        complaints = judge(refused, codes=(2,))
        if refused.said and "model.h5" not in refused.said[0]:
            complaints.append("does not name the file")
        if refused.said and "--previous" not in refused.said[0] and "--restart" not in refused.said[0]:
            complaints.append("does not say what to do")
        after = {file: (output / file).read_bytes() for file in FILES if (output / file).exists()}
        if before != after:
            complaints.append("a checkpoint was touched")
        variables = {"SLURM_RESTART_COUNT": "1"} if choice == "requeued" else {}
        if choice != "requeued":
            arguments.append(choice)
        again = launch(arguments, ranks % 3 + 1, directory, environment=variables)
        complaints += [f"{choice}: {text}" for text in judge(again, codes=(0,)) + again.said]
        if again.code == 0:
            complaints += differences(output, right) + temporary_files(output)
        return Result(full_name, "wrong" if complaints else f"exit 2, then {choice}", complaints, refused.line,
                      refused.err + again.err)

    return Trial(full_name, run)


def trials(population, everything):
    pairs = [(name, choice) for name in DAMAGES for choice in CHOICES]
    if everything:
        return [trial(population, *pair, ranks) for pair in pairs for ranks in (1, 2, 3)]
    return [trial(population, *pair, (1, 3)[place % 2]) for place, pair in enumerate(pairs) if place % 2 == 0]
