#!/bin/bash
# Submits a scaling study (STUDY/study.json, which scripts/scaling.py submit writes): a job of slurm/scaling.sbatch for each
# number of nodes, and one that collects when they have ended, however they did. Prints what it submitted.
#
#   slurm/submit-study.sh STUDY [options of sbatch, for all jobs: -A ACCOUNT -p PARTITION -t TIME]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
fail() {
  printf 'error: %s\n' "$*" >&2
  exit 2
}
[ $# -gt 0 ] || fail "usage: slurm/submit-study.sh STUDY [options of sbatch]"
command -v sbatch >/dev/null || fail "there is no Slurm here (no sbatch); without it: scripts/scaling.py run STUDY"
study=$(cd "$1" 2>/dev/null && pwd) && [ -f "$study/study.json" ] ||
  fail "there is no $1/study.json; scripts/scaling.py submit writes it"
shift
read -r ranks threads nodes < <(python3 -c '
import json, sys
study = json.load(open(sys.argv[1] + "/study.json"))
print(max(study["ranks"]), max(study["threads"]), *study["nodes"])' "$study")

jobs=''
index=0
for count in $nodes; do
  job=$(sbatch --parsable -N "$count" --ntasks-per-node="$ranks" -c "$threads" --array="$index" \
    -o "$study/nodes-$count.log" "$@" "$here/scaling.sbatch" "$study")
  echo "$count nodes: job ${job%%;*}"
  jobs+=":${job%%;*}"
  index=$((index + 1))
done
job=$(sbatch --parsable --job-name=cohort-collect --dependency="afterany$jobs" -N 1 -n 1 -o "$study/collect.log" "$@" \
  --wrap "'$here/../scripts/scaling.py' collect '$study'")
echo "collecting: job ${job%%;*}, results in $study"
