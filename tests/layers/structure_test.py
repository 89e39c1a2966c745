"""The checks of structure.py on this tree, and each of them on a made-up tree that breaks its rule."""

import os
import pathlib
import tempfile
import unittest

import structure

ROOT = pathlib.Path(os.environ.get("COHORT_SOURCE", pathlib.Path(__file__).parents[2]))

# A tree in which every rule holds.
GOOD = {
    "src/core/error.hpp": "// Errors.\n#pragma once\n",
    "src/core/error.cpp": '#include "core/error.hpp"\n\nconst char* text = "MPI_Send";  // as MPI_Send does\n',
    "src/core/CMakeLists.txt": "cohort_library(core SOURCES error.cpp)\n",
    "src/core/config.hpp": "struct InputConfig {\n  std::string format = \"auto\";\n};\nstruct ModelConfig {\n"
                           "  std::int64_t dim = 64;  ///< columns\n  std::int64_t batch = 0;\n};\n"
                           "struct Config {\n  std::int64_t threads = 0;\n};\n",
    "src/core/config_schema.cpp": '// Keys.\nauto keys = {{"", "threads", "threads", IntegerKey{M(threads), 0, 64}},\n'
                                  '  {"input", "format", "how", WordKey{M(format), {"auto", "tsv"}}},\n'
                                  '  {"model", "batch", "triples", IntegerKey{M(batch), 1, 10, true}},\n'
                                  '  {"model", "dim", "columns", IntegerKey{M(model.dim), 1, 1024}}};\n',
    "src/comm/send.hpp": '// Sends.\n#include <mpi.h>\n#include "core/error.hpp"\n',
    "src/comm/send.cpp": '#include "comm/send.hpp"\n\nvoid send() { MPI_Barrier(MPI_COMM_WORLD); }\n',
    "src/comm/CMakeLists.txt": "cohort_library(comm SOURCES send.cpp PUBLIC cohort_core)\n",
    "src/ingest/data.hpp": '// Data.\n#include "comm/send.hpp"\n',
    "src/ingest/CMakeLists.txt": "# cohort_cli is far above\nadd_library(cohort_ingest INTERFACE)\n",
    "src/store/schema.hpp": '// Names.\n#include "ingest/data.hpp"\n'
                            'inline constexpr auto users_id = "users/id";  ///< "not/this"\n',
    "src/store/CMakeLists.txt": "target_link_libraries(cohort_store INTERFACE cohort_ingest)\n",
    "partition/cut.hpp": '// Cuts.\n#include "ingest/data.hpp"\n',
    "partition/CMakeLists.txt": "add_library(cohort_partition INTERFACE)\n",
    "docs/user-guide.md": "# Guide\n### Before the first section\n| `threads` | `0` | of a rank |\n"
                          "### `[input]`\n| `format` | `\"auto\"` | how |\n"
                          "### `[model]`\n| `dim` | `64` | columns |\n| `batch` | `\"auto\"` | triples |\n"
                          "### Exit codes\n| `none` | `0` |\n",
    "docs/file-formats.md": "| `/users/id` | strings |\n",
}
GOOD["src/core/CMakeLists.txt"] = "cohort_library(core SOURCES error.cpp config_schema.cpp)\n"
GOOD["src/core/config.hpp"] = "// Defaults.\n" + GOOD["src/core/config.hpp"]


def check(name):
    def test(self):
        self.assertEqual(getattr(structure, name)(ROOT), [])

    return test


class ThisTree(unittest.TestCase):
    """One test for each check."""

    maxDiff = None


for function in structure.CHECKS:
    setattr(ThisTree, f"test_{function.__name__}", check(function.__name__))


