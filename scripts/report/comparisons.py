"""What cohort evaluate --strategies --json and cohort compare --json say, read and checked against the result."""

import json
import math
import pathlib

from report import InputError

MEASURES = ("recall", "ndcg", "hit_rate")
# What reading JSON of another shape can raise.
MALFORMED = (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError)


def _load(path, command):
    try:
        content = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as JSON ({error}); give what {command} prints") from None
    if not isinstance(content, dict):
        raise InputError(f"{path}: is not what {command} prints")
    return content


def _number(value):
    return math.nan if value is None else float(value)


def _measures(found):
    result = {"users": int(found["users"]), "beats_global": bool(found["beats_global"]),
              **{name: _number(found[name]) for name in ("coverage", "novelty", "gini")}}
    for name in MEASURES:
        part = found[name]
        result[name] = {"mean": _number(part["mean"]), "gain": _number(part["gain"]),
                        "interval": tuple(_number(part["interval"][end]) for end in (0, 1)),
                        "gain_interval": tuple(_number(part["gain_interval"][end]) for end in (0, 1))}
    return result


class Strategies:
    """Measures of every strategy over all test users, the cold ones, and each segment."""

    def __init__(self, path, segments):
        command = "cohort evaluate --result segments.h5 --strategies --json"
        content = _load(path, command)
        try:
            self.k = int(content["k"])
            self.users = int(content["test_users"])
            self.cold_at_most = int(content["cold_at_most"])
            self.resamples = int(content["resamples"])
            self.family_error = float(content["family_error"])
            self.verdict = {str(name): str(verdict) for name, verdict in content["verdict"].items()}
            self.strategies = {str(name): {"overall": _measures(found["overall"]), "cold": _measures(found["cold"]),
                                           "segments": [_measures(one) for one in found["segments"]]}
                               for name, found in content["strategies"].items()}
            self.strategies["global"], self.strategies["segment"]
            # Of nested segments: the strategy `segment` at every level.
            self.levels = [{"level": int(one["level"]), "segments": int(one["segments"]),
                            **{name: _number(one[f"{name}@{self.k}"]) for name in MEASURES}}
                           for one in content.get("levels", [])]
        except MALFORMED as error:
            raise InputError(f"{path}: is not what {command} prints ({error!r})") from None
        if any(len(found["segments"]) != segments for found in self.strategies.values()):
            raise InputError(f"{path}: is about a result of another number of segments than {segments}; make it from "
                             "the segments.h5 that is reported on")


class Comparison:
    """Two results, one of which is reported on."""

    def __init__(self, path, sizes):
        command = "cohort compare A.h5 B.h5 --json"
        content = _load(path, command)
        try:
            self.names = [str(content["first"]), str(content["second"])]
            self.sizes = [[int(size) for size in content["segments"][side]] for side in ("first", "second")]
            self.users = {name: int(content["users"][name]) for name in ("first", "second", "common", "gone", "new")}
            self.ari = _number(content["ari"])
            self.stay_share = float(content["stay_share"])
            self.numbers = [[int(number) for number in content["numbers"][side]] for side in ("first", "second")]
            if list(map(len, self.numbers)) != list(map(len, self.sizes)):
                raise ValueError("other numbers of segments than sizes")
            # From here on a segment is its place among those of its result.
            self.match = {self._place(0, pair["from"]): self._place(1, pair["to"]) for pair in content["matching"]
                          if pair["to"] is not None}
            self.flows = [(self._place(0, flow["from"]), self._place(1, flow["to"]), int(flow["users"]))
                          for flow in content["flows"]]
        except MALFORMED as error:
            raise InputError(f"{path}: is not what {command} prints ({error!r})") from None
        if list(sizes) not in self.sizes:
            raise InputError(f"{path}: neither of the results that it compares has the segments of the one reported on")
        # Which of the two is reported on; the later one where they cannot be told apart.
        self.here = 1 if self.sizes[1] == list(sizes) else 0

    def _place(self, side, number):
        if int(number) not in self.numbers[side]:
            raise ValueError("a segment that it does not have")
        return self.numbers[side].index(int(number))
