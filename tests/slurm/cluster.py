"""A Slurm cluster of four virtual nodes on this machine, of one's own: no systemd, no accounting, gone afterwards."""

import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

NEEDED = ("munged", "slurmctld", "slurmd", "sbatch", "srun")
NODES = 4

CONFIGURATION = """
ClusterName=cohort
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
# A credential lasts 5 s, so that a requeued job starts again soon.
AuthInfo=socket={directory}/munge/munge.sock,cred_expire=5
CredType=cred/munge
StateSaveLocation={directory}/state
SlurmdSpoolDir={directory}/spool/%n
# Without a folder of its own each virtual node would find the PMIx socket of another.
TmpFS={directory}/tmp/%n
SlurmctldPidFile={directory}/run/slurmctld.pid
SlurmdPidFile={directory}/run/slurmd-%n.pid
SlurmctldLogFile={directory}/log/slurmctld.log
SlurmdLogFile={directory}/log/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,bf_interval=2,batch_sched_delay=0,requeue_delay=1
SlurmdParameters=config_overrides
ReturnToService=2
JobRequeue=1
KillWait=30
SlurmdTimeout=10
MpiDefault=none
# A job of partition high takes the nodes of one of main, which is told by SIGUSR1, then SIGTERM, and requeued.
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SlurmctldParameters=preempt_send_user_signal
NodeName=n[1-{nodes}] NodeHostname={host} NodeAddr=127.0.0.1 Port=[{first}-{last}] CPUs=2 RealMemory=2000 State=UNKNOWN
PartitionName=main Nodes=n[1-{nodes}] Default=YES MaxTime=INFINITE State=UP PriorityTier=1 PreemptMode=REQUEUE GraceTime=20
PartitionName=high Nodes=n[1-{nodes}] MaxTime=INFINITE State=UP PriorityTier=10 PreemptMode=OFF
"""


class CommandFailed(AssertionError):
    """A command of Slurm that did not end well; on a busy machine it may be that the controller answered late."""


def missing():
    """What keeps a cluster from being started here, or an empty string."""
    if os.geteuid() != 0:
        return "slurmd must be started by root"
    absent = [name for name in NEEDED if not shutil.which(name)]
    return f"not installed: {', '.join(absent)} (Debian: slurmctld slurmd munge)" if absent else ""


def free_ports(count):
    """The first of `count` neighbouring ports nobody listens on."""
    for first in range(17000, 30000, 16):
        sockets = [socket.socket() for _ in range(count)]
        try:
            for offset, candidate in enumerate(sockets):
                candidate.bind(("127.0.0.1", first + offset))
            return first
        except OSError:
            continue
        finally:
            for candidate in sockets:
                candidate.close()
    raise RuntimeError("no free ports")


