#!/usr/bin/env bash
# usage: scripts/demo.sh
#
# Cohort from nothing but this checkout: installs what is missing, builds, makes up a population whose segments are
# known, finds segments with two MPI ranks, and says how well they match the known ones. Works in build/demo, where it
# replaces what an earlier demo left. What the package manager and the compiler say is in build/demo-install.log and
# build/demo-build.log.
set -euo pipefail
source "$(dirname "$0")/common.sh"
case ${1-} in
  '') ;;
  -h | --help) help && exit ;;
  *) fail "unknown argument $1; see scripts/demo.sh --help" ;;
esac

cohort=build/release/cohort
directory=build/demo
export OMP_NUM_THREADS=1

generate() {
  rm -rf "$directory"
  "$cohort" generate --users 3000 --items 1000 --interactions 60000 --segments 8 --noise 0.2 --seed 7 \
    --output "$directory"
}

find_segments() { mpirun -n 2 "$cohort" run "$directory/config.toml" --set "output.directory=$directory/run"; }

compare_with_planted() {
  local measures
  measures=$("$cohort" evaluate --result "$directory/run/segments.h5" --truth "$directory/truth.tsv" --json) || return
  /usr/bin/python3 - "$measures" "$directory/run/segments.h5" <<'END'
import json
import sys

import h5py

measures, result = json.loads(sys.argv[1]), sys.argv[2]
with h5py.File(result) as file:
    descriptions = file["segments/profile/description"].asstr()[...]
print()
for number, description in enumerate(descriptions):
    print(f"segment {number}: {description}")
print(f"""
Cohort found {measures["segments"]} segments of {measures["users"]:,} users. Against the planted ones: adjusted Rand index
{measures["ari"]:.3f}, normalised mutual information {measures["nmi"]:.3f}, purity {measures["purity"]:.3f} (1: the same segments; 0: chance).
The result is {result}; `build/release/cohort info {result}` says what is in it.
""")
END
}

timed "step 1 of 5: installing what is missing (log: build/demo-install.log)" \
  into_log build/demo-install.log scripts/bootstrap.sh
timed "step 2 of 5: building, preset release, some minutes the first time (log: build/demo-build.log)" \
  into_log build/demo-build.log build_preset release -- --target cohort
timed "step 3 of 5: making up 3,000 users in 8 segments in $directory" generate
timed "step 4 of 5: finding segments with 2 MPI ranks" find_segments
timed "step 5 of 5: comparing with the segments that were planted" compare_with_planted
