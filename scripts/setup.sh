#!/usr/bin/env bash
# Makes the environment in .venv from a lock, with everything it needs in private folders of the project.
#   scripts/setup.sh run   what the pipeline needs      scripts/setup.sh dev   that and what the tests need
set -euo pipefail
cd "$(dirname "$0")/.."
kind=${1:-run}
if [ -f .venv/.sojourn-dev ]; then kind=dev; fi  # an environment that can run the tests stays one
case "$kind" in
  run) lock=requirements.lock ;;
  dev) lock=requirements-dev.lock ;;
  *) echo "setup: '$kind' is not a kind of environment; say 'run' or 'dev'." >&2; exit 2 ;;
esac

stamp=.venv/.sojourn-$kind
wanted=$(cat pyproject.toml "$lock" scripts/setup.sh | cksum)
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && .venv/bin/python -c '' 2>/dev/null; then exit 0; fi

# A python3.12 that runs, else the interpreter .python-version selects, else one that uv may download.
is_312() { "$1" -c 'import sys, venv; sys.exit(sys.version_info[:2] != (3, 12))' >/dev/null 2>&1; }
python=""
for name in python3.12 python3 python; do
  if command -v "$name" >/dev/null && is_312 "$name"; then python=$("$name" -c 'import sys; print(sys.executable)'); break; fi
done

uv=$(command -v uv || true)
if [ -z "$uv" ]; then
  uv=.tools/uv/bin/uv
  if ! [ -x "$uv" ]; then
    echo "setup: installing uv into .tools/uv"
    python3 -m venv .tools/uv
    .tools/uv/bin/python -m pip install --quiet --disable-pip-version-check uv
  fi
fi

if ! [ -x .venv/bin/python ] || ! is_312 .venv/bin/python; then
  "$uv" venv --quiet --clear --python "${python:-3.12}" .venv || {
    echo "setup: no Python 3.12 was found and none could be downloaded; install python3.12 and run make again." >&2
    exit 1
  }
fi

echo "setup: installing $lock into .venv"
# Byte-compiled imports are three times faster; hashes are checked against the lock; the project itself comes last, without dependencies.
export UV_COMPILE_BYTECODE=1 UV_SYSTEM_CERTS=1
"$uv" pip sync --quiet --python .venv/bin/python --require-hashes "$lock"
"$uv" pip install --quiet --python .venv/bin/python --no-deps --editable .
.venv/bin/python -m compileall -q src
rm -f .venv/.sojourn-run .venv/.sojourn-dev
echo "$wanted" > "$stamp"
