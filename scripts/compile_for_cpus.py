#!/usr/bin/env python3
"""Compiles what uses vector instructions for CPUs that this machine may not be.

usage: scripts/compile_for_cpus.py BUILD [CPU...]

BUILD is a build directory where everything is built (with Ninja). Each of its sources whose headers hold Eigen or
vector intrinsics is compiled once more for every CPU named (a value of -march=; by default x86-64-v3, x86-64-v4 and
sapphirerapids, that is AVX2, AVX-512, and the AVX-512 that Highway tells apart from it) with the options that BUILD gives
it and warnings as errors. The objects are thrown away.
Exit code 1 if one does not compile, with the first lines of what the compiler says.
"""

import concurrent.futures
import json
import os
import pathlib
import platform
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

# Not every intrinsics header: <random> brings one of SSE3 with it.
VECTOR_HEADER = re.compile(r"/eigen3?/|/Eigen/|/hwy/|/immintrin\.h$")


def vector_objects(build):
    """Objects that were made with a header of Eigen, Highway or the compiler's intrinsics, as Ninja has noted it."""
    found, target = set(), None
    noted = subprocess.run(["ninja", "-C", build, "-t", "deps"], check=True, capture_output=True, text=True).stdout
    for line in noted.splitlines():
        if line and not line.startswith(" "):
            target = line.split(":")[0]
        elif VECTOR_HEADER.search(line):
            found.add(target)
    return found


def vector_commands(build):
    """{source: (words of its command, without -march= and with the object left open; where it runs)}."""
    objects = vector_objects(build)
    commands = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        words = shlex.split(entry["command"])
        place = words.index("-o")
        if words[place + 1] in objects:
            kept = [word for word in words[:place] + words[place + 2:] if not word.startswith("-march=")]
            commands[entry["file"]] = kept, entry["directory"]
    return commands


def compile_for(cpu, words, directory):
    """(compiler's exit code, what it said, seconds)."""
    start = time.monotonic()
    ccache = [shutil.which("ccache")] if shutil.which("ccache") else []
    with tempfile.TemporaryDirectory(prefix="cohort-cpu-") as scratch:
        command = ccache + words + ["-Werror", f"-march={cpu}", "-o", os.path.join(scratch, "thrown-away.o")]
        done = subprocess.run(command, cwd=directory, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr, time.monotonic() - start


def main():
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        print(__doc__.strip())
        return 0 if sys.argv[1:] in (["-h"], ["--help"]) else 2
    build, cpus = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:] or ["x86-64-v3", "x86-64-v4", "sapphirerapids"]
    if platform.machine() not in ("x86_64", "AMD64"):
        print(f"nothing to do: this is {platform.machine()}, whose compiler makes no code for {', '.join(cpus)}")
        return 0
    root = pathlib.Path(__file__).resolve().parents[1]
    commands = vector_commands(build)
    if not commands:
        print(f"error: no source in {build} uses Eigen or vector instructions; is it built?", file=sys.stderr)
        return 1
    failures = 0
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        jobs = [(cpu, source, pool.submit(compile_for, cpu, *commands[source]))
                for source in sorted(commands) for cpu in cpus]
        for cpu, source, job in jobs:
            code, said, seconds = job.result()
            name = os.path.relpath(source, root)
            outcome = "without a warning" if code == 0 else "FAILED"
            print(f"{name} for {cpu}: {outcome} ({seconds:.1f} s)", flush=True)
            if code != 0:
                failures += 1
                print("\n".join(said.splitlines()[:40]), flush=True)
    print(f"{len(commands)} sources for {', '.join(cpus)}: {failures or 'none'} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
