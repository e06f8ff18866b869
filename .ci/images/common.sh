# Owns the functions that the scripts here share: messages, failures and retries.

say() { echo "== [${SECONDS}s] $*" >&2; }

fail() {
  echo "test-images: $*" >&2
  exit 1
}

# A download can fail once, so `again 3 command…` runs a command up to three times.
again() {
  local attempts=$1 attempt=1
  shift
  until "$@"; do
    ((attempt < attempts)) || return 1
    say "trying again ($attempt of $((attempts - 1))): $1"
    sleep $((attempt * 5))
    attempt=$((attempt + 1))
  done
}

# Installs the Debian packages of the given commands if a command is missing.
provide() {
  local packages=$1 command missing=
  shift
  for command in "$@"; do
    PATH=$PATH:/usr/sbin:/sbin command -v "$command" >/dev/null || missing="$missing $command"
  done
  [[ -z $missing ]] && return
  command -v apt-get >/dev/null || fail "needs$missing: install them, because there is no apt-get here"
  ((EUID == 0)) || fail "needs$missing: run as root, or install the packages $packages"
  say "apt:$missing"
  export DEBIAN_FRONTEND=noninteractive
  local options=(-qq -o Acquire::Retries=3 -o DPkg::Lock::Timeout=120)
  again 3 apt-get "${options[@]}" update >/dev/null || fail "apt-get update failed; see its message above"
  # shellcheck disable=SC2086 # a list of names
  again 3 apt-get "${options[@]}" install --yes --no-install-recommends $packages >/dev/null </dev/null ||
    fail "apt-get could not install $packages; see its message above"
}
