# Owns the Docker engine of the tests: the machine's own if it answers, otherwise an isolated one with
# its own socket, data and bridge. `stop_engine` removes everything that the isolated engine created.

engine_pid='' bridge='' engine_folder=''

answers() { docker version >/dev/null 2>&1; }

start_engine() { # FOLDER, which must be short, because a socket's path has a limit of about 100 characters
  if answers; then
    say "engine: this machine's own, $(docker version -f '{{.Server.Version}}')"
    [[ -n ${DOCKER_HOST:-} ]] || DOCKER_HOST=$(docker context inspect -f '{{.Endpoints.docker.Host}}')
    export DOCKER_HOST
    return
  fi
  [[ $(uname -s) == Linux ]] || fail "no Docker engine answers; start Docker and try again"
  provide "docker.io containerd runc iptables iproute2" dockerd containerd runc iptables ip docker
  if answers; then # some machines start the engine during the installation
    start_engine "$1"
    return
  fi
  ((EUID == 0)) || fail "no Docker engine answers, and only root can start one"
  engine_folder=$1
  PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH
  make_bridge
  export DOCKER_HOST=unix://$1/docker.sock DOCKER_CONFIG=$1/config
  mkdir -p "$1/config"
  setsid dockerd --data-root "$1/data" --exec-root "$1/exec" --pidfile "$1/dockerd.pid" \
    --host "$DOCKER_HOST" --containerd-namespace "$bridge" --containerd-plugins-namespace "$bridge-plugins" \
    --bridge "$bridge" --iptables=false --ip6tables=false --ip-forward=false --ip-masq=false \
    >"$1/dockerd.log" 2>&1 </dev/null &
  engine_pid=$!
  for _ in {1..120}; do
    answers && break
    kill -0 "$engine_pid" 2>/dev/null || break
    sleep 0.5
  done
  if ! answers; then
    tail -n 30 "$1/dockerd.log" >&2
    fail "dockerd does not start here; see its log above"
  fi
  say "engine: isolated, $(docker version -f '{{.Server.Version}}')"
}

# Makes a bridge with an unused name and network.
make_bridge() {
  local number
  for number in {240..254}; do
    [[ $(ip -4 route; ip -4 addr) == *" 172.31.$number."* || $(ip -4 route) == *"172.31.$number."* ]] && continue
    ip link add name "at-ci-$number" type bridge 2>/dev/null || continue
    bridge=at-ci-$number
    ip addr add "172.31.$number.1/24" dev "$bridge"
    ip link set "$bridge" up
    return
  done
  fail "could not make a network bridge for the engine: this needs NET_ADMIN"
}

stop_engine() {
  if [[ -n $engine_pid ]]; then
    docker ps -aq 2>/dev/null | xargs -r docker rm -f >/dev/null 2>&1 || true
    kill -TERM "$engine_pid" 2>/dev/null || true
    for _ in {1..60}; do
      kill -0 "$engine_pid" 2>/dev/null || break
      sleep 0.5
    done
    kill -KILL "$engine_pid" 2>/dev/null || true
  fi
  if [[ -n $engine_folder ]]; then
    awk -v folder="$engine_folder/" 'index($2, folder) == 1 { print $2 }' /proc/mounts | sort -r |
      while read -r place; do umount -l "$place" 2>/dev/null || true; done
  fi
  [[ -z $bridge ]] || ip link delete "$bridge" 2>/dev/null || true
  engine_pid='' bridge='' engine_folder=''
}
