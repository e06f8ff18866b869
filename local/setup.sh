#!/bin/sh
# Owns the set-up of .venv from the hashed locks: `sh local/setup.sh run` installs what the run
# needs, `sh local/setup.sh test` also what the tests and checks need. Done already, it only compares.
# PYTHON=python3.12 chooses the interpreter; without it the first fitting one on PATH is taken.
set -u
cd "$(dirname "$0")/.." || exit 1
kind=${1:?usage: setup.sh run|test}
venv=.venv
build_lock=functions/requirements-build.txt
run_lock=local/requirements.txt
test_lock=tests/requirements.txt
no_deps_lock=tests/requirements-no-deps.txt
attempts=3

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

# Prints the interpreter to use, or says in one line what is missing.
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
        fail "$without_venv ($version) lacks the venv module;" \
            "on Debian or Ubuntu: sudo apt-get install python$version-venv"
    fi
    found=$(version_of "$1")
    fail "needs Python 3.11 to 3.13, but $1 is ${found:-not there};" \
        "install one, or name it: make run PYTHON=/path/to/python3.12"
}

# Names all that the environment was made from; as long as it is the same, nothing is to be done.
fingerprint() {
    { pwd && cat local/setup.sh "$@"; } | cksum
}

ready() {
    [ -x "$venv/bin/python" ] && [ -x "$venv/bin/algo-trader" ] || return 1
    stamp=$venv/.algo-trader-$1
    shift
    [ "$(cat "$stamp" 2>/dev/null)" = "$(fingerprint "$@")" ] && fits
}

# A download may hiccup: each install is tried again, and goes on from what pip has cached.
install() {
    attempt=1
    until "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --compile \
        --no-build-isolation --require-hashes "$@"; do
        [ "$attempt" -lt "$attempts" ] || fail "could not install what .venv needs; see pip's message above"
        echo "algo-trader: trying again ($attempt of $((attempts - 1)))" >&2
        sleep $((attempt * 5))
        attempt=$((attempt + 1))
    done
}

# Keeps an environment that still fits; one of another Python, or moved here, is made again.
make_venv() {
    if fits && "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
        return
    fi
    python=$(choose_python) || exit 1
    fits || clear=--clear
    "$python" -m venv ${clear:-} "$venv" || fail "$python could not make $venv; see its message above"
    pwd >"$venv/.algo-trader-home"
}

fits() {
    in_range "$venv/bin/python" || return 1
    [ "$(cat "$venv/.algo-trader-home" 2>/dev/null || pwd)" = "$(pwd)" ] || return 1
    [ -z "${PYTHON:-}" ] || [ "$(version_of "$PYTHON")" = "$(version_of "$venv/bin/python")" ]
}

# Writes the command. The import roots are its own and not the environment's: a function that runs
# from another folder must never meet a step of this one.
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
    make_venv
    rm -f "$venv/.algo-trader-$name"
    echo "algo-trader: setting up .venv for $name; this happens once and takes about a minute" >&2
    export PIP_USER=0 # a user's own default of --user would break an install into .venv
    for lock in "$@"; do
        case $lock in
        "$no_deps_lock") install --no-deps -r "$lock" ;;
        *) install -r "$lock" ;;
        esac
    done
    write_command
    fingerprint "$@" >"$venv/.algo-trader-$name"
}

set_up run "$build_lock" "$run_lock"
case $kind in
run) ;;
test) set_up test "$test_lock" "$no_deps_lock" ;;
*) fail "unknown set-up: $kind" ;;
esac
