#!/usr/bin/env bash
# usage: scripts/bootstrap.sh [--ci]
#
# Installs what building and testing Cohort needs and this machine lacks, by the package names of Debian 12, and Arrow C++
# into build/pyarrow. Says what it installs; does nothing where nothing is missing.
#
#   --ci    also what scripts/test.sh runs under CI=true: clang-format, clang-tidy, Slurm for the test of its script,
#           Chromium for that of the report, pandas for that of the readers, scipy for the peers
set -euo pipefail
source "$(dirname "$0")/common.sh"

packages=(
  build-essential cmake ninja-build ccache pkg-config git
  libopenmpi-dev openmpi-bin libboost-mpi-dev libboost-serialization-dev
  libmetis-dev libeigen3-dev libhdf5-openmpi-dev zlib1g-dev libbz2-dev liblzma-dev libzstd-dev libsimdjson-dev libdeflate-dev libssl-dev libhwy-dev
  libcli11-dev libtomlplusplus-dev libspdlog-dev libfmt-dev nlohmann-json3-dev
  libgtest-dev libgmock-dev python3-venv python3-h5py python3-numpy python3-matplotlib python3-jinja2
)
while [ $# -gt 0 ]; do
  case $1 in
    --ci)
      packages+=(clang-format clang-tidy libomp-dev slurmctld slurmd munge chromium chromium-driver python3-selenium
        python3-pandas python3-scipy bzip2 xz-utils zstd)
      ;;
    -h | --help) help && exit ;;
    *) fail "unknown argument $1; see scripts/bootstrap.sh --help" ;;
  esac
  shift
done

command -v dpkg-query >/dev/null && command -v apt-get >/dev/null ||
  fail "this is no Debian or Ubuntu: install what these packages hold by other means, then run cmake: ${packages[*]}"

# Arrow C++, which reads Parquet and which Debian 12 has not: the libraries inside the Python package pyarrow, in an
# environment of their own where CMake looks for them. A build without them reads all else, and says so.
provide_arrow() {
  [ ! -e build/pyarrow/done ] || return 0
  ! pkg-config --exists parquet || return 0
  say "installing pyarrow into build/pyarrow, for Parquet files"
  if python3 -m venv build/pyarrow && build/pyarrow/bin/pip install -q --only-binary :all: 'pyarrow>=14'; then
    touch build/pyarrow/done
  else
    say "pyarrow cannot be installed: this build will not read Parquet files"
  fi
}

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
  say "all ${#packages[@]} packages are there"
  provide_arrow
  exit
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  # Where nobody can type a password, sudo must do without.
  { [ -t 0 ] && command -v sudo || sudo -n true; } >/dev/null 2>&1 ||
    fail "installing needs root or sudo; ask for: apt-get install ${missing[*]}"
  as_root=(sudo)
fi

say "installing ${missing[*]}"
for attempt in 1 2 3; do
  "${as_root[@]}" apt-get update -q && break
  [ "$attempt" -lt 3 ] || fail "apt-get update failed three times; is the network there?"
  say "apt-get update failed; again in $((5 * attempt)) s"
  sleep $((5 * attempt))
done
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
provide_arrow