class MadeUpTrees(unittest.TestCase):
    """Each check finds what it is for, and nothing in a tree that is in order."""

    def setUp(self):
        holder = tempfile.TemporaryDirectory(prefix="cohort-structure-")
        self.addCleanup(holder.cleanup)
        self.root = pathlib.Path(holder.name)
        self.write(GOOD)

    def write(self, files):
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def finds(self, function, files, *expected):
        """`files` changed or added: exactly one complaint of this check, with the expected texts; none of the others."""
        self.write(files)
        for other in structure.CHECKS:
            complaints = other(self.root)
            self.assertEqual(len(complaints), 1 if other is function else 0, (other.__name__, complaints))
        for text in expected:
            self.assertIn(text, function(self.root)[0])

    def test_in_order(self):
        for function in structure.CHECKS:
            self.assertEqual(function(self.root), [], function.__name__)

    def test_unknown_folder(self):
        self.finds(structure.unknown_folders, {"src/extra/CMakeLists.txt": ""}, "src/extra")

    def test_include_upwards(self):
        self.finds(structure.include_order, {"src/comm/up.hpp": '// Up.\n#include "partition/cut.hpp"\n'},
                   "src/comm/up.hpp:2", "partition/")

    def test_include_aside(self):
        self.finds(structure.include_order, {"src/ingest/aside.hpp": '// Aside.\n#include "store/schema.hpp"\n'},
                   "src/ingest/aside.hpp:2")

    def test_include_in_a_comment_counts_not(self):
        self.write({"src/comm/send.hpp": '// Sends.\n/* one line\n#include "partition/cut.hpp"\n*/\n#include <mpi.h>\n'})
        self.assertEqual(structure.include_order(self.root), [])

    def test_link_upwards(self):
        self.finds(structure.link_order,
                   {"src/comm/CMakeLists.txt": "cohort_library(comm SOURCES send.cpp PRIVATE cohort_store)\n"},
                   "comm must not link store")

    def test_mpi_outside(self):
        call = '#include "core/error.hpp"\n\nvoid f() { MPI_Barrier(world); }\n'
        self.finds(structure.mpi_callers, {"src/core/error.cpp": call}, "src/core/error.cpp:3")
        self.finds(structure.mpi_callers, {"src/core/error.cpp": "// E.\n#include <mpi.h>\n"}, "src/core/error.cpp:2")

    def test_eigen_past_its_header(self):
        self.finds(structure.eigen_includers, {"src/core/eigen.hpp": "// Eigen.\n#include <Eigen/Core>\n",
                                               "tests/unit/eigen_test.cpp": "// T.\n#include <Eigen/SVD>\n"},
                   "tests/unit/eigen_test.cpp:2")

    def test_unlisted_source(self):
        self.finds(structure.sources_listed, {"src/comm/end.cpp": '#include "comm/send.hpp"\n'}, "src/comm/end.cpp")

    def test_no_comment(self):
        self.finds(structure.opening_comments, {"src/core/error.hpp": "#pragma once\n",
                                                "src/core/error.cpp": "// Errors.\n"}, "src/core/error.hpp")

    def test_source_without_header(self):
        self.finds(structure.opening_comments, {"src/core/error.cpp": "#include <string>\n"}, "src/core/error.cpp")

    def test_type_twice(self):
        self.finds(structure.type_names, {"src/ingest/data.hpp": "// Data.\nstruct Rows {\n};\n",
                                          "partition/cut.hpp": "// Cuts.\nclass Rows : public Base {\n};\n"}, "Rows", "src/ingest")

    def test_long_file(self):
        self.finds(structure.file_lengths, {"partition/cut.hpp": "// Cuts.\n" + "\n" * structure.LONGEST},
                   "partition/cut.hpp", "401")

    def test_left_to_do(self):
        self.finds(structure.nothing_left_to_do, {"partition/cut.hpp": "// Cuts.\n// TO" + "DO: cut\n"},
                   "partition/cut.hpp:2")

    def test_key_undocumented(self):
        guide = GOOD["docs/user-guide.md"].replace("| `dim` | `64` | columns |\n", "")
        self.finds(structure.keys_documented, {"docs/user-guide.md": guide}, "model.dim")

    def test_wrong_default(self):
        self.finds(structure.keys_documented, {"docs/user-guide.md": GOOD["docs/user-guide.md"].replace("64", "32")},
                   "model.dim is 64", "32")

    def test_key_that_is_none(self):
        guide = GOOD["docs/user-guide.md"].replace("| `dim`", "| `width` | `1` | none |\n| `dim`")
        self.finds(structure.keys_documented, {"docs/user-guide.md": guide}, "model.width")

    def test_name_undocumented(self):
        self.finds(structure.names_documented, {"docs/file-formats.md": "`not/this`, users/id\n"}, "users/id")


if __name__ == "__main__":
    unittest.main(verbosity=2)
