#!/bin/sh
# Runs one rehearsal machine in the foreground until it powers off; a reboot inside it starts it again on the same disk.
# Usage: machine.sh FOLDER LOWER MACHINE HOSTNAME NETNS CGROUP...
set -eu
umask 022

if [ "$1" != mounted ]; then
  cd "$1"
  folder=$1 lower=$2 machine=$3 hostname=$4 netns=$5
  shift 5
  # First of all, so that everything below can be found and ended as one, however this process's parent ends.
  for group; do
    mkdir -p "$group"
    echo $$ >"$group/cgroup.procs"
  done
  # What is mounted in a mount namespace of its own goes when its last process does.
  exec unshare --mount --propagation private "$0" mounted "$folder" "$lower" "$machine" "$hostname" "$netns"
fi

shift
cd "$1"
lower=$2 machine=$3 hostname=$4 netns=$5

# systemd-nspawn leaves folders in /run/systemd/nspawn behind.
mkdir -p /run/systemd/nspawn lower root disk/upper disk/work disk/containers
mount -t tmpfs -o mode=0755 tmpfs /run/systemd/nspawn
# Paths relative to the folder: overlayfs would read a colon or a comma in a full one as its own.
mount --bind "$lower" lower
mount -t overlay -o lowerdir=lower,upperdir=disk/upper,workdir=disk/work overlay root
if [ ! -e disk/seeded ]; then
  cp -a seed/. root/
  touch disk/seeded
fi
# Podman's overlays can't lie on an overlay; they can on the file system below.
mkdir -p root/var/lib/containers
mount --bind disk/containers root/var/lib/containers
# Container images that were made for this root are shared by all hosts; see ../platform/hub.ts.
if images=$(readlink -e "${lower%/*/*}/images/${lower##*/}"); then
  mkdir -p "root/var/lib/containers/${images##*/}"
  mount --bind -o ro "$images" "root/var/lib/containers/${images##*/}"
fi

# The guest manages its own control groups by version 2 alone, and netavark sets /proc/sys/net of its own namespace.
export UNIFIED_CGROUP_HIERARCHY=1 SYSTEMD_NSPAWN_API_VFS_WRITABLE=network
while :; do
  code=0
  # Disks may come and go between boots. A path with a colon would be two to --bind; a loop device's has none.
  set --
  for link in disks/*; do
    [ -L "$link" ] || continue
    loop=$(losetup --noheadings --output NAME --associated "$(readlink "$link")" | head -n 1)
    [ -z "$loop" ] || set -- "$@" "--bind=$loop:/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_${link##*/}"
  done
  # Registering and a unit of its own would need systemd as this machine's PID 1. Exit code 133 asks for a new start.
  systemd-nspawn --quiet --directory=root --machine="$machine" --hostname="$hostname" --boot \
    --register=no --keep-unit --network-namespace-path="$netns" \
    --resolv-conf=off --timezone=off --link-journal=no --console=pipe \
    --capability=CAP_NET_ADMIN --system-call-filter='@keyring bpf' "$@" || code=$?
  [ "$code" -eq 133 ] || exit "$code"
done
