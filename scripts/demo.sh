#!/usr/bin/env bash
# usage: scripts/demo.sh
#
# Cohort from nothing but this checkout: installs what is missing, builds, makes up a population whose segments are
# known, finds segments with two MPI ranks, and says how well they match the known ones. Works in build/demo, where it
# replaces what an earlier demo left.
set -euo pipefail
source "$(dirname "$0")/common.sh"
case ${1-} in
  '') ;;
  -h | --help) help && exit ;;
  *) fail "unknown argument $1; see scripts/demo.sh --help" ;;
esac

scripts/bootstrap.sh
say "building (cmake preset release)"
build_preset release -- --target cohort
cohort=build/release/cohort
directory=build/demo

say "making up 3,000 users in 8 segments in $directory"
rm -rf "$directory"
"$cohort" generate --users 3000 --items 1000 --interactions 60000 --segments 8 --noise 0.2 --seed 7 \
  --output "$directory"

say "finding segments with 2 MPI ranks"
export OMP_NUM_THREADS=1
mpirun -n 2 "$cohort" run "$directory/config.toml" --set "output.directory=$directory/run"

say "comparing with the segments that were planted"
measures=$("$cohort" evaluate --result "$directory/run/segments.h5" --truth "$directory/truth.tsv" --json)
/usr/bin/python3 - "$measures" "$directory" <<'END'
import json
import sys

measures, directory = json.loads(sys.argv[1]), sys.argv[2]
print(f"""
Cohort found {measures["segments"]} segments of {measures["users"]:,} users. Against the planted ones: adjusted Rand index
{measures["ari"]:.3f}, normalised mutual information {measures["nmi"]:.3f}, purity {measures["purity"]:.3f} (1: the same segments; 0: chance).
The result is {directory}/run/segments.h5; `build/release/cohort info` says what is in it.""")
END
