# A package file for Spack (docs/cluster.md): packages/cohort/package.py of a repository of one's own.
from spack.package import *


class Cohort(CMakePackage):
    """Segments of a population of users, from what they did and whom they know: graph neural networks and k-means
    over MPI, with the same bits at any number of ranks and threads."""

    # The checkout's place is the user's: spack develop --path CHECKOUT cohort@main
    homepage = "https://example.invalid/cohort"
    git = "https://example.invalid/cohort.git"

    license("Apache-2.0")

    version("main", branch="main")

    variant("tests", default=False, description="Build the tests")

    depends_on("c", type="build")
    depends_on("cxx", type="build")
    depends_on("cmake@3.25:", type="build")
    depends_on("ninja", type="build")
    depends_on("pkgconfig", type="build")

    depends_on("mpi@3:")
    depends_on("boost@1.74: +mpi+serialization")
    depends_on("hdf5@1.10: +mpi")
    depends_on("metis@5: ~int64~real64")
    depends_on("eigen@3.4:3")
    depends_on("zlib-api")
    depends_on("libdeflate")
    depends_on("openssl")
    depends_on("highway")
    depends_on("cli11")
    depends_on("tomlplusplus")
    depends_on("fmt")
    depends_on("spdlog")
    depends_on("nlohmann-json")
    depends_on("googletest +gmock", when="+tests")

    conflicts("%gcc@:11", msg="Cohort is C++20: GCC 12 or newer")

    generator("ninja")

    def cmake_args(self):
        return [
            self.define_from_variant("COHORT_BUILD_TESTS", "tests"),
            self.define("COHORT_BUILD_BENCHMARKS", False),
        ]
