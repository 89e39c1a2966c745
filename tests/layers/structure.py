"""What must hold of the tree itself. Each check takes the root of a tree and returns its complaints, one line each."""

import pathlib
import re

# A folder may use those of a lower level. src/README.md draws the same order.
LEVEL = {
    "core": 0,
    "kernels": 1, "comm": 1,
    "data": 2,
    "ingest": 3, "generate": 3, "result": 3, "graph": 3,
    "store": 4, "partition": 4, "items": 4, "model": 4, "cluster": 4,
    "train": 5, "recommend": 5, "profile": 5, "explain": 5, "assign": 5,
    "evaluate": 6,
    "cli": 7,
}
CALLS_MPI = {"comm", "store"}
LONGEST = 400  # lines of a file


def folders(root):
    """(name, path) of every folder that is a target of the program."""
    found = [(path.name, path) for path in sorted((root / "src").iterdir()) if path.is_dir()]
    return found + [("partition", root / "partition")]


def files(root, *endings):
    """(folder, path) of every source."""
    for name, folder in folders(root):
        for path in sorted(folder.rglob("*")):
            if path.suffix in endings:
                yield name, path


def read(path):
    """A missing file reads as an empty one, of which every check complains that needs something in it."""
    return path.read_text() if path.exists() else ""


def code_of(text):
    """C++ without comments and without strings other than what is included; lines keep their numbers."""
    def kept(match):
        return match[0] if match[0].startswith("#") else "\n" * match[0].count("\n")

    pattern = r'#[ \t]*include[^\n]*|"(?:\\.|[^"\\\n])*"|//[^\n]*|/\*.*?\*/'
    return re.sub(pattern, kept, text, flags=re.DOTALL)


def may_use(user, used):
    return used == user or LEVEL[used] < LEVEL[user]


def unknown_folders(root):
    return [f"{path.relative_to(root)}: a folder without a place in the order of tests/layers/structure.py"
            for name, path in folders(root) if name not in LEVEL]


def include_order(root):
    complaints = []
    for name, path in files(root, ".hpp", ".cpp"):
        for number, line in enumerate(code_of(path.read_text()).splitlines(), 1):
            used = re.match(r'\s*#\s*include\s+"([^"/]+)/', line)
            if used and used[1] in LEVEL and name in LEVEL and not may_use(name, used[1]):
                complaints.append(f"{path.relative_to(root)}:{number}: {name}/ must not include {used[1]}/")
    return complaints


def link_order(root):
    complaints = []
    for name, folder in folders(root):
        listing = re.sub(r"#[^\n]*", "", read(folder / "CMakeLists.txt"))
        for used in sorted(set(re.findall(r"\bcohort_([a-z]+)\b", listing))):
            if used in LEVEL and name in LEVEL and not may_use(name, used):
                complaints.append(f"{(folder / 'CMakeLists.txt').relative_to(root)}: {name} must not link {used}")
    return complaints


def mpi_callers(root):
    complaints = []
    for name, path in files(root, ".hpp", ".cpp"):
        if name in CALLS_MPI:
            continue
        for number, line in enumerate(code_of(path.read_text()).splitlines(), 1):
            if re.search(r"\bMPI_[A-Z]\w*|#\s*include\s+<(mpi\.h|boost/mpi)", line):
                complaints.append(f"{path.relative_to(root)}:{number}: MPI is called in comm/ and store/ only")
    return complaints


def eigen_includers(root):
    """Eigen comes through the one header that keeps its warnings to itself."""
    return [f"{path.relative_to(root)}:{number}: Eigen is included as core/eigen.hpp only"
            for place in ("src", "partition", "tests")
            for path in sorted((root / place).rglob("*.?pp")) if path != root / "src/core/eigen.hpp"
            for number, line in enumerate(code_of(path.read_text()).splitlines(), 1)
            if re.match(r"\s*#\s*include\s*[<\"](unsupported/)?Eigen/", line)]


def sources_listed(root):
    complaints = []
    for name, path in files(root, ".cpp"):
        folder = next(folder for known, folder in folders(root) if known == name)
        listing = re.sub(r"#[^\n]*", "", read(folder / "CMakeLists.txt"))
        if not re.search(rf"(?<![\w./-]){re.escape(str(path.relative_to(folder)))}(?![\w./-])", listing):
            complaints.append(f"{path.relative_to(root)}: not in {name}/CMakeLists.txt")
    return complaints


def opening_comments(root):
    """A header opens with a comment; so does a source, unless a header of its folder that it includes says what it is."""
    complaints = []
    for name, path in files(root, ".hpp", ".cpp"):
        text = path.read_text()
        folder = next(folder for known, folder in folders(root) if known == name)
        own = re.findall(rf'^#include "{name}/([^"]+)"', text, flags=re.MULTILINE) if path.suffix == ".cpp" else []
        if not any(read(opening).startswith("//") for opening in [path, *(folder / header for header in own)]):
            complaints.append(f"{path.relative_to(root)}: neither it nor a header of its own opens with a comment")
    return complaints


