"""Ranks that are not one run: other command lines, configurations, files or directories, or a launcher of another MPI."""

import os
import shutil
import subprocess
import unittest

from support import MPIEXEC, PROGRAM, TIMEOUT, WithDirectory, cohort

RANKS = "OMPI_COMM_WORLD_RANK"


def launch(*lines, launcher=None, **variables):
    """Runs each of `lines` (arguments of one rank) as a rank of one run; `launcher`: a program that starts them all."""
    environment = dict(os.environ, OMP_NUM_THREADS="1", OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
                       OMPI_MCA_mpi_yield_when_idle="1", **variables)
    command = [MPIEXEC, "--oversubscribe", "--bind-to", "none"]
    for number, line in enumerate(lines):
        command += ([":"] if number else []) + ["-n", "1", *([launcher] if launcher else []), PROGRAM, *map(str, line)]
    return subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=TIMEOUT, errors="replace")


class Ranks(WithDirectory):
    def setUp(self):
        super().setUp()
        cohort("generate", "--users", 300, "--items", 200, "--interactions", 4000, "--segments", 3, "--seed", 3,
               "--output", self.path / "data")
        self.config = self.path / "data" / "config.toml"
        self.arguments = ["run", self.config, "--set", "train.epochs=1", "--set", "segment.count=3"]

    def script(self, name, text):
        """A program that starts another after `text`, in a shell that knows its rank as $rank."""
        path = self.write(name, f'#!/bin/sh\nrank=${RANKS}\n{text}\nexec "$@"\n')
        path.chmod(0o755)
        return path

    def refused(self, done, *parts):
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertEqual(done.stderr.count("cohort: error: "), 1, done.stderr)
        line = next(line for line in done.stderr.splitlines() if "cohort: error: " in line)
        for part in parts:
            self.assertIn(str(part), line)

    def test_other_command_lines(self):
        seeds = [[*self.arguments, "--set", f"train.seed={seed}"] for seed in (1, 1, 2)]
        self.refused(launch(*seeds), "rank 2", "train.seed=2", "train.seed=1")
        self.refused(launch(self.arguments, ["--version"]), "rank 1", "--version")
        self.refused(launch(["--help"], self.arguments), "rank 1", "--help")
        self.refused(launch(["info", "a.h5"], ["info", "a.h5", "--no-such-option"]), "rank 1", "--no-such-option")
        self.refused(launch(["info", "a.h5", "--no-such-option"], ["info", "a.h5"]), "rank 1", "nothing")

    def test_other_configurations_under_one_name(self):
        for rank in range(2):
            (self.path / str(rank)).mkdir()
            shutil.copy(self.config, self.path / str(rank) / "config.toml")
        with open(self.path / "1" / "config.toml", "a") as file:
            file.write("\n# other\n")
        mine = self.script("own_configuration", f'cd {self.path}/$rank')
        (self.path / "0" / "interactions.tsv").symlink_to(self.path / "data" / "interactions.tsv")
        # The working directory is rank 0's: the other configuration is not even seen.
        done = launch(*[["prepare", "config.toml", "--set", "output.directory=run"]] * 2, launcher=mine)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue((self.path / "0" / "run" / "graph.h5").exists())
        self.assertFalse((self.path / "1" / "run").exists())

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("unshare"), "mounts of its own need root and unshare")
    def test_nodes_with_other_files_under_one_name(self):
        with_mounts = self.path / "mounts"
        done = subprocess.run(["unshare", "-m", "true"], capture_output=True)
        if done.returncode != 0:
            self.skipTest("no mounts of one's own here")
        data = self.path / "data" / "interactions.tsv"
        other = self.write("other.tsv", data.read_text().replace("1", "2"))
        shorter = self.write("shorter.tsv", data.read_text()[:2000])
        configuration = self.write("other.toml", self.config.read_text() + "\n# other\n")
        empty = self.path / "empty"
        empty.mkdir()
        output = self.path / "out"
        output.mkdir()
        cases = [(other, data, ("rank 1", "other bytes", data)), (shorter, data, ("rank 1", "2000 bytes", data)),
                 (configuration, self.config, ("rank 1", "another configuration", self.config)),
                 (empty, output, ("rank 1", "does not see", output))]
        for source, target, parts in cases:
            with self.subTest(target=target.name, source=source.name):
                self.write("mounts", f'#!/bin/sh\n[ "${RANKS}" = 0 ] && exec "$@"\n'
                           f'exec unshare -m sh -c \'mount --bind {source} {target} && exec "$@"\' sh "$@"\n')
                with_mounts.chmod(0o755)
                done = launch(*[[*self.arguments, "--set", f"output.directory={output}"]] * 2, launcher=with_mounts)
                self.refused(done, *parts)
                self.assertEqual(list(output.iterdir()), [])

    def test_mark_of_a_killed_run_is_removed(self):
        output = self.path / "out"
        output.mkdir()
        gone = subprocess.Popen(["true"])
        gone.wait()
        host = os.uname().nodename
        for process in (gone.pid, os.getpid()):
            (output / f".cohort-seen.{host}.{process}.1").touch()
        cohort(*self.arguments, "--set", f"output.directory={output}", ranks=2)
        self.assertEqual([path.name for path in output.glob(".cohort-seen*")], [f".cohort-seen.{host}.{os.getpid()}.1"])

    def test_launcher_of_another_mpi(self):
        for variables, told in (({"PMI_SIZE": "4", "PMI_RANK": "0"}, "PMI_SIZE"),
                                ({"MPI_LOCALNRANKS": "2", "MPI_LOCALRANKID": "0"}, "MPI_LOCALNRANKS"),
                                ({"SLURM_STEP_NUM_TASKS": "4", "SLURM_PROCID": "0"}, "SLURM_STEP_NUM_TASKS"),
                                ({"OMPI_COMM_WORLD_SIZE": "3", "OMPI_COMM_WORLD_RANK": "0"}, "OMPI_COMM_WORLD_SIZE")):
            for arguments in (self.arguments, ["--version"], ["--no-such-option"]):
                with self.subTest(variables=variables, arguments=arguments[0]):
                    done = self.alone(arguments, variables)
                    self.refused(done, told, "mpirun")
                    self.assertEqual(done.stdout, "")
        # Only one of them says so.
        done = self.alone(self.arguments, {"PMI_SIZE": "4", "PMI_RANK": "3"})
        self.assertEqual((done.returncode, done.stderr), (2, ""))

    def test_batch_script_that_starts_one_process_itself(self):
        done = self.alone(["--version"], {"SLURM_NTASKS": "16", "SLURM_STEP_NUM_TASKS": "1", "SLURM_PROCID": "0"})
        self.assertEqual(done.returncode, 0, done.stderr)

    @staticmethod
    def alone(arguments, variables):
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("OMPI_COMM_", "PMI"))}
        return subprocess.run([PROGRAM, *map(str, arguments)], env={**environment, **variables}, capture_output=True,
                              stdin=subprocess.DEVNULL, text=True, timeout=TIMEOUT)


if __name__ == "__main__":
    unittest.main(verbosity=2)
