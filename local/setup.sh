#!/bin/sh
# Owns the setup of .venv from the hashed locks. `sh local/setup.sh run` installs what a run needs;
# `sh local/setup.sh test` adds what the tests and checks need. If .venv is up to date, it does nothing.
# PYTHON=python3.12 chooses the interpreter. By default, the script takes the first suitable one on PATH.
set -u
cd "$(dirname "$0")/.." || exit 1
kind=${1:?usage: setup.sh run|test}
venv=.venv
build_lock=functions/requirements-build.txt
run_lock=local/requirements.txt
test_lock=tests/requirements.txt
no_deps_lock=tests/requirements-no-deps.txt
attempts=3
pip_failed=pip-failed

fail() {
    echo "algo-trader: $*" >&2
    exit 1
}

in_range() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

has_venv() {
    "$1" -c 'import ensurepip, venv' 2>/dev/null
}

version_of() {
    "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null
}

# Prints the interpreter to use, or fails with one line that says what is missing.
choose_python() {
    if [ -n "${PYTHON:-}" ]; then
        set -- "$PYTHON"
    else
        set -- python3 python3.13 python3.12 python3.11
    fi
    without_venv=
    for candidate in "$@"; do
        in_range "$candidate" || continue
        if has_venv "$candidate"; then
            echo "$candidate"
            return
        fi
        without_venv=${without_venv:-$candidate}
    done
    if [ -n "$without_venv" ]; then
        version=$(version_of "$without_venv")
        fail "$without_venv ($version) lacks the venv module." \
            "On Debian or Ubuntu: sudo apt-get install python$version-venv"
    fi
    found=$(version_of "$1")
    fail "needs Python 3.11 to 3.13, but $1 is ${found:-missing}." \
        "Install one, or name it: make run PYTHON=/path/to/python3.12"
}

# Prints a checksum of what the environment was made from; while it matches, .venv is up to date.
fingerprint() {
    { pwd && cat local/setup.sh "$@"; } | cksum
}

ready() {
    [ -x "$venv/bin/python" ] && [ -x "$venv/bin/algo-trader" ] || return 1
    stamp=$venv/.algo-trader-$1
    shift
    [ "$(cat "$stamp" 2>/dev/null)" = "$(fingerprint "$@")" ] && fits
}

# Prints how many packages a lock has.
count_packages() {
    count=0
    while read -r line; do
        case $line in
        [a-z0-9]*==*) count=$((count + 1)) ;;
        esac
    done <"$1"
    echo "$count"
}

# Shows pip's progress: each package on a terminal, otherwise only the phases.
show_progress() {
    total=$1
    seen=0
    new=0
    broken=0
    [ -t 2 ] || echo "  $total packages: downloading the missing ones" >&2
    while read -r line; do
        case $line in
        "Collecting "*)
            seen=$((seen + 1))
            new=$((new + 1))
            package=${line#Collecting }
            show_briefly "downloading package $seen of $total: ${package%%[!a-zA-Z0-9._-]*}"
            ;;
        "Ignoring "* | "Requirement already satisfied: "*)
            seen=$((seen + 1))
            ;;
        "Building wheel for "*)
            show_briefly "building ${line#Building wheel for }"
            ;;
        "Installing collected packages: "*)
            show_briefly ""
            echo "  installing $new of them" >&2
            ;;
        "$pip_failed")
            show_briefly ""
            broken=1
            ;;
        esac
    done
    return "$broken"
}

# On a terminal, writes a line that the next one replaces.
show_briefly() {
    [ ! -t 2 ] || printf '  %-70.70s\r' "$1" >&2
}

# Retries an install, because a download can fail; pip reuses what it has cached.
install() {
    attempt=1
    total=$1
    shift
    until { "$venv/bin/python" -m pip install --disable-pip-version-check --progress-bar off \
        --compile --no-build-isolation --require-hashes "$@" || echo "$pip_failed"; } |
        show_progress "$total"; do
        [ "$attempt" -lt "$attempts" ] || fail "could not install what .venv needs; see pip's message above"
        echo "algo-trader: trying again ($attempt of $((attempts - 1)))" >&2
        sleep $((attempt * 5))
        attempt=$((attempt + 1))
    done
}

# Keeps an environment that still fits; replaces one that was moved or has another Python.
make_venv() {
    python=
    if ! fits || ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
        python=$(choose_python) || exit 1
    fi
    echo "algo-trader: setting up .venv for $name; this takes about a minute, once" >&2
    [ -n "$python" ] || return 0
    echo "  creating the environment with $python" >&2
    fits || clear=--clear
    "$python" -m venv ${clear:-} "$venv" || fail "$python could not make $venv; see its message above"
    pwd >"$venv/.algo-trader-home"
}

fits() {
    in_range "$venv/bin/python" || return 1
    [ "$(cat "$venv/.algo-trader-home" 2>/dev/null || pwd)" = "$(pwd)" ] || return 1
    [ -z "${PYTHON:-}" ] || [ "$(version_of "$PYTHON")" = "$(version_of "$venv/bin/python")" ]
}

# Writes the command, which has its own import roots. They are not the environment's, because a
# function that runs from another folder must not import this checkout's steps.
write_command() {
    "$venv/bin/python" - <<'PYTHON' || fail "could not write .venv/bin/algo-trader"
import pathlib, shlex, sys

root = pathlib.Path.cwd()
command = pathlib.Path(sys.prefix, "bin", "algo-trader")
start = f"""import sys
sys.path[:0] = {[str(root), str(root / "functions")]!r}
sys.argv[0] = "algo-trader"
from local.cli import main
sys.exit(main())"""
python = shlex.quote(str(pathlib.Path(sys.prefix, "bin", "python")))
command.write_text(f'#!/bin/sh\nexec {python} -P -c {shlex.quote(start)} "$@"\n', encoding="utf-8")
command.chmod(0o755)
PYTHON
}

set_up() {
    name=$1
    shift
    ready "$name" "$@" && return
    began=$(date +%s)
    make_venv
    rm -f "$venv/.algo-trader-$name"
    export PIP_USER=0 # a user's default of --user would break an install into .venv
    for lock in "$@"; do
        total=$(count_packages "$lock")
        case $lock in
        "$no_deps_lock") install "$total" --no-deps -r "$lock" ;;
        *) install "$total" -r "$lock" ;;
        esac
    done
    write_command
    fingerprint "$@" >"$venv/.algo-trader-$name"
    echo "algo-trader: .venv is ready for $name after $(($(date +%s) - began)) s" >&2
}

set_up run "$build_lock" "$run_lock"
case $kind in
run) ;;
test) set_up test "$test_lock" "$no_deps_lock" ;;
*) fail "unknown setup: $kind" ;;
esac
