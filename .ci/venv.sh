#!/bin/sh
# Usage: sh .ci/venv.sh LOCK. Makes .venv hold the packages of one lock file; a moment when it does.
# Everything said goes to stderr: the stdout of `make bench` belongs to its results.
set -eu
cd "$(dirname "$0")/.."
exec 1>&2
lock=$1

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    for python in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do
        if new_enough "$python"; then echo "$python"; return; fi
    done
    echo "the bank needs Python 3.11 or newer (PYTHON=/path/to/python make ...)" >&2
    return 1
}

if ! new_enough .venv/bin/python || ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    python=$(find_python)
    echo "making .venv with $($python --version)"
    if ! "$python" -m venv --clear .venv >/dev/null 2>&1; then
        # Debian keeps venv's pip in a package of its own.
        if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
            echo "cannot make .venv: install python3-venv first"
            exit 1
        fi
        version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        apt-get update -qq </dev/null
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "python$version-venv" </dev/null
        "$python" -m venv --clear .venv
    fi
fi

# The stamp is the checksum of the lock the packages came from. The tests' lock contains the
# bank's own, so a checkout made ready for tests is ready to run.
checksum() { sha256sum "$1" | cut -d ' ' -f 1; }
stamp() { echo ".venv/.locked-$(echo "$1" | tr '/' '-')"; }

if [ "$(cat "$(stamp "$lock")" 2>/dev/null)" = "$(checksum "$lock")" ]; then exit 0; fi

echo "installing $lock"
rm -f .venv/.locked-*
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input \
    --requirement "$lock" </dev/null
checksum "$lock" >"$(stamp "$lock")"
if [ "$lock" = tests/requirements.txt ]; then
    checksum requirements.txt >"$(stamp requirements.txt)"
fi
