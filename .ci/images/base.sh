# Owns the base image. If AWS's own image is not available, a stand-in takes its name: Debian's root and
# Python with AWS's real runtime client and interface emulator. Containers of an isolated engine reach no
# package index, so the stand-in contains the packages of the locks.

stand_in=''

base_name() { sed -n 's/^ARG BASE_IMAGE=//p' functions/Dockerfile; }

provide_base() { # FOLDER
  local name
  name=$(base_name)
  [[ -n $name ]] || fail "functions/Dockerfile does not name a BASE_IMAGE"
  if docker pull --quiet "$name" >&2; then
    say "base: AWS's own $name"
    return
  fi
  if docker image inspect "$name" >/dev/null 2>&1; then
    say "base: $name, from the engine's own images"
    return
  fi
  say "base: $name is not available here, making a stand-in"
  make_stand_in "$name" "$1"
}

remove_base() { [[ -z $stand_in ]] || docker image rm "$stand_in" >/dev/null 2>&1 || true; }

make_stand_in() { # NAME FOLDER
  local name=$1 root=$2/root version=${1##*:} suite machine rie
  case $version in
  3.13*) suite=trixie version=3.13 ;;
  *) fail "there is no stand-in for $name: add Debian's suite with Python $version to .ci/images/base.sh" ;;
  esac
  ((EUID == 0)) || fail "only root can make a stand-in for $name"
  provide mmdebstrap mmdebstrap
  make_root "$suite" "$root"
  inside "$root" "/usr/bin/python$version" -m venv /var/lang
  fetch_packages "$root"
  inside "$root" python3 -m pip install --quiet --no-index --find-links /opt/wheelhouse --require-hashes \
    -r /tmp/base-requirements.txt
  machine=$(uname -m)
  rie=$(.venv-sam/bin/python -c 'import pathlib, samcli; print(pathlib.Path(samcli.__file__).parent / "local/rapid")')
  install -D -m 755 "$rie/aws-lambda-rie-${machine/aarch64/arm64}" "$root/usr/local/bin/aws-lambda-rie"
  install -D -m 755 .ci/images/bootstrap.sh "$root/var/runtime/bootstrap"
  install -D -m 755 .ci/images/entrypoint.sh "$root/lambda-entrypoint.sh"
  mkdir -p "$root/var/task"
  rm -rf "$root"/tmp/* "$root/root/.cache" "$root/etc/resolv.conf" "$root/etc/apt/apt.conf.d/99mmdebstrap"
  printf '[global]\nno-index = true\nfind-links = /opt/wheelhouse\n' >"$root/etc/pip.conf"
  tar -C "$root" --numeric-owner --exclude='./dev/*' --exclude='./proc/*' --exclude='./sys/*' -c . |
    docker import \
      -c 'ENV PATH=/var/lang/bin:/usr/local/bin:/usr/bin:/bin:/opt/bin' -c 'ENV LANG=C.UTF-8' \
      -c 'ENV LAMBDA_TASK_ROOT=/var/task' -c 'ENV LAMBDA_RUNTIME_DIR=/var/runtime' \
      -c "ENV AWS_EXECUTION_ENV=AWS_Lambda_python$version" \
      -c 'WORKDIR /var/task' -c 'ENTRYPOINT ["/lambda-entrypoint.sh"]' - "$name" >/dev/null
  stand_in=$name
  rm -rf "$root"
}

# Makes Debian's root from this machine's mirror, with this machine's apt settings.
make_root() { # SUITE ROOT
  local mirror settings=$2.apt.conf
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | head -n 1)
  [[ -n $mirror ]] || fail "apt has no Debian mirror"
  { apt-config dump Acquire::http; apt-config dump Acquire::https; echo 'Acquire::Retries "3";'; } >"$settings"
  again 3 fresh_root "$1" "$2" "$mirror" "$settings" || fail "mmdebstrap failed; see its message above"
}

fresh_root() {
  rm -rf "$2"
  mmdebstrap --quiet --mode=root --variant=apt --include=python3,python3-venv,ca-certificates \
    --aptopt="$4" --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' "$1" "$2" "$3" >&2
}

inside() { # ROOT COMMAND…, with this machine's proxies
  local root=$1 name kept=()
  shift
  for name in HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy; do
    [[ -z ${!name:-} ]] || kept+=("$name=${!name}")
  done
  chroot "$root" /usr/bin/env -i PATH=/var/lang/bin:/usr/bin:/bin HOME=/root PIP_CONFIG_FILE=/tmp/pip.conf \
    PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore "${kept[@]}" "$@"
}

# Downloads the locked packages that the image's own pip chooses; sources stay sources.
fetch_packages() { # ROOT
  local root=$1 lock step arguments=()
  cp /etc/resolv.conf "$root/etc/resolv.conf"
  .venv-sam/bin/python .ci/images/pip_settings.py "$root/tmp" /tmp
  cp .ci/images/base-requirements.txt functions/requirements-build.txt "$root/tmp/"
  for lock in functions/*/requirements.txt; do
    step=$(basename "$(dirname "$lock")")
    cp "$lock" "$root/tmp/$step.txt"
    arguments+=(-r "/tmp/$step.txt")
  done
  inside "$root" python3 -m venv /tmp/build
  again 3 inside "$root" /tmp/build/bin/python -m pip install --quiet --require-hashes -r /tmp/requirements-build.txt &&
    again 3 inside "$root" /tmp/build/bin/python -m pip download --quiet --no-deps --no-build-isolation --require-hashes \
      --dest /opt/wheelhouse -r /tmp/base-requirements.txt -r /tmp/requirements-build.txt "${arguments[@]}" ||
    fail "pip could not fetch the packages of the locks; see its message above"
}