class Cluster:
    def __init__(self, directory):
        self.directory = pathlib.Path(directory).resolve()
        for name in ("state", "run", "log", "munge"):
            (self.directory / name).mkdir(parents=True)
        for node in range(1, NODES + 1):
            (self.directory / "spool" / f"n{node}").mkdir(parents=True)
            (self.directory / "tmp" / f"n{node}").mkdir(parents=True)
        # munged refuses folders that others may write to on the way to its socket.
        self.directory.chmod(0o755)
        (self.directory / "munge").chmod(0o755)
        configuration = self.directory / "slurm.conf"
        port = free_ports(NODES + 1)
        configuration.write_text(CONFIGURATION.format(host=socket.gethostname().split(".")[0], port=port,
                                                      first=port + 1, last=port + NODES, nodes=NODES,
                                                      directory=self.directory))
        self.environment = {name: value for name, value in os.environ.items()
                            if not name.startswith(("SLURM_", "OMPI_COMM_", "PMIX_"))}
        self.conf = f"SLURM_CONF={configuration}"
        self.environment["SLURM_CONF"] = str(configuration)

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        munge = self.directory / "munge"
        key = munge / "munge.key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        self.run("munged", "--force", f"--key-file={key}", f"--socket={munge}/munge.sock",
                 f"--pid-file={self.directory}/run/munged.pid", f"--log-file={self.directory}/log/munged.log",
                 f"--seed-file={munge}/munge.seed", "--num-threads=2")
        self.run("slurmctld", "-c", "-i")
        for node in range(1, NODES + 1):
            self.run("slurmd", "-N", f"n{node}")
        self.wait(lambda: self.run("sinfo", "-h", "-t", "idle", "-o", "%D").strip() == str(NODES), 30,
                  "the nodes are not idle")

    def stop(self):
        """Jobs first: once the daemons are gone nobody ends a job's processes."""
        def no_jobs_left():
            self.run("scancel", "--user=root")
            return not self.run("squeue", "-h")

        try:
            self.wait(no_jobs_left, 60, "there are still jobs")
        except AssertionError as error:
            print(f"the jobs could not be ended: {error}")
        for name in ("slurmctld", "slurmd-*", "munged"):
            self.end([int(path.read_text()) for path in (self.directory / "run").glob(f"{name}.pid")
                      if path.read_text().strip()])

    @staticmethod
    def end(pids):
        for pid in pids:
            try:
                os.kill(pid, signal.SIGTERM)
            except ProcessLookupError:
                pass
        end = time.monotonic() + 10
        while time.monotonic() < end and any(pathlib.Path(f"/proc/{pid}").exists() for pid in pids):
            time.sleep(0.1)

    def run(self, *command):
        done = subprocess.run(list(map(str, command)), env=self.environment, cwd=self.directory, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        if done.returncode != 0:
            raise CommandFailed(f"{' '.join(map(str, command))} exited {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def wait(self, condition, seconds, otherwise):
        """Until the condition holds; a command that fails on the way is tried again."""
        end = time.monotonic() + seconds
        failure = ""
        while time.monotonic() < end:
            try:
                if condition():
                    return
            except (CommandFailed, subprocess.TimeoutExpired) as error:
                failure = f"; last: {error}"
            time.sleep(0.2)
        raise AssertionError(f"after {seconds} s {otherwise}{failure}")

    def lose_node(self, node):
        """Kills what runs on a node and its slurmd, as a lost machine would be; it comes back by find_node."""
        slurmd = int((self.directory / "run" / f"slurmd-{node}.pid").read_text())
        mine = [slurmd]
        for path in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                variables = (path / "environ").read_bytes().split(b"\0")
                command = (path / "cmdline").read_bytes()
            except OSError:
                continue
            # Ranks, batch script and launcher by their environment; stepds by the node's name in their title.
            if f"SLURMD_NODENAME={node}".encode() in variables and self.conf.encode() in variables:
                mine.append(int(path.name))
            elif command.startswith(b"slurmstepd: [") and f"SLURMD_NODENAME={node}".encode() in variables:
                mine.append(int(path.name))
        for pid in mine:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def find_node(self, node):
        self.run("slurmd", "-N", node)

    def submit(self, *arguments):
        return self.run("sbatch", "--parsable", *arguments).strip()

    def state(self, job):
        """(state, exit code) of a job as scontrol has them: ("COMPLETED", 0)."""
        fields = self.fields(job)
        return fields["JobState"], int(fields["ExitCode"].split(":")[0])

    def fields(self, job):
        """What scontrol says of a job, or of a task of an array ("7_2"), by name."""
        return dict(word.split("=", 1) for word in self.run("scontrol", "show", "job", job).split() if "=" in word)

    def restarts(self, job):
        return int(self.fields(job)["Restarts"])

    def finish(self, job, seconds):
        """Waits for the end of a job; returns its state and exit code."""
        unfinished = ("PENDING", "RUNNING", "COMPLETING", "REQUEUED", "CONFIGURING", "SUSPENDED", "PREEMPTED",
                      "NODE_FAIL")
        self.wait(lambda: self.state(job)[0] not in unfinished, seconds, f"job {job} has not ended")
        return self.state(job)
