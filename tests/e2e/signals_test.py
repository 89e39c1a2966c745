"""A signal at any time: to one rank, to all, or to the launcher. Nothing is lost, and the rerun has the same bits."""

import json
import os
import pathlib
import signal
import subprocess
import time
import unittest

from support import MPIEXEC, PROGRAM, WithDirectory, cohort, datasets

LIMIT = 60  # seconds for anything to end


def environment():
    return dict(os.environ, OMP_NUM_THREADS="1", OMP_WAIT_POLICY="passive", OMPI_ALLOW_RUN_AS_ROOT="1",
                OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", OMPI_MCA_mpi_yield_when_idle="1")


def descendants(pid):
    """Processes of the program below `pid`, in the order they were started, which is that of the ranks."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == pid and os.path.samefile(path / "exe", PROGRAM):
                found.append(int(path.name))
        except (OSError, ValueError):
            continue
    return sorted(found)


class Signals(WithDirectory):
    def setUp(self):
        super().setUp()
        cohort("generate", "--users", 1500, "--items", 800, "--interactions", 30000, "--segments", 5, "--seed", 3,
               "--output", self.path / "data")
        self.running = []
        self.addCleanup(self.end_all)

    def end_all(self):
        for process in self.running:
            if process.poll() is None:
                process.kill()
            process.communicate()

    def start(self, *arguments, ranks=1, launched=True, patience=1, **options):
        """patience: how long mpirun waits before it kills; it waits as long where a rank's exit code is not 0."""
        launcher = [MPIEXEC, "--oversubscribe", "--bind-to", "none", "--mca", "odls_base_sigkill_timeout",
                    str(patience), "-n", str(ranks)] if launched else []
        process = subprocess.Popen([*launcher, PROGRAM, *map(str, arguments)], env=environment(),
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
                                   **{"stdin": subprocess.DEVNULL, **options})
        self.running.append(process)
        return process

    def start_run(self, directory, ranks, epochs=4000, **options):
        return self.start("run", self.path / "data" / "config.toml", "--set", f"train.epochs={epochs}", "--set",
                          "train.checkpoint_every=5", "--set", "train.loss=bpr", "--set", f"output.directory={self.path / directory}", ranks=ranks,
                          **options)

    def wait_for(self, path, process):
        end = time.monotonic() + LIMIT
        while not path.exists():
            self.assertIsNone(process.poll(), "it ended before")
            self.assertLess(time.monotonic(), end, f"there is no {path.name}")
            time.sleep(0.02)

    def finish(self, process):
        out, error = process.communicate(timeout=LIMIT)
        return process.returncode, out, error

    def ended_well(self, process, directory):
        code, _, error = self.finish(process)
        self.assertEqual(code, 3, error)
        self.assertEqual(error.count("cohort: interrupted; "), 1, error)
        self.assertNotIn("cohort: error", error)
        self.assertEqual([path.name for path in (self.path / directory).iterdir() if ".tmp" in path.name], [])
        self.assertTrue((self.path / directory / "model.h5").exists())

    def test_one_rank_alone_is_asked_and_all_end(self):
        process = self.start_run("one", 3)
        self.wait_for(self.path / "one" / "model.h5", process)
        os.kill(descendants(process.pid)[-1], signal.SIGUSR1)
        self.ended_well(process, "one")

    def test_launcher_forwards_usr1(self):
        process = self.start_run("usr1", 2)
        self.wait_for(self.path / "usr1" / "model.h5", process)
        process.send_signal(signal.SIGUSR1)
        self.ended_well(process, "usr1")

    def test_each_signal_without_a_launcher(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            with self.subTest(signal=number.name):
                directory = number.name
                process = self.start_run(directory, 1, launched=False)
                self.wait_for(self.path / directory / "model.h5", process)
                process.send_signal(number)
                self.ended_well(process, directory)

    def test_launcher_that_is_told_to_end_leaves_time(self):
        process = self.start_run("term", 2, patience=8)
        self.wait_for(self.path / "term" / "model.h5", process)
        process.send_signal(signal.SIGTERM)
        code, _, error = self.finish(process)
        self.assertNotEqual(code, 0)
        self.assertNotIn("cohort: error", error)
        self.assertEqual([path.name for path in (self.path / "term").iterdir() if ".tmp" in path.name], [])

    def test_rerun_on_other_ranks_has_the_same_bits(self):
        process = self.start_run("again", 2, epochs=60)
        self.wait_for(self.path / "again" / "model.h5", process)
        process.send_signal(signal.SIGUSR1)
        code, _, error = self.finish(process)
        self.assertIn(code, (0, 3), error)
        settings = ("--set", "train.epochs=60", "--set", "train.checkpoint_every=5", "--set", "train.loss=bpr")
        for directory, ranks in (("again", 3), ("whole", 1)):
            cohort("run", self.path / "data" / "config.toml", *settings, "--set",
                   f"output.directory={self.path / directory}", ranks=ranks)
        self.assertEqual(datasets(self.path / "again" / "segments.h5"), datasets(self.path / "whole" / "segments.h5"))

    def test_second_signal_ends_at_once(self):
        # Held where it cannot look at the flag: it waits for a pipe that nobody opens.
        os.mkfifo(self.path / "pipe.toml")
        process = self.start("run", self.path / "pipe.toml", launched=False)
        time.sleep(2)
        process.send_signal(signal.SIGTERM)
        time.sleep(1)
        self.assertIsNone(process.poll())
        process.send_signal(signal.SIGINT)
        code, _, _ = self.finish(process)
        self.assertEqual(code, 128 + signal.SIGINT)

    def test_batch_system_that_asks_twice_is_no_second_signal(self):
        os.mkfifo(self.path / "pipe.toml")
        process = self.start("run", self.path / "pipe.toml", launched=False)
        time.sleep(2)
        for number in (signal.SIGUSR1, signal.SIGUSR1, signal.SIGTERM, signal.SIGTERM, signal.SIGUSR1):
            process.send_signal(number)
            time.sleep(0.2)
        self.assertIsNone(process.poll())
        process.send_signal(signal.SIGINT)
        self.assertEqual(self.finish(process)[0], 128 + signal.SIGINT)

    def progress(self, directory):
        return json.loads(cohort("progress", self.path / "data" / "config.toml", "--set",
                                 f"output.directory={self.path / directory}", "--json").stdout)

    def test_marker_says_whether_another_start_would_come_further(self):
        settings = ("--set", "train.epochs=4000", "--set", "train.loss=bpr", "--set", f"output.directory={self.path / 'far'}")
        self.assertEqual((self.progress("far")["epochs"], self.progress("far")["requeue"]), (None, False))
        process = self.start_run("far", 2)
        self.wait_for(self.path / "far" / "model.h5", process)
        process.send_signal(signal.SIGUSR1)
        self.ended_well(process, "far")
        said = self.progress("far")
        self.assertTrue(said["interrupted"] and said["requeue"])
        self.assertGreater(said["epochs"], 0)
        # Asked before it has read anything, a run comes no further than the one before.
        process = self.start("run", self.path / "data" / "config.toml", *settings, "--set", "input.holdout=0", "--restart",
                             launched=False, preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1]))
        process.send_signal(signal.SIGUSR1)
        self.assertEqual(self.finish(process)[0], 3)
        self.assertEqual((self.progress("far")["interrupted"], self.progress("far")["requeue"]), (True, False))
        # A run that ends otherwise leaves no marker.
        code = cohort("run", self.path / "data" / "config.toml", *settings, "--set", "segment.count=100000",
                      check=False).returncode
        self.assertEqual((code, self.progress("far")["interrupted"]), (2, False))

    def test_ignored_signal_stays_ignored(self):
        process = self.start_run("nohup", 1, epochs=30, launched=False)
        process.kill()
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        try:
            process = self.start_run("nohup", 1, epochs=60, launched=False)
        finally:
            signal.signal(signal.SIGHUP, before)
        self.wait_for(self.path / "nohup" / "model.h5", process)
        process.send_signal(signal.SIGHUP)
        code, _, error = self.finish(process)
        self.assertEqual(code, 0, error)

    def test_stream_ends_after_its_last_answer(self):
        cohort("run", self.path / "data" / "config.toml", "--set", "train.epochs=2", "--set",
               f"output.directory={self.path / 'result'}")
        process = self.start("assign", "--result", self.path / "result" / "segments.h5", "--stream", launched=False,
                             stdin=subprocess.PIPE)
        process.stdin.write('{"user": "new", "items": ["1"]}\n')
        process.stdin.flush()
        self.assertIn("new", process.stdout.readline())
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(timeout=LIMIT), 3)
        self.assertIn("interrupted", process.stderr.read())


if __name__ == "__main__":
    unittest.main(verbosity=2)
