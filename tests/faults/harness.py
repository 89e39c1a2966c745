"""Runs the program under mpirun while something goes wrong, and judges how it ended."""

import concurrent.futures
import dataclasses
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import uuid

PROGRAM = os.environ["COHORT_PROGRAM"]
MPIEXEC = os.environ.get("COHORT_MPIEXEC", "mpirun")
LIBRARY = os.environ["COHORT_FAULTS_LIBRARY"]
LIMIT = 30  # seconds until all processes of a run must have ended when something has gone wrong
UNDISTURBED = 300  # seconds for a run to which nothing happens, however slow the machine is
TRIALS_A_CORE = 2  # at a time
MARK = "COHORT_FAULT_CASE"

# What no user may see, whatever went wrong.
CRASHES = ("terminate called", "what():", "Segmentation fault", "Process received signal", "exited on signal",
           "double free", "corrupted", "HDF5-DIAG", "defect in Cohort", "Assertion", "Bus error",
           "An error occurred in MPI_", "H5F", "H5D", "H5G", "H5O", "H5A", "H5I_")


@dataclasses.dataclass
class Ended:
    """How a run ended. left: processes that were still there when the time was over, and are now killed; log: what
    the preloaded library told, (rank, line)."""

    line: str
    code: int | None
    seconds: float
    out: str
    err: str
    left: list
    log: list

    @property
    def said(self):
        """The program's error messages; lines of the log and the launcher's are none."""
        return [line for line in self.err.splitlines() if line.startswith("cohort: ")]

    @property
    def reached(self):
        return any(line.startswith("fault ") for _, line in self.log)


class Clock:
    """Seconds in which this machine could be worked on: where a byte cannot be written to its disk, as others keep it
    busy, or all processes are stopped, time stands still, and so does what a trial may take."""

    BEAT = 0.5

    def __init__(self):
        self.seconds = 0.0
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        with tempfile.TemporaryFile() as file:
            while True:
                begin = time.monotonic()
                time.sleep(self.BEAT)
                os.pwrite(file.fileno(), b"x", 0)
                os.fsync(file.fileno())
                self.seconds += min(time.monotonic() - begin, 2 * self.BEAT)


clock = Clock()
slowest = 0.0  # of the runs so far to which nothing happened


def allowed():
    """Seconds for a run that something happens to at any moment: what it takes without, where others use the machine as
    well, and LIMIT more."""
    return LIMIT + 4 * slowest


def marked(mark):
    """pid -> command line of every process of a run."""
    found = {}
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if mark in (entry / "environ").read_bytes():
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                if line:  # a zombie has none
                    found[int(entry.name)] = line
        except OSError:
            continue
    return found


def ranks_of(mark):
    """The pids of a run's ranks, by rank; those that are up."""
    found = {}
    for pid in marked(mark):
        try:
            variables = pathlib.Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            if os.readlink(f"/proc/{pid}/exe") != os.path.realpath(PROGRAM):
                continue
        except OSError:
            continue
        for variable in variables:
            if variable.startswith(b"OMPI_COMM_WORLD_RANK="):
                found[int(variable.split(b"=")[1])] = pid
    return found


