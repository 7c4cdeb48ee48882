#!/bin/sh
# What the tests use beside Python: a Chromium (needed) and hledger (its tests are skipped without).
set -eu
cd "$(dirname "$0")/.."
exec 1>&2 </dev/null

is_root_on_debian() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

apt_install() {
    # The lists of a fresh machine are empty, those of a used one old.
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$1" >/dev/null
}

has_chromium() {
    # The names tests/support/browser.py looks for, in its order.
    for name in chromium chromium-browser google-chrome google-chrome-stable; do
        if command -v "$name" >/dev/null; then return 0; fi
    done
    return 1
}

if ! has_chromium; then
    echo "installing Chromium"
    if ! is_root_on_debian || ! apt_install chromium; then
        .venv/bin/python -m playwright install chromium
    fi
fi

if ! command -v hledger >/dev/null && is_root_on_debian; then
    echo "installing hledger"
    apt_install hledger || echo "no hledger: the tests that read the bank's journal with it are skipped"
fi
