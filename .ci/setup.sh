#!/usr/bin/env bash
# Set up .venv and the system libraries.  Usage: .ci/setup.sh demo|viewer|dev
#   demo  what the pipelines need; viewer  what a window needs, too; dev  the tests and linters as well
# Environment: PYTHON    interpreter to use (default: the first of 3.11 to 3.13 found)
#              PIP_ARGS  further arguments for pip install (an index with CPU builds of torch, for instance)
# Nothing is done again unless pyproject.toml, constraints.txt, the Python, PIP_ARGS or this folder has changed.
set -euo pipefail
cd "$(dirname "$0")/.."

kind=${1:?usage: .ci/setup.sh demo|viewer|dev}
case $kind in
  demo) target=. libraries=offscreen ;;
  viewer) kind=demo target=. libraries=window ;; # the same Python packages
  dev) target='.[dev]' libraries=tests ;;
  *) echo "usage: .ci/setup.sh demo|viewer|dev" >&2; exit 2 ;;
esac

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: error: %s\n' "$*" >&2; exit 1; }

# Run a command; show what it printed only if it fails.
quietly() {
  local printed
  printed=$("$@" 2>&1 </dev/null) || { printf '%s\n' "$printed" >&2; return 1; }
}

# Install Debian packages, or say how to. The version of apt-get decides on renamed ones (libglib2.0-0t64) by itself.
apt_install() {
  local sudo=()
  if [ "$(id -u)" != 0 ]; then
    sudo -n true 2>/dev/null || fail "system packages are missing. Type: sudo apt-get install $*"
    sudo=(sudo -n)
  fi
  say "installing system packages: $*"
  quietly "${sudo[@]}" apt-get update -qq || say "apt-get update failed; trying with the package lists at hand"
  quietly "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@" ||
    fail "apt-get could not install the system packages. Type: sudo apt-get update && sudo apt-get install $*"
}

find_python() {
  local candidate
  for candidate in ${PYTHON:-python3 python3.11 python3.12 python3.13 python}; do
    if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  fail "no Python 3.11, 3.12 or 3.13 found${PYTHON:+ as PYTHON=$PYTHON}; install one, or name it: make demo PYTHON=/path/to/python3.12"
}

check_libraries() {
  local packages
  packages=$("$python" cnnvis/rendering/_libraries.py "$libraries") && return
  [ -n "$packages" ] || fail "cannot check the system libraries with $python"
  if command -v apt-get >/dev/null; then
    # One word is one package.
    # shellcheck disable=SC2086
    apt_install $packages
  else
    say "rendering may not work here: $packages"
  fi
}

make_venv() {
  if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    local version
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    command -v apt-get >/dev/null || fail "$python has no ensurepip; install your system's package for venv"
    apt_install "python$version-venv"
  fi
  say "making .venv with $("$python" --version)"
  "$python" -m venv --clear .venv
}

# What an installed .venv depends on; the folder too, since a virtual environment cannot be moved.
fingerprint() {
  "$python" - "$PIP_ARGS" <<'PYTHON'
import hashlib, pathlib, sys

digest = hashlib.sha256(repr((sys.version_info[:2], sys.argv[1], str(pathlib.Path.cwd()))).encode())
for name in ("pyproject.toml", "constraints.txt"):
    digest.update(pathlib.Path(name).read_bytes())
print(digest.hexdigest())
PYTHON
}

is_installed() { # with the tests' extra, the plain install is there too
  local stamp
  .venv/bin/python -c pass 2>/dev/null || return
  for stamp in ".venv/.installed-$kind" .venv/.installed-dev; do
    [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && return
  done
  return 1
}

install() {
  # A marker left behind means that pip was killed in the middle: what it left cannot be trusted.
  if [ -e .venv/.installing ] || ! .venv/bin/python -c 'import pip' 2>/dev/null || ! same_python; then
    make_venv
  fi
  rm -f .venv/.installed-*
  touch .venv/.installing
  say "installing cnnvis and its pinned requirements (minutes the first time)"
  # PIP_ARGS holds several words.
  # shellcheck disable=SC2086
  .venv/bin/python -m pip install --quiet --disable-pip-version-check $PIP_ARGS -c constraints.txt -e "$target" ||
    fail "pip could not install the requirements; its message stands above"
  printf '%s\n' "$wanted" >".venv/.installed-$kind"
  rm .venv/.installing
}

same_python() {
  local show='import sys; print(sys.version_info[:2])'
  [ "$(.venv/bin/python -c "$show")" = "$("$python" -c "$show")" ]
}

PIP_ARGS=${PIP_ARGS:-}
python=$(find_python)
check_libraries
wanted=$(fingerprint)
is_installed || install
