#!/bin/sh
# Makes the Python environments that the launcher and the tests need, each from its compiled lock.
# usage: stack/bootstrap.sh app|dev|localstack|sam
set -eu
cd "$(dirname "$0")/.."

say() { printf '  … %s\n' "$*"; }
fail() { printf '\n  ✗ python environments: %s\n    what to do: %s\n' "$1" "$2" >&2; exit 1; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}

find_uv() {
    if [ -x .venvs/tools/bin/uv ]; then echo .venvs/tools/bin/uv; fi
}

install_uv() {
    command -v python3 >/dev/null 2>&1 || apt_install python3
    say 'uv, the installer of Python packages'
    log=$(mktemp)
    if ! python3 -m venv .venvs/tools >"$log" 2>&1; then
        rm -rf .venvs/tools
        apt_install python3-venv
        python3 -m venv .venvs/tools >"$log" 2>&1 || fail "python3 -m venv failed: $(tail -n 1 "$log")" 'install python3-venv'
    fi
    .venvs/tools/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
        -r requirements/uv.txt >"$log" 2>&1 || fail "uv could not be installed: $(tail -n 1 "$log")" 'check the network, then run it again'
    rm -f "$log"
}

apt_install() {
    command -v apt-get >/dev/null 2>&1 || fail "$1 is missing" "install $1 with your system's package manager"
    say "apt-get install $1"
    { as_root apt-get update && as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes "$1"; } >/dev/null 2>&1 \
        || fail "$1 is missing" "sudo apt-get install $1"
}

# uv's own search first (PATH, pyenv, its own installs); it fetches Python 3.13 where there is none.
make_environment() {
    say "$1"
    [ -x "$1/bin/python" ] || "$uv" venv --quiet --clear --python 3.13 "$1" \
        || fail 'no Python 3.13 found, and it could not be fetched' 'install Python 3.13 (pyenv install 3.13, or uv python install 3.13)'
}

install_lock() {
    "$uv" pip install --quiet --require-hashes "$@" || fail "the packages of $* could not be installed" 'check the network and the disk, then run it again'
}

uv=$(find_uv)
if [ -z "$uv" ]; then install_uv; uv=$(find_uv); fi

case "$1" in
    app | dev)
        make_environment .venvs/app
        install_lock --python .venvs/app/bin/python -r "requirements/$1.txt"
        ;;
    localstack)
        make_environment .venvs/localstack
        install_lock --python .venvs/localstack/bin/python -r requirements/localstack.txt
        "$uv" pip install --quiet --python .venvs/localstack/bin/python --no-deps --editable infra/localstack \
            || fail 'infra/localstack could not be installed' 'look at the message above'
        say '.venvs/lambda-runtime'
        install_lock --python .venvs/localstack/bin/python --target .venvs/lambda-runtime/python3.13 -r requirements/lambda-runtime.txt
        ;;
    sam)
        make_environment .venvs/sam
        install_lock --python .venvs/sam/bin/python -r requirements/sam.txt
        ;;
    *) fail "unknown environment $1" 'one of app, dev, localstack, sam' ;;
esac
touch ".venvs/.$1-ready"
