"""The highest resident set of every rank: mpirun -n 3 python3 peak_of.py DIRECTORY COMMAND... leaves DIRECTORY/RANK."""

import os
import resource
import subprocess
import sys


def peaks(launch, ranks, directory, command, **options):
    """Bytes by rank, of a command launched by the words of `launch` (as mpirun -n RANKS)."""
    for rank in range(ranks):
        (directory / str(rank)).unlink(missing_ok=True)
    done = subprocess.run([*launch, sys.executable, __file__, str(directory), *map(str, command)],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", **options)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))} exited {done.returncode}\n{done.stderr[-2000:]}")
    return [int((directory / str(rank)).read_text()) for rank in range(ranks)]


def main():
    directory, *command = sys.argv[1:]
    code = subprocess.call(command)
    rank = os.environ.get("OMPI_COMM_WORLD_RANK", "0")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024  # of the program, which started from nothing
    with open(os.path.join(directory, rank), "w", encoding="utf-8") as file:
        file.write(str(peak))
    sys.exit(code)


if __name__ == "__main__":
    main()
