# Shared by the scripts, which source it: where the checkout is, how to say things, the environment that MPI needs on
# one machine. Sourcing it changes into the checkout.

cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD

say() { printf '==> %s\n' "$*"; }
fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# The comment that opens the running script, without its marks, is its --help.
help() { sed -n '2,/^[^#]/{s/^# \{0,1\}//p;}' "scripts/$(basename "$0")"; }

# nproc would say what OMP_NUM_THREADS says.
cores() { env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc 2>/dev/null || getconf _NPROCESSORS_ONLN; }

# Open MPI refuses root unless told twice, and ranks that wait must yield where there are more of them than cores.
if [ "$(id -u)" -eq 0 ]; then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
export OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none

# Objects of one checkout serve another of the same sources.
export CCACHE_BASEDIR="${CCACHE_BASEDIR:-$root}" CCACHE_NOHASHDIR="${CCACHE_NOHASHDIR:-1}"

# timed WHAT COMMAND...: says what is begun and how long it took; fails as the command does.
timed() {
  local what=$1 start=$SECONDS status=0
  shift
  say "$what"
  "$@" || status=$?
  say "${what%% (log: *}: $([ "$status" -eq 0 ] || echo 'FAILED after ')$((SECONDS - start)) s"
  return "$status"
}

# into_log LOG COMMAND...: what the command says goes into the file LOG, but for what it says by `say`, and on a terminal
# how far the compiler is. Where it fails, the part of the log that tells why is shown, and the log's place.
into_log() {
  local log=$1 from status=0
  shift
  mkdir -p "$(dirname "$log")"
  "$@" 2>&1 | tee "$log" | show_progress || status=$?
  [ "$status" -eq 0 ] && return
  from=$(grep -n -m 1 '^FAILED: ' "$log" | cut -d : -f 1) || from=$(($(wc -l <"$log") - 39))
  tail -n "+$((from > 1 ? from : 1))" "$log" | head -n 80 >&2
  printf 'error: %s failed; all that it said is in %s\n' "$*" "$log" >&2
  return "$status"
}

show_progress() {
  local line
  while IFS= read -r line; do
    case $line in
      '==> '*) printf '%s\n' "$line" ;;
      '['*/*']'*) [ ! -t 1 ] || printf '\r    %s ' "${line%%]*}]" ;;
    esac
  done
  [ ! -t 1 ] || printf '\r\033[K'
}

# Configures and builds one preset: build_preset NAME [cmake options...] [-- build options...]
build_preset() {
  local preset=$1
  shift
  local configure=()
  while [ $# -gt 0 ] && [ "$1" != -- ]; do
    configure+=("$1")
    shift
  done
  [ $# -gt 0 ] && shift
  cmake --preset "$preset" "${configure[@]}" &&
    cmake --build --preset "$preset" -j "$(cores)" "$@"
}
