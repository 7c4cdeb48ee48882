#!/bin/sh
# Compiles pyproject.toml into both lock files, for every Python from 3.11 and every system. What is
# locked already stays as it is where it can; delete a line (or the file) to let it move.
set -eu
cd "$(dirname "$0")/.."

compile() {
    .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-emit-find-links --no-header pyproject.toml "$@"
}

compile --output-file requirements.txt
compile --extra test --constraint requirements.txt --output-file tests/requirements.txt

# Where the packages came from is this machine's affair: a lock names packages, not hosts.
if grep -nE '^ *--(index-url|extra-index-url|find-links|trusted-host)|://' \
    requirements.txt tests/requirements.txt; then
    echo "a lock file names a package registry" >&2
    exit 1
fi
