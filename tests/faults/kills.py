"""Runs that are killed or signalled at any moment, and given again on other numbers of ranks until they are done."""

import os
import random
import signal
import time

import h5py

from harness import UNDISTURBED, Result, Trial, allowed, judge, launch, ranks_of, undisturbed
from population import differences, temporary_files

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGHUP)
TARGETS = ("a rank", "all ranks", "mpirun")
LONGER = ("train.epochs=60", "train.checkpoint_every=5", "segment.restarts=20")  # a run that can be met anywhere


def lines_of(log):
    """How many lines the run has logged."""
    return log.read_bytes().count(b"\n")


class Timeline:
    """When a run without faults logs its lines: times from its start, in seconds."""

    def __init__(self):
        self.times = []

    def watch(self, process, mark, log):
        begin = time.monotonic()
        while process.poll() is None and time.monotonic() - begin < UNDISTURBED:
            lines = lines_of(log)
            now = time.monotonic() - begin
            while len(self.times) < lines:
                self.times.append(now)
            time.sleep(0.002)
        self.times.append(time.monotonic() - begin)

    def moment(self, draw):
        """A line and the seconds to wait after it: any stage as likely as any other, or any time."""
        if draw.random() < 0.5:
            line = draw.randrange(len(self.times))
        else:
            at = draw.uniform(0, self.times[-1])
            line = next(number for number, time_ in enumerate(self.times) if at <= time_)
        begin = self.times[line - 1] if line > 0 else 0
        return line, draw.uniform(0, self.times[line] - begin + 0.01)


def send(number, target, line, delay, draw):
    """Waits for the line of the log and the delay after it, then sends. Until a rank is up nothing is sent: mpirun alone is
    not what is tested. To ranks that have ended nothing is sent either: mpirun, which may still be there, is another
    target."""

    def ranks_up(process, mark):
        ranks = sorted(ranks_of(mark).items())
        while line == 0 and not ranks and process.poll() is None:
            time.sleep(0.002)
            ranks = sorted(ranks_of(mark).items())
        return ranks

    def act(process, mark, log):
        limit = time.monotonic() + allowed()
        while lines_of(log) < line and process.poll() is None and time.monotonic() < limit:
            time.sleep(0.002)
        time.sleep(delay)
        ranks = ranks_up(process, mark)
        if target == "mpirun":
            pids = [process.pid] if process.poll() is None else []
        else:
            pids = [pid for _, pid in (ranks if target == "all ranks" or not ranks else [draw.choice(ranks)])]
        for pid in pids:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    return act


def epochs_of(output):
    """The most epochs that a checkpoint holds; -1: none can be read."""
    most = -1
    for name in ("model.h5", "model.previous.h5"):
        try:
            with h5py.File(output / name, "r") as file:
                most = max(most, int(file.attrs["epochs"]))
        except (OSError, KeyError):
            continue
    return most


def judge_signal(ended, number, target, early):
    if number == signal.SIGKILL or (target == "mpirun" and number != signal.SIGUSR1):
        complaints = judge(ended, codes=(ended.code,))
        complaints = [text for text in complaints if "exited on signal" not in text and "messages" not in text]
        return complaints
    codes = (0, 3) + ((128 + number, 1) if early else ())
    complaints = judge(ended, codes=codes)
    # Before the program's first instruction there is nobody to block the signal, or to say a word.
    return [text for text in complaints if not (early and ("exited on signal" in text or "messages" in text))]


class Longer:
    """The run that is interrupted, and what it gives when it is not."""

    def __init__(self, population):
        self.population = population
        self.right = population.directory / "after-longer"
        self.right.mkdir()
        self.timelines = {}
        for ranks in (1, 2, 3, 4):
            output = self.right if ranks == 1 else population.directory / f"longer-{ranks}"
            self.timelines[ranks] = Timeline()
            undisturbed(self.arguments(output), ranks, population.directory, during=self.timelines[ranks].watch)

    def arguments(self, output):
        return [word for word in self.population.arguments("run", output, *LONGER) if word != "--quiet"]


def trial(longer, seed):
    draw = random.Random(seed)
    number, target, ranks = draw.choice(SIGNALS), draw.choice(TARGETS), draw.randint(1, 4)
    name = f"{seed}: {number.name} to {target}, {ranks} ranks"

    def run(directory):
        output = directory / "out"
        output.mkdir()
        arguments = longer.arguments(output)
        complaints = []
        done = -1
        story = []
        first = None
        count = ranks
        signal_number, aim = number, target
        for attempt in range(6):
            interrupted = attempt == 0 or (attempt < 4 and draw.random() < 0.4)
            act = None
            line = 1
            if interrupted:
                line, delay = longer.timelines[count].moment(draw)
                act = send(signal_number, aim, line, delay, draw)
            ended = launch(arguments, count, directory, during=act)
            first = first or ended
            now = epochs_of(output)
            story.append(f"{count} ranks{f', {signal_number.name} to {aim} at line {line}' if act else ''}: exit "
                         f"{ended.code}, {ended.seconds:.1f} s, {now} epochs {' '.join(ended.said)}")
            found = judge_signal(ended, signal_number, aim, line == 0) if act else judge(ended, codes=(0,))
            complaints += [f"run {attempt + 1}: {text}" for text in found]
            if now < done:
                complaints.append(f"run {attempt + 1}: {done} epochs were done, {now} are left")
            done = now
            if ended.code == 0 or found:
                break
            count, signal_number, aim = draw.randint(1, 4), draw.choice(SIGNALS), draw.choice(TARGETS)
        if ended.code == 0:
            complaints += differences(output, longer.right) + temporary_files(output)
        outcome = "wrong" if complaints else f"exit {first.code}"
        return Result(name, outcome, complaints, "\n  ".join(story), ended.err)

    return Trial(name, run)


def trials(population, count):
    longer = Longer(population)
    return [trial(longer, seed) for seed in range(count)]
