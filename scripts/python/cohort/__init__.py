"""Results of Cohort as data frames, and its runs from Python.

    import cohort
    result = cohort.read("run/segments.h5")
    result.users.loc["00017"]           # ids stay texts
    result = cohort.run("config.toml", ranks=4)
"""

from ._result import Result, read
from ._run import CohortError, run

__all__ = ["CohortError", "Result", "read", "run"]
