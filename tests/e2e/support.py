"""What every end-to-end test needs: the program under mpirun with a time-out, and its results."""

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import h5py

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from reseal import reseal  # noqa: E402 - found only then

PROGRAM = os.environ["COHORT_PROGRAM"]
MPIEXEC = os.environ.get("COHORT_MPIEXEC", "mpirun")
SHARED = pathlib.Path(os.environ.get("COHORT_SHARED_DATA", "/nonexistent"))
TIMEOUT = 120  # seconds; a hang is a failure


def cohort(*arguments, ranks=1, threads=1, check=True, stdin=subprocess.DEVNULL, cwd=None):
    """Runs the program; returns the finished process. check: a non-zero exit fails the test with what was printed."""
    environment = dict(os.environ, OMP_NUM_THREADS=str(threads), OMP_WAIT_POLICY="passive",
                       OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
                       OMPI_MCA_mpi_yield_when_idle="1")
    command = [MPIEXEC, "--oversubscribe", "--bind-to", "none", "-n", str(ranks), PROGRAM, *map(str, arguments)]
    done = subprocess.run(command, env=environment, stdin=stdin, capture_output=True, text=True, timeout=TIMEOUT,
                          cwd=cwd, errors="replace")
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(command)} exited {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


@contextlib.contextmanager
def changed(path):
    """A file of Cohort to change by h5py; its checksums are made anew afterwards."""
    with h5py.File(path, "r+") as file:
        yield file
    reseal(path)


def datasets(path):
    """Every dataset under the bit-identity contract: name -> (shape, type, bytes)."""
    found = {}

    def visit(name, item):
        if isinstance(item, h5py.Dataset) and not name.startswith(("history/timing", "history/traffic", "checksums/")):
            found[name] = (item.shape, str(item.dtype), item[...].tobytes())

    with h5py.File(path, "r") as file:
        file.visititems(visit)
    return found


def evaluate(result, *arguments, ranks=1):
    return json.loads(cohort("evaluate", "--result", result, "--json", *arguments, ranks=ranks).stdout)


def shared(*parts):
    """A file of the shared data, or a skip that says which is missing."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        raise unittest.SkipTest(f"{'/'.join(parts)} is not under $COHORT_SHARED_DATA: skipped")
    return path


class WithDirectory(unittest.TestCase):
    """A fresh directory for each test, as self.path."""

    maxDiff = None

    def setUp(self):
        holder = tempfile.TemporaryDirectory(prefix="cohort-e2e-")
        self.addCleanup(holder.cleanup)
        self.path = pathlib.Path(holder.name)

    def write(self, name, content):
        path = self.path / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content)
        return path
