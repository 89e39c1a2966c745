"""How long `cohort assign --stream` takes for one user: the time from writing a line to reading its answer.

    tests/bench/assign_latency.py --cohort build/release/cohort --result run/segments.h5 [--items 100] [--users 2000]

The users are made up of items of the result, drawn as often as training users had them. One line of JSON."""

import argparse
import json
import os
import subprocess
import time

import h5py
import numpy


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cohort", required=True)
    parser.add_argument("--result", required=True)
    parser.add_argument("--items", type=int, default=100, help="interactions of a user")
    parser.add_argument("--users", type=int, default=2000)
    options = parser.parse_args()
    with h5py.File(options.result, "r") as file:
        ids = [value.decode() for value in file["items/id"][...]]
        popularity = file["items/users"][...].astype(float)
        columns = file["items/embedding"].shape[1]
    random = numpy.random.default_rng(1)
    drawn = (random.choice(len(ids), options.items, replace=False, p=popularity / popularity.sum())
             for _ in range(options.users))
    lines = [json.dumps({"user": f"u{u}", "items": [ids[i] for i in items]}) + "\n" for u, items in enumerate(drawn)]
    process = subprocess.Popen([options.cohort, "assign", "--result", options.result, "--stream", "--quiet"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                               env=dict(os.environ, OMP_NUM_THREADS="1"))
    seconds = []
    for line in lines:
        start = time.perf_counter()
        process.stdin.write(line)
        process.stdin.flush()
        answer = json.loads(process.stdout.readline())
        seconds.append(time.perf_counter() - start)
        assert len(answer["recommendations"]) == 20, answer
    process.stdin.close()
    assert process.wait() == 0
    milliseconds = numpy.array(seconds[options.users // 10:]) * 1e3  # the first answers touch cold memory
    print(json.dumps({"items": len(ids), "columns": columns, "interactions": options.items, "users": len(milliseconds),
                      "p50_ms": round(float(numpy.percentile(milliseconds, 50)), 3),
                      "p99_ms": round(float(numpy.percentile(milliseconds, 99)), 3)}))


if __name__ == "__main__":
    main()
