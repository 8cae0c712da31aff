# Runs in a host, by bash: starts a Docker Engine API on $address:$port, unless it runs, and makes the registries in $registries,
# pairs of NAME=HOST:PORT, reachable by their own names.
set -eu
mkdir -p /etc/containers/registries.conf.d /etc/containers/containers.conf.d
: >/etc/containers/registries.conf.d/docker-engine.conf.part
last=1
for pair in $registries; do
  name=${pair%%=*} at=${pair#*=} last=$((last + 1))
  # Plain HTTP has port 80 of an address of the name's own.
  grep -q " $name\$" /etc/hosts || echo "127.0.0.$last $name" >>/etc/hosts
  own=$(sed -n "s/^\(127\.0\.0\.[0-9]*\) $name\$/\1/p" /etc/hosts)
  printf '[[registry]]\nlocation = "%s"\ninsecure = true\n' "$name" >>/etc/containers/registries.conf.d/docker-engine.conf.part
  systemctl --quiet is-active "registry-$name" ||
    systemd-run --quiet --collect --unit="registry-$name" --property=Restart=always \
      socat "TCP-LISTEN:80,bind=$own,fork,reuseaddr" "TCP:$at"
done
mv /etc/containers/registries.conf.d/docker-engine.conf.part /etc/containers/registries.conf.d/docker-engine.conf
# Builds ask for more open files and processes than the host itself may have.
printf '[containers]\ndefault_ulimits = ["nofile=%s:%s", "nproc=%s:%s"]\n' \
  "$(ulimit -Sn)" "$(ulimit -Hn)" "$(ulimit -Su)" "$(ulimit -Hu)" >/etc/containers/containers.conf.d/docker-engine.conf
systemctl --quiet is-active docker-engine ||
  systemd-run --quiet --collect --unit=docker-engine --property=Restart=always --property=Delegate=yes --property=TasksMax=infinity \
    podman system service --time=0 "tcp://$address:$port"
for _ in $(seq 100); do
  curl --silent --fail --output /dev/null "http://$address:$port/_ping" && exit 0
  sleep 0.1
done
journalctl --unit=docker-engine --no-pager --lines=20 >&2
exit 1
