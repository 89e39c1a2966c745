#!/usr/bin/python3
"""A log cut at some dates: segments day by day, and who moved from where to where.

  scripts/days.py CONFIG.toml --output DIR (--days 7 | --cuts 891000000 892000000 ...) [--time COLUMN] [-- cohort's options]

Each day has the records up to its cut, those of the days before included. Day 2 and later follow the day before
(segment.previous; with --initial also train.initial), so that segments keep their numbers. Written are
DIR/day-N/segments.h5 and the other files of a run, DIR/segments.csv (sizes and moves of each segment on each day),
DIR/moves.csv (how many users went from which segment to which) and DIR/days.md, the same to read. Days that are there
already are not run again, and must have been made with the same cut, configuration and options.

The configuration must name one file of interactions, plain text or gzip, a record a line, whose times are numbers or dates
as 2024-05-31 or 2024-05-31T12:00:00. --cuts are written as the file's times are.
"""

import argparse
import csv
import datetime
import gzip
import json
import math
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tomllib
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[1]
SEPARATORS = ("\t", "::", ",", ";", "|", " ")
MOST_SHOWN = 24  # segments of a matrix


def fail(message):
    print(f"error: {message}", file=sys.stderr)
    sys.exit(2)


def arguments():
    own, others = sys.argv[1:], []
    if "--" in own:
        own, others = own[:own.index("--")], own[own.index("--") + 1:]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=pathlib.Path)
    parser.add_argument("--output", type=pathlib.Path, required=True)
    cuts = parser.add_mutually_exclusive_group(required=True)
    cuts.add_argument("--days", type=int, help="so many cuts with as many new records each, after the first half")
    cuts.add_argument("--cuts", nargs="+", help="the last time of each day")
    parser.add_argument("--time", help="the column of times: its name in the first line, or its number from 0")
    parser.add_argument("--no-previous", action="store_true", help="every day for itself; segments are matched afterwards")
    parser.add_argument("--initial", action="store_true", help="training starts from the day before (train.initial)")
    chosen = parser.parse_args(own)
    if chosen.days is not None and chosen.days < 2:
        parser.error("--days must be at least 2")
    return chosen, others


def program():
    found = os.environ.get("COHORT") or shutil.which("cohort") or ROOT / "build" / "release" / "cohort"
    if not shutil.which(str(found)):
        fail(f"there is no program {found}; build preset release, or set COHORT")
    return [*os.environ.get("COHORT_LAUNCHER", "").split(), str(found)]


def said(command):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if done.returncode != 0:
        fail(f"{' '.join(map(str, command))} exited {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def time_of(text):
    """Seconds, or whatever the number is; None where it is no time."""
    try:
        return float(text) if math.isfinite(float(text)) else None
    except ValueError:
        pass
    try:
        moment = datetime.datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=datetime.timezone.utc)).timestamp()


