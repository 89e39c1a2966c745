#!/usr/bin/env bash
# usage: scripts/test.sh [-R PATTERN]
#
# Installs what is missing, builds preset ci (warnings are errors) and runs every test, or those whose names match PATTERN
# (a regular expression); ctest's summary ends the output.
# With CI=true in the environment, before that: clang-format over all sources, clang-tidy over the changed ones
# (bounded to COHORT_TIDY_SECONDS, 180), what uses Eigen or vector instructions compiled for AVX2 and AVX-512 whatever
# this CPU has, and the tests of one process and of three ranks under the address and undefined-behaviour sanitizers.
# Everything runs even if something before it failed; any failure fails the script. What the package manager and the
# compiler say is in build/*.log, and shown where they fail.
set -euo pipefail
source "$(dirname "$0")/common.sh"
case ${1-} in
  '') selected=() ;;
  -R) [ $# = 2 ] || fail "-R takes one pattern; see scripts/test.sh --help"; selected=(-R "$2") ;;
  -h | --help) help && exit ;;
  *) fail "unknown argument $1; see scripts/test.sh --help" ;;
esac

failed=()
# step WHAT COMMAND...: runs it, says how long it took, notes a failure and goes on.
step() { timed "$@" || failed+=("$1"); }

check_format() { git ls-files -z '*.cpp' '*.hpp' | xargs -0 clang-format --dry-run -Werror; }

# The sources changed since the branch left the main line; on the main line itself, by the last commits.
changed_sources() {
  local base='' candidate
  for candidate in origin/main origin/master main master; do
    base=$(git merge-base "$candidate" HEAD 2>/dev/null) && break
  done
  if [ -z "$base" ] || [ "$base" = "$(git rev-parse HEAD)" ]; then
    base=$(git rev-list --first-parent -n 6 HEAD | tail -n 1)
  fi
  git diff --name-only --diff-filter=d "$base" -- 'src/*.cpp' 'partition/*.cpp' 'tests/*.cpp'
}

# As many as fit into the time, the latest change first; says how many did not.
check_tidy() {
  local deadline=$((SECONDS + ${COHORT_TIDY_SECONDS:-180})) sources=() batch=() next=0 ok=0
  # Only what this machine builds: without Arrow, nothing says how parquet_file.cpp is compiled.
  mapfile -t sources < <(changed_sources | xargs -r ls -t |
    while read -r source; do ! grep -qF "/$source\"" build/ci/compile_commands.json || echo "$source"; done)
  while [ "$next" -lt ${#sources[@]} ] && [ "$SECONDS" -lt "$deadline" ]; do
    batch=("${sources[@]:next:$(cores)}")
    printf '%s\0' "${batch[@]}" | xargs -0 -n 1 -P "$(cores)" \
      clang-tidy --quiet -p build/ci --extra-arg=-Wno-unknown-warning-option 2>/dev/null || ok=1
    next=$((next + ${#batch[@]}))
  done
  say "clang-tidy: $next of ${#sources[@]} changed sources"
  return "$ok"
}

sanitized_tests() {
  into_log build/sanitize.log build_preset sanitize -DCOHORT_BUILD_BENCHMARKS=OFF -- --target library_tests &&
    timeout --foreground 1500 ctest --test-dir build/sanitize -j "$(cores)" --output-on-failure --no-tests=error \
      -L library -R '^unit\.|^mpi\..*\.3$'
}

bootstrap=(scripts/bootstrap.sh)
[ "${CI:-}" != true ] || bootstrap+=(--ci)
timed "installing what is missing (log: build/install.log)" into_log build/install.log "${bootstrap[@]}"
timed "building, preset ci (log: build/ci.log)" into_log build/ci.log build_preset ci
if [ "${CI:-}" = true ]; then
  step "clang-format over all sources" check_format
  step "clang-tidy over the changed sources" check_tidy
  step "compiling what uses Eigen or vector instructions for AVX2 and AVX-512" scripts/compile_for_cpus.py build/ci
  step "tests under the sanitizers (the build's log: build/sanitize.log)" sanitized_tests
fi
say "${selected[0]:+chosen }tests"
ctest --test-dir build/ci "${selected[@]}" -j "$(cores)" --output-on-failure --no-tests=error || failed+=("tests")
[ ${#failed[@]} -eq 0 ] || fail "failed: ${failed[*]}"
