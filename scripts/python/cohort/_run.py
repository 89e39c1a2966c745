"""Starts the program under mpirun."""

from __future__ import annotations

import collections
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from typing import Any

from ._result import Result


class CohortError(RuntimeError):
    """What the program said when it failed."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(json.dumps(os.fspath(entry), ensure_ascii=False)
                               if isinstance(entry, (str, os.PathLike)) else _toml(entry) for entry in value) + "]"
    return str(value)


def run(config: str | os.PathLike[str], ranks: int = 1, settings: Mapping[str, Any] | None = None, *,
        program: str | os.PathLike[str] | None = None, mpirun: str = "mpirun", quiet: bool = False) -> Result:
    """`cohort run CONFIG` on so many ranks; settings: {"train.seed": 7} as --set has them. What the program logs is shown
    while it runs. Returns its result. Raises CohortError with the program's message; an interrupt ends the run, which
    goes on from its checkpoint when it is started again. program: else $COHORT_PROGRAM, else `cohort` on the path."""
    found = os.path.expanduser(program or os.environ.get("COHORT_PROGRAM") or shutil.which("cohort") or "")
    if not found:
        raise FileNotFoundError("there is no program cohort on the path; install it, or name it in program=")
    config = pathlib.Path(config).expanduser()
    # Before the run: what cannot be read is not to be found out after hours.
    result = _directory(config, settings or {}).absolute() / "segments.h5"
    command = [found, "run", str(config)]
    for key, value in (settings or {}).items():
        command += ["--set", f"{key}={_toml(value)}"]
    if ranks > 1:
        command = [mpirun, "--oversubscribe", "--bind-to", "none", "-n", str(ranks), *command]
    environment = {"OMPI_MCA_mpi_yield_when_idle": "1"} | dict(os.environ)
    if os.geteuid() == 0:
        environment |= {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    last: collections.deque[str] = collections.deque(maxlen=200)
    with subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True, errors="replace") as process:
        try:
            for line in process.stderr or ():
                last.append(line)
                if not quiet:
                    print(line, end="", file=sys.stderr, flush=True)
        except BaseException:
            process.terminate()
            raise
    if process.returncode != 0:
        raise CohortError(_error_in(list(last)), process.returncode)
    return Result(result)


def _error_in(lines: list[str]) -> str:
    """The program's message, which begins with "error: ", without what mpirun says of it."""
    for at, line in enumerate(lines):
        if "error: " in line:
            message = [line.partition("error: ")[2].rstrip()]
            for more in lines[at + 1:]:
                if more.startswith("---") or not more.strip() or "mpirun" in more:
                    break
                message.append(more.rstrip())
            return "\n".join(message)
    return "".join(lines[-20:]).strip() or "the program failed and said nothing"


def _directory(config: pathlib.Path, settings: Mapping[str, Any]) -> pathlib.Path:
    """Where the run writes, from the directory that it is started in. Throws CohortError: the configuration is no TOML."""
    if "output.directory" in settings:
        chosen = os.fspath(settings["output.directory"])
        if chosen[:1] not in ("'", '"'):
            return pathlib.Path(chosen)
        text, name = f"output.directory = {chosen}", "settings"
    else:
        name = str(config)
        try:
            text = config.read_bytes().decode("utf-8-sig")  # editors on Windows write a byte order mark; it is no TOML
        except OSError as error:
            raise CohortError(f"cannot read the configuration {config}: {error.strerror}", 2) from None
        except UnicodeDecodeError as error:
            raise CohortError(f"{config}: is no UTF-8 ({error})", 2) from None
    try:
        output = tomllib.loads(text).get("output")
    except tomllib.TOMLDecodeError as error:
        raise CohortError(f"{name}: {error}", 2) from None
    # Of another type it is refused by the program.
    return pathlib.Path(str(output.get("directory", "run") if isinstance(output, dict) else "run"))
