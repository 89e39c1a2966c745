"""What Eigen makes the compiler say on any CPU neither fails nor floods; the same mistake of ours still fails."""

import os
import pathlib
import shlex
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(os.environ.get("COHORT_SOURCE", pathlib.Path(__file__).parents[2]))
COMPILER = shlex.split(os.environ.get("COHORT_COMPILER", "g++"))
EIGEN = os.environ.get("COHORT_EIGEN", "/usr/include/eigen3")
CPU = "-march=x86-64-v4"  # AVX-512, where GCC 12 warns of its own intrinsics

# A use of Eigen that makes GCC 12 warn.
USES_EIGEN = """
double product(const Eigen::MatrixXd& left, const Eigen::MatrixXd& right) {
  const Eigen::MatrixXd both = left * right;
  return both.sum();
}
"""
# A variable that has no value on one of two ways.
OURS = """
double half(const Eigen::VectorXd& vector, bool first) {
  double value;
  if (first) value = vector[0];
  return value / 2 + vector.sum();
}
"""


def compiled(text, *options):
    """What the compiler says, warnings being errors; None where it makes the object."""
    with tempfile.TemporaryDirectory(prefix="cohort-warnings-") as scratch:
        source = pathlib.Path(scratch) / "source.cpp"
        source.write_text(text)
        done = subprocess.run([*COMPILER, "-std=c++20", "-O3", "-DNDEBUG", "-Wall", "-Wextra", "-Wpedantic", "-Werror",
                               *options, f"-I{ROOT}/src", "-isystem", EIGEN, "-c", str(source), "-o",
                               f"{scratch}/source.o"], capture_output=True, text=True)
    return None if done.returncode == 0 else done.stderr


class Warnings(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        said = compiled("int main() {}\n", CPU)
        if said is not None:
            raise unittest.SkipTest(f"the compiler makes no code for AVX-512: {said.splitlines()[0]}")

    def test_of_eigen_are_silent(self):
        self.assertIsNone(compiled('#include "core/eigen.hpp"\n' + USES_EIGEN, CPU))

    def test_of_eigen_are_silent_where_intrinsics_came_first(self):
        self.assertIsNone(compiled('#include <immintrin.h>\n#include "core/eigen.hpp"\n' + USES_EIGEN, CPU))

    def test_ours_fail(self):
        said = compiled('#include "core/eigen.hpp"\n' + USES_EIGEN + OURS, CPU)
        self.assertIsNotNone(said)
        self.assertIn("'value'", said.replace("‘", "'").replace("’", "'"))
        self.assertIn("uninitialized", said)


if __name__ == "__main__":
    unittest.main(verbosity=2)
