# Sourced by ./quickstart and ./check: installs what is missing, and says so. Debian 12 or what derives from it.

me=$(basename "$0")

say() { printf '%s: %s\n' "$me" "$*"; }
die() {
  printf '%s: %s\n' "$me" "$*" >&2
  exit 1
}

# What a build of feral needs; the data set is apart, since a run can do without.
build_packages="g++ cmake ninja-build libboost-dev libopenblas-dev libhwy-dev libfmt-dev libcli11-dev
  nlohmann-json3-dev zlib1g-dev libdlpack-dev"
data_package=dataset-fashion-mnist

# The packages among "$@" that are not installed.
missing_packages() {
  local package
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || echo "$package"
  done
}

# Installs the packages named in "$@" that are missing. Returns 1, having said why in one line, when it cannot.
install_packages() {
  local missing run log
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    printf '%s: no apt-get here: install the equivalents of: %s\n' "$me" "$(echo "$@")" >&2
    return 1
  fi
  missing=$(missing_packages "$@")
  [ -n "$missing" ] || return 0
  run=
  if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null; then
      printf '%s: run it as root, or install: apt-get install %s\n' "$me" "$(echo $missing)" >&2
      return 1
    fi
    run=sudo
  fi
  say "installing $(echo $missing)"
  log=$(mktemp)
  if ! { $run apt-get update -q && $run env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing; } >"$log" 2>&1 </dev/null; then
    printf '%s: could not install %s: %s (is there a network? the log is %s)\n' "$me" "$(echo $missing)" \
      "$(grep -m1 '^E:' "$log" || tail -n1 "$log")" "$log" >&2
    return 1
  fi
  rm -f "$log"
}

# Configures and builds a preset: build PRESET [TARGET…]. Silent when there is nothing to do.
build() {
  local preset=$1 log status
  shift
  log=$(mktemp)
  if [ ! -e "build/$preset/build.ninja" ]; then
    cmake --preset "$preset" >"$log" 2>&1 || { tail -n 20 "$log" >&2; rm -f "$log"; die "cmake --preset $preset failed"; }
  fi
  if [ -n "$(ninja -C "build/$preset" -n "${@:-all}" 2>/dev/null | grep -v -e 'no work to do' -e '^ninja: Entering' -e 'Re-checking globbed')" ]; then
    say "building $preset"
  fi
  status=0
  cmake --build --preset "$preset" --parallel "$(nproc)" ${1:+--target "$@"} >"$log" 2>&1 || status=$?
  if [ $status != 0 ]; then
    grep -E -A5 'error|FAILED' "$log" | head -n 40 >&2
    rm -f "$log"
    die "the build of $preset failed"
  fi
  rm -f "$log"
}
