#!/usr/bin/env bash
# Resolves the dependencies for every platform, with hashes, and rewrites environment.yml from the result.
set -euo pipefail
cd "$(dirname "$0")/.."
uv=$(command -v uv || echo .tools/uv/bin/uv)
flags=(--quiet --upgrade --universal --python-version 3.12 --generate-hashes --no-annotate --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" "$@")
"$uv" pip compile pyproject.toml --output-file requirements.lock "${flags[@]}"
"$uv" pip compile pyproject.toml --group dev --constraint requirements.lock --output-file requirements-dev.lock "${flags[@]}"
SOJOURN_ROOT=$PWD .venv/bin/sojourn environment > environment.yml.new
mv environment.yml.new environment.yml
