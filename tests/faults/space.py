"""File systems that are really full: a small tmpfs as output directory, a small /dev/shm; and a limit on the size of files."""

import contextlib
import os
import subprocess

from calls import what_is_left
from harness import Trial, judge, launch

PAGE = 4096


def can_mount(scratch):
    """Whether this user may mount a file system."""
    if os.geteuid() != 0:
        return False
    place = scratch / "mount"
    place.mkdir()
    with mounted(place, PAGE) as done:
        return done


@contextlib.contextmanager
def mounted(place, size):
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", place], capture_output=True).returncode
    try:
        yield done == 0
    finally:
        if done == 0:
            subprocess.run(["umount", "-l", place], check=True)


def full_disk(population, ranks, size):
    name = f"run on {ranks}, room for {size} bytes"

    def run(directory):
        output, arguments, right = population.start("run", directory)
        with mounted(output, size):
            ended = launch(arguments, ranks, directory)
            complaints = judge(ended, codes=(0, 1))
            subprocess.run(["mount", "-o", "remount,size=64m", output], check=True)
            return what_is_left(population, "run", arguments, output, right, ended, name, complaints)

    return Trial(name, run)


def small_shm(population, ranks, size):
    """Open MPI may do without; Cohort's own rows are not there."""
    name = f"run on {ranks}, /dev/shm of {size} bytes"

    def run(directory):
        output, arguments, right = population.start("run", directory)
        prefix = ("unshare", "-m", "sh", "-c", f'mount -t tmpfs -o size={size} none /dev/shm && exec "$@"', "sh")
        ended = launch(arguments, ranks, directory, prefix=prefix,
                       environment={"OMPI_MCA_btl_vader_backing_directory": "/dev/shm"})
        complaints = judge(ended, codes=(ended.code,))
        return what_is_left(population, "run", arguments, output, right, ended, name, complaints)

    return Trial(name, run)


def limited_files(population, ranks, blocks):
    """The system tells of a file that gets too large by a signal that kills who does not ignore it."""
    name = f"run on {ranks}, files of {blocks} blocks of 512 bytes"

    def run(directory):
        output, arguments, right = population.start("run", directory)
        ended = launch(arguments, ranks, directory, inside=("sh", "-c", f'ulimit -f {blocks}; exec "$@"', "sh"))
        complaints = judge(ended, codes=(0, 1))
        if ended.code == 0 and blocks < 100:
            complaints.append("larger files than there may be")
        return what_is_left(population, "run", arguments, output, right, ended, name, complaints)

    return Trial(name, run)


def trials(population, scratch, sizes):
    """`sizes` disks, from no room to enough, at 1 and 3 ranks in turn."""
    limits = [limited_files(population, ranks, blocks) for ranks in (1, 3) for blocks in (30, 10_000)]
    if not can_mount(scratch):
        print("no right to mount a file system: full disks are skipped", flush=True)
        return limits
    enough = sum(path.stat().st_size + 8 * PAGE for path in population.after["recommend"].iterdir())
    rooms = sorted({PAGE * max(1, round(enough * number / sizes / PAGE)) for number in range(1, sizes + 1)})
    return (limits + [full_disk(population, (1, 3)[place % 2], room) for place, room in enumerate(rooms)] +
            [small_shm(population, ranks, size) for ranks in (1, 3) for size in (PAGE, 1 << 20)])