class Log:
    """Lines of one file, with their times; a header line has none."""

    def __init__(self, config, column):
        try:
            settings = tomllib.loads(config.read_text(encoding="utf-8")).get("input", {})
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            fail(f"{config}: {error}")
        names = settings.get("interactions", [])
        names = [names] if isinstance(names, str) else names
        if len(names) != 1:
            fail(f"{config}: input.interactions must name one file to be cut, and names {len(names)}")
        self.path = config.parent / names[0]
        if not self.path.is_file():
            fail(f"there is no {self.path}")
        try:
            with (gzip.open if self.path.suffix == ".gz" else open)(self.path, "rt", encoding="utf-8", newline="") as file:
                self.lines = [line for line in file if line.strip()]
        except (UnicodeDecodeError, gzip.BadGzipFile, EOFError, zlib.error) as error:
            fail(f"{self.path} is no whole file of plain text, or of text by gzip: {error}")
        if len(self.lines) < 2:
            fail(f"{self.path} has no records")
        first = self.lines[0].rstrip("\r\n")
        separator = settings.get("separator", "auto")
        self.separator = separator if separator != "auto" else next((s for s in SEPARATORS if s in first), "\t")
        fields = self.fields(self.lines[0])
        self.column = self.column_of(column or settings.get("columns", {}).get("time"), fields)
        self.times = [self.time(line) for line in self.lines]
        self.header = self.times[0] is None
        for line, time in list(zip(self.lines, self.times))[1:]:
            if time is not None:
                continue
            fields = self.fields(line)
            fail(f"{self.path}: the record {line.strip()!r} has no column {self.column} (counted from 0), where times are"
                 if self.column >= len(fields) else
                 f"{self.path}: {fields[self.column]!r} is no time, in the record {line.strip()!r}")
        self.last = max(time for time in self.times if time is not None)

    def fields(self, line):
        line = line.rstrip("\r\n")
        return next(csv.reader([line], delimiter=self.separator)) if len(self.separator) == 1 and self.separator != "\t" \
            else line.split(self.separator)

    def column_of(self, wanted, fields):
        """The number of the column of times."""
        if wanted is None:
            found = [number for number, name in enumerate(fields) if re.match("time|date|ts$", name.strip(), re.IGNORECASE)]
            if len(found) != 1:
                fail(f"{self.path}: the first line does not say which column holds times; name it with --time")
            return found[0]
        if str(wanted).isdigit():
            return int(wanted)
        found = [number for number, name in enumerate(fields) if wanted in (name, name.split(":")[0])]
        if not found:
            fail(f"{self.path}: there is no column {wanted!r}")
        return found[0]

    def time(self, line):
        fields = self.fields(line)
        return time_of(fields[self.column]) if self.column < len(fields) else None

    def cuts(self, days):
        """Times after the first half of the records, with as many records between them."""
        times = sorted(time for time in self.times if time is not None)
        cuts = [times[len(times) * (days + day) // (2 * days) - 1] for day in range(1, days + 1)]
        if len(set(cuts)) < days:
            fail(f"--days {days}: too many records are of the same time, two days would be the same; ask for fewer days")
        return cuts

    def records(self, cut):
        return sum(time is not None and time <= cut for time in self.times)

    def text(self, cut):
        chosen = [line for line, time in zip(self.lines, self.times) if time is None or time <= cut]
        return "".join(line if line.endswith("\n") else line + "\n" for line in chosen)

    def check(self, cuts):
        """Every day has records, and only the last may have them all."""
        if not self.records(cuts[0]):
            fail(f"no record is as early as {cuts[0]:.15g}; write --cuts as the times of {self.path} are")
        for day, cut in enumerate(cuts[:-1], 1):
            if cut >= self.last:
                fail(f"day {day + 1} has no record more than day {day}: the last one is of {self.last:.15g}, and day {day} "
                     f"goes up to {cut:.15g}; write --cuts as the times of {self.path} are")


def made_with(chosen, others, day, cut):
    """What a day that is there must have been made with: by what it is called in messages."""
    made = {"cut": f"{cut:.15g}", "configuration": tomllib.loads(chosen.config.read_text(encoding="utf-8")), "options": others,
            "--no-previous": day > 1 and chosen.no_previous, "--initial": day > 1 and chosen.initial}
    return json.loads(json.dumps(made, default=str))


def run_day(chosen, others, log, day, cut):
    directory = chosen.output / f"day-{day}"
    result = directory / "segments.h5"
    suffix = "".join(suffix for suffix in log.path.suffixes if suffix != ".gz") or ".txt"
    cut_log = directory / f"interactions{suffix}"
    made, made_file = made_with(chosen, others, day, cut), directory / "made_with.json"
    if result.is_file():
        try:
            before = json.loads(made_file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            fail(f"{directory} is there already, but does not say what it was made with ({made_file.name} is missing or "
                 "damaged; earlier versions wrote none); give another --output, or remove this day and all after it")
        if other := [name for name, value in made.items() if before.get(name) != value]:
            fail(f"{directory} is there already, but not of the same {' and '.join(other)}; give another --output, or remove "
                 "this day and all after it")
        if not cut_log.is_file() or cut_log.read_bytes() != log.text(cut).encode():
            print(f"warning: {directory} stays as it was made, but {log.path} has other records up to its cut now",
                  file=sys.stderr)
        return result
    directory.mkdir(parents=True, exist_ok=True)
    cut_log.write_text(log.text(cut), encoding="utf-8", newline="")
    made_file.write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")
    settings = [f"input.interactions={cut_log.resolve()}", f"output.directory={directory.resolve()}"]
    before = (chosen.output / f"day-{day - 1}").resolve()
    if day > 1 and not chosen.no_previous:
        settings.append(f"segment.previous={before / 'segments.h5'}")
    if day > 1 and chosen.initial:
        settings.append(f"train.initial={before / 'model.h5'}")
    said([*program(), "run", chosen.config, "--quiet", *others, *(part for one in settings for part in ("--set", one))])
    return result


class Step:
    """From one day to the next: users of both, by the segments' numbers."""

    def __init__(self, found):
        self.numbers = found["numbers"]
        self.sizes = [dict(zip(found["numbers"][side], found["segments"][side])) for side in ("first", "second")]
        self.match = {pair["from"]: pair["to"] for pair in found["matching"] if pair["to"] is not None}
        self.flows = {(flow["from"], flow["to"]): flow["users"] for flow in found["flows"]}
        self.new_to = dict(zip(found["numbers"]["second"], found["new_to"]))
        self.users = found["users"]

    def same(self, lasting):
        """Which segment of the first each of the second is, where it is one."""
        if lasting:
            return {number: number for number in self.numbers["second"] if number in self.sizes[0]}
        return {to: start for start, to in self.match.items()}

    def moved(self, lasting):
        """Users of both whose segment is another one."""
        same = self.same(lasting)
        return {pair: users for pair, users in self.flows.items() if same.get(pair[1]) != pair[0]}


def report(chosen, log, cuts, sizes, steps):
    lasting = not chosen.no_previous
    with (chosen.output / "segments.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["day", "cut", "segment", "users", "users_before", "new_users", "came", "left", "what"])
        for day, cut in enumerate(cuts, 1):
            step = steps[day - 2] if day > 1 else None
            same, moved = (step.same(lasting), step.moved(lasting)) if step else ({}, {})
            for number, users in sizes[day - 1].items():
                before = step.sizes[0].get(same.get(number)) if step else None
                came = sum(users for (_, to), users in moved.items() if to == number)
                left = sum(users for (start, _), users in moved.items() if start == same.get(number, -1))
                what = "" if not step else "appeared" if before is None else \
                    "grew" if users > before else "shrank" if users < before else "as large"
                table.writerow([day, f"{cut:.15g}", number, users, "" if before is None else before,
                                step.new_to[number] if step else "", came if step else "", left if step else "", what])
            if step:
                for number in sorted(set(step.sizes[0]) - set(same.values())):
                    table.writerow([day, f"{cut:.15g}", number, 0, step.sizes[0][number], 0, 0,
                                    sum(users for (start, _), users in moved.items() if start == number), "vanished"])
    with (chosen.output / "moves.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["day", "from", "to", "users"])
        for day, step in enumerate(steps, 2):
            table.writerows([day, start, to, users] for (start, to), users in sorted(step.flows.items()))
    (chosen.output / "days.md").write_text("\n".join(in_words(chosen, log, cuts, sizes, steps, lasting)) + "\n")


def in_words(chosen, log, cuts, sizes, steps, lasting):
    yield f"# Segments day by day: {chosen.config}\n"
    yield "Every day has the records up to its cut." + (" Its segments follow those of the day before." if lasting else
                                                        " Every day is for itself; segments are matched afterwards.") + "\n"
    yield "| day | records up to | records | users | segments | new users | gone users | users of both | moved | share |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    for day, cut in enumerate(cuts, 1):
        head = f"| {day} | {cut:.15g} | {log.records(cut):,} | {sum(sizes[day - 1].values()):,} | {len(sizes[day - 1])} |"
        if day == 1:
            yield head + " | | | | |"
            continue
        step = steps[day - 2]
        moved = sum(step.moved(lasting).values())
        yield (f"{head} {step.users['new']:,} | {step.users['gone']:,} | {step.users['common']:,} | {moved:,} | "
               f"{100 * moved / step.users['common']:.1f} % |")
    if lasting:
        numbers = sorted({number for day in sizes for number in day})
        yield "\n## Users of each segment\n"
        yield "| segment | " + " | ".join(f"day {day}" for day in range(1, len(cuts) + 1)) + " |"
        yield "| --- " * (len(cuts) + 1) + "|"
        for number in numbers:
            yield f"| {number} | " + " | ".join(f"{day[number]:,}" if number in day else "" for day in sizes) + " |"
    for day, step in enumerate(steps, 2):
        yield from day_in_words(day, step, lasting)


def day_in_words(day, step, lasting):
    same, moved = step.same(lasting), step.moved(lasting)
    yield f"\n## Day {day}\n"
    change = {number: step.sizes[1][number] - step.sizes[0][start] for number, start in same.items()}
    for what, some in (("Grew", {n: c for n, c in change.items() if c > 0}),
                       ("Shrank", {n: c for n, c in change.items() if c < 0})):
        order = sorted(some, key=lambda number: (-abs(some[number]), number))
        yield f"- {what}: " + (", ".join(f"{number} ({some[number]:+,})" for number in order) or "none")
    yield "- Appeared: " + (", ".join(f"{number} ({step.sizes[1][number]:,})" for number in step.numbers["second"]
                                      if number not in same) or "none")
    yield "- Vanished: " + (", ".join(f"{number} ({step.sizes[0][number]:,})" for number in step.numbers["first"]
                                      if number not in same.values()) or "none")
    largest = sorted(moved.items(), key=lambda one: (-one[1], one[0]))[:10]
    yield "- Largest moves: " + (", ".join(f"{start} to {to} ({users:,})" for (start, to), users in largest) or "none")
    if max(map(len, step.numbers.values())) > MOST_SHOWN:
        yield f"\nMore than {MOST_SHOWN} segments: who moved from where to where is in moves.csv."
        return
    yield f"\nUsers from the segment of day {day - 1} (rows) in that of day {day} (columns):\n"
    yield "| | " + " | ".join(map(str, step.numbers["second"])) + " |"
    yield "| --- " * (len(step.numbers["second"]) + 1) + "|"
    for start in step.numbers["first"]:
        yield f"| **{start}** | " + " | ".join(f"{step.flows.get((start, to), 0) or ''}" for to in step.numbers["second"]) + " |"


def main():
    chosen, others = arguments()
    if not chosen.config.is_file():
        fail(f"there is no {chosen.config}")
    log = Log(chosen.config, chosen.time)
    if chosen.cuts and len(chosen.cuts) < 2:
        fail("one day alone has nothing to be compared with; give two cuts or more")
    cuts = log.cuts(chosen.days) if chosen.days else [time_of(cut) for cut in chosen.cuts]
    if None in cuts:
        fail(f"--cuts: {chosen.cuts[cuts.index(None)]!r} is no time")
    if any(later <= earlier for earlier, later in zip(cuts, cuts[1:])):
        fail("the cuts must ascend: " + ", ".join(f"{cut:.15g}" for cut in cuts))
    log.check(cuts)
    results = []
    for day, cut in enumerate(cuts, 1):
        results.append(run_day(chosen, others, log, day, cut))
        print(f"day {day} of {len(cuts)}: {results[-1]}", flush=True)
    steps = [Step(json.loads(said([*program(), "compare", earlier, later, "--json"])))
             for earlier, later in zip(results, results[1:])]
    sizes = [step.sizes[0] for step in steps] + [steps[-1].sizes[1]]
    report(chosen, log, cuts, [dict(sorted(day.items())) for day in sizes], steps)
    print(f"wrote {chosen.output / 'days.md'}, segments.csv and moves.csv")


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        fail(error)