def type_names(root):
    """A type that a header declares has its name alone: two of one name in one namespace are undefined behaviour."""
    places = {}
    for _, path in files(root, ".hpp", ".cpp"):
        for number, line in enumerate(code_of(path.read_text()).splitlines(), 1):
            found = re.match(r"(?:template <.*> )?(?:struct|class|enum class|enum) (\w+)(?:<.*>)?(?: final)?(?: ?:(?!:)[^;]*)?\s*\{", line)
            if found:
                places.setdefault(found[1], []).append((path, number))
    return [f"{path.relative_to(root)}:{number}: {name} is also a type of {found[0][0].relative_to(root)}"
            for name, found in places.items() if any(path.suffix == ".hpp" for path, _ in found)
            for path, number in found[1:]]


def file_lengths(root):
    lengths = [(path, len(path.read_text().splitlines())) for _, path in files(root, ".hpp", ".cpp")]
    return [f"{path.relative_to(root)}: {length} lines; at most {LONGEST}" for path, length in lengths
            if length > LONGEST]


def nothing_left_to_do(root):
    complaints = []
    for _, path in files(root, ".hpp", ".cpp", ".txt"):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if re.search(r"\b(TODO|FIXME|XXX)\b", line):
                complaints.append(f"{path.relative_to(root)}:{number}: something left to do")
    return complaints


def schema_keys(root):
    """{(section, key): whether "auto" may stand for it} of the configuration."""
    text = read(root / "src/core/config_schema.cpp")
    entries = re.findall(r'\{"([a-z_]*)", "([a-z_0-9]+)", "[^"]*",\s*(\w+\{.*?\})\}', text, flags=re.DOTALL)
    return {(section, key): re.search(r", true[,}]", kind) is not None for section, key, kind in entries}


def config_defaults(root):
    """{(section, key): default as TOML has it}, from the structs of core/config.hpp."""
    defaults = {}
    text = read(root / "src/core/config.hpp")
    for struct, body in re.findall(r"struct (\w*)Config \{(.*?)\n\};", text, flags=re.DOTALL):
        for kind, key, value in re.findall(r"^  ([\w:<>, ]+) (\w+)(?: = ([^;]+)|\{[^}]*\})?;", body, flags=re.MULTILINE):
            if not value:
                value = {"std::string": '""'}.get(kind, "")
            defaults[struct.lower(), key] = re.sub(r"^\w+::(\w+)$", r'"\1"', value)  # of an enumeration
    return defaults


def documented_keys(root):
    """{(section, key): default} of the tables of docs/user-guide.md."""
    found, section = {}, None
    for line in read(root / "docs/user-guide.md").splitlines():
        heading = re.match(r"#+ (?:`\[(\w+)\]`|(Before the first section))", line)
        if heading:
            section = heading[1] or ""
        elif line.startswith("#"):
            section = None
        row = re.match(r"\| `(\w+)` \| (?:`([^`]*)`)?", line)
        if row and section is not None:
            found[section, row[1]] = row[2] or ""
    return found


def keys_documented(root):
    complaints = []
    schema, defaults, documented = schema_keys(root), config_defaults(root), documented_keys(root)
    if not schema:
        return ["src/core/config_schema.cpp: no key found"]
    name = lambda key: ".".join(filter(None, key))
    for key, automatic in schema.items():
        if key not in documented:
            complaints.append(f"docs/user-guide.md: {name(key)} is missing")
            continue
        actual = defaults.get(key, "")
        if automatic and actual in ("0", "0.0") or actual.strip('"').startswith("automatic"):
            actual = '"auto"'
        said = documented[key]
        try:
            same = float(actual) == float(said)
        except ValueError:
            same = actual == said
        if actual and not same:
            complaints.append(f"docs/user-guide.md: {name(key)} is {actual} by default, not {said}")
    return complaints + [f"docs/user-guide.md: there is no key {name(key)}" for key in documented if key not in schema]


def names_documented(root):
    text = re.sub(r"//[^\n]*", "", read(root / "src/store/schema.hpp"))
    names = re.findall(r'inline constexpr auto \w+ = "([^"]+)";', text)
    spans = re.findall(r"`([^`\n]+)`", read(root / "docs/file-formats.md"))
    words = {word.strip("/") for span in spans for word in re.findall(r"[\w/]+", span)}
    said = words | {part for word in words for part in word.split("/")}
    if not names:
        return ["src/store/schema.hpp: no name found"]
    return [f"docs/file-formats.md: {name} is missing" for name in names if name not in said]


CHECKS = (unknown_folders, include_order, link_order, mpi_callers, eigen_includers, sources_listed, opening_comments,
          type_names, file_lengths, nothing_left_to_do, keys_documented, names_documented)