def launch(arguments, ranks, scratch, threads=1, faults=None, during=None, limit=None, prefix=(), inside=(), environment=None):
    """Runs the program on `ranks` ranks. faults: settings of the preloaded library; during(process, mark, log): what is
    done to the run while it runs, log being the path of its standard error, the time it takes not counting; limit: in seconds, allowed() unless given; prefix: stands
    before mpirun; inside: before the program."""
    scratch = pathlib.Path(scratch)
    place = scratch / f"launch-{uuid.uuid4().hex[:8]}"
    place.mkdir(parents=True)
    mark = f"{MARK}={uuid.uuid4().hex}"
    variables = dict(os.environ, OMP_NUM_THREADS=str(threads), OMP_WAIT_POLICY="passive", OMPI_ALLOW_RUN_AS_ROOT="1",
                     OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", OMPI_MCA_mpi_yield_when_idle="1",
                     OMPI_MCA_btl_vader_backing_directory=str(place), TMPDIR=str(place))
    # On a busy machine mpirun may hear that a rank has ended before it hears that MPI has, and says exit code 1 of its own;
    # a rank that ends without a word and with exit code 0 is missed all the same, as the others wait for it.
    variables["OMPI_MCA_orte_allowed_exit_without_sync"] = "1"
    variables.update(environment or {})
    variables[MARK] = mark.split("=")[1]
    command = [*prefix, MPIEXEC, "--oversubscribe", "--bind-to", "none", "-n", str(ranks)]
    words = {}
    if faults:
        words = {key: str(value) for key, value in faults.items()} | {"COHORT_FAULT_LOG": str(place / "log")}
        variables.update(words)
        command += ["-x", f"LD_PRELOAD={LIBRARY}"]
    command += [*inside, PROGRAM, *map(str, arguments)]
    line = " ".join([*(f"{key}={shlex.quote(value)}" for key, value in words.items()), *map(shlex.quote, command)])
    begin = time.monotonic()
    with open(place / "out", "wb") as out, open(place / "err", "wb") as err:
        process = subprocess.Popen(command, env=variables, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                   start_new_session=True, cwd=scratch)
    if during:
        during(process, mark.encode(), place / "err")
    waited = clock.seconds
    limit = limit or allowed()
    code = None
    left = {}
    while True:
        code = process.poll() if code is None else code
        left = marked(mark.encode()) if code is not None else {process.pid: "mpirun"}
        if (code is not None and not left) or clock.seconds - waited > limit:
            break
        time.sleep(0.01)
    seconds = time.monotonic() - begin
    left = marked(mark.encode()) | ({process.pid: line} if code is None else {})
    for pid in left:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    process.wait()
    log = [(int(path.suffix[1:]), text) for path in sorted(place.glob("log.*"))
           for text in path.read_text(errors="replace").splitlines()]
    ended = Ended(line, code, seconds, (place / "out").read_text(errors="replace"),
                  (place / "err").read_text(errors="replace"), list(left.values()), log)
    shutil.rmtree(place, ignore_errors=True)
    return ended


def undisturbed(*arguments, **how):
    """A run to which nothing happens, and which must therefore be done; how long it takes says what the others may take."""
    global slowest
    ended = launch(*arguments, limit=UNDISTURBED, **how)
    if ended.code != 0:
        raise AssertionError(f"{ended.line} exited {ended.code}\n{ended.err}")
    slowest = max(slowest, ended.seconds)
    return ended


def judge(ended, codes=(0, 1, 2)):
    """Complaints about how a run ended: in time, with nothing left, without a crash, with one message and its code."""
    complaints = []
    if ended.left:
        complaints.append(f"hangs: {len(ended.left)} processes after {ended.seconds:.0f} s")
        return complaints
    if ended.code not in codes:
        complaints.append(f"exit {ended.code}")
    complaints += [f"says {word!r}" for word in CRASHES if word in ended.err]
    if ended.code in (1, 2, 3) and len(ended.said) != 1:
        complaints.append(f"{len(ended.said)} messages")
    if ended.code == 0 and ended.said:
        complaints.append("an error, and exit 0")
    return complaints


@dataclasses.dataclass
class Result:
    """What came of a trial: a word for the table, complaints (none: as it should be), and how to see it again."""

    name: str
    outcome: str
    complaints: list
    line: str = ""
    err: str = ""

    def __str__(self):
        text = self.err if len(self.err) < 3000 else self.err[:1500] + "\n...\n" + self.err[-1500:]
        return f"{self.name}: {'; '.join(self.complaints)}\n  {self.line}\n  " + text.replace("\n", "\n  ")


@dataclasses.dataclass
class Trial:
    """name: tells it from all others; run(directory): does it in an empty directory, returns a Result."""

    name: str
    run: object


def carry_out(trials, told=print):
    """All trials, several at a time, as each mostly waits for its launcher; the results as they come, those with complaints
    told at once. An interrupt from the keyboard leaves it at those that were begun."""

    def one(trial):
        with tempfile.TemporaryDirectory(prefix="cohort-fault-") as directory:
            try:
                return trial.run(pathlib.Path(directory))
            except Exception as error:  # a trial that cannot be judged is a complaint, and the others go on
                return Result(trial.name, "not judged", [f"not judged: {type(error).__name__}: {error}"])

    results = []

    def take(future):
        results.append(future.result())
        if results[-1].complaints:
            told(results[-1])

    with concurrent.futures.ThreadPoolExecutor(TRIALS_A_CORE * len(os.sched_getaffinity(0))) as pool:
        futures = [pool.submit(one, trial) for trial in trials]
        for future in futures:
            future.add_done_callback(lambda done: None if done.cancelled() else take(done))
        try:
            concurrent.futures.wait(futures)
        except KeyboardInterrupt:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # the trials that were begun come to their end
            pool.shutdown(cancel_futures=True)
    return results


def summary(results):
    """outcome -> how often, in words."""
    counts = {}
    for result in results:
        counts[result.outcome] = counts.get(result.outcome, 0) + 1
    return ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items()))
