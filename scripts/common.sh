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

cores() { nproc 2>/dev/null || getconf _NPROCESSORS_ONLN; }

# Open MPI refuses root unless told twice, and ranks that wait must yield where there are more of them than cores.
if [ "$(id -u)" -eq 0 ]; then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
export OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none

# Objects of one checkout serve another of the same sources.
export CCACHE_BASEDIR="${CCACHE_BASEDIR:-$root}" CCACHE_NOHASHDIR="${CCACHE_NOHASHDIR:-1}"

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
