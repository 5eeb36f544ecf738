# Sourced by the scripts beside it. Puts uv and this project's Python packages into the checkout, as uv.lock pins them,
# and changes nothing else on the machine. Needs bash, and either uv or a Python >= 3.9 that can make virtual environments.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

uv_version=0.13.9

say() { printf '%s\n' "scripts: $*" >&2; }

find_uv() {
  if command -v uv; then return; fi
  local private=.tools/uv/bin/uv python
  if [ ! -x "$private" ]; then
    for python in python3 python3.14 python3.13 python3.12 python3.11 python3.10 python3.9 python; do
      "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 9))' 2>/dev/null || continue
      say "installing uv $uv_version into .tools/uv"
      "$python" -m venv .tools/uv
      .tools/uv/bin/python -m pip install --quiet --disable-pip-version-check "uv==$uv_version" >&2
      break
    done
  fi
  [ -x "$private" ] || { say "needs uv, or Python >= 3.9 with the venv module (Debian: apt install python3-venv)"; exit 1; }
  printf '%s\n' "$PWD/$private"
}

PATH=$(dirname "$(find_uv)"):$PATH

# Brings .venv in line with uv.lock; further arguments choose the dependency groups.
sync_environment() {
  [ -d .venv ] || say "installing the project's Python packages into .venv"
  uv sync --quiet --locked --inexact "$@"
}
