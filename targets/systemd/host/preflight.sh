# What must be true of a host before it is touched.

# preflight: names the package manager (MANAGER) and refuses hosts that can't work.
preflight() {
  ((EUID == 0)) || fail "The deploy doesn't run as root." "The SSH user is neither root nor may use sudo." \
    "connect as root, or as a user whom sudo asks for no password"
  [[ -d $ROOT/run/systemd/system ]] || fail "This host doesn't run systemd." \
    "/run/systemd/system isn't there." "choose a host whose first process is systemd"
  find_manager
  check_clock
}

# find_manager: apt or dnf in MANAGER, from os-release.
find_manager() {
  local line like='' pretty=''
  while IFS= read -r line; do
    line=${line//\"/}
    case $line in
      ID=* | ID_LIKE=*) like+=" ${line#*=} " ;;
      PRETTY_NAME=*) pretty=${line#*=} ;;
    esac
  done <"$ROOT/etc/os-release"
  case $like in
    *' debian '* | *' ubuntu '*) MANAGER=apt ;;
    *' amzn '* | *' fedora '* | *' rhel '*) MANAGER=dnf ;;
    *) fail "${pretty:-This system} isn't supported." "Packages come from apt or dnf." \
      "use Debian 12 or newer, Ubuntu 22.04 or newer, or Amazon Linux 2023" ;;
  esac
}

# check_clock: with the deploying side's time in HOMEPORT_NOW (seconds). TLS, timers and backups need a true clock.
check_clock() {
  local here there=${HOMEPORT_NOW:-0} off
  ((there > 0)) || return 0
  printf -v here '%(%s)T' -1
  off=$((here > there ? here - there : there - here))
  ((off < 86400)) || fail "The host's clock is wrong by more than a day." "It says $(date -u)." \
    "set it (timedatectl set-ntp true) and deploy again"
  ((off < 300)) || say "warning: the host's clock differs from this side's by $off s; jobs will run at other times"
}

# check_space: room for a release, and volumes against their declared sizes.
check_space() {
  local service path size folder folders=("$ROOT/opt") index=0 need=${HOMEPORT_MIN_MIB:-200}
  local -a volumes=() names=() sizes=() frees=() totals=()
  for service in "${SERVICES[@]}"; do
    mapfile -t names <<<"${SERVICE[$service:volumes]:-}"
    mapfile -t sizes <<<"${SERVICE[$service:volume-mib]:-}"
    for index in "${!names[@]}"; do
      [[ -n ${names[index]} ]] || continue
      volume_folder "${names[index]}"
      folder=$REPLY
      [[ -d $folder ]] || folder=$ROOT/var/lib
      folders+=("$folder") volumes+=("$service ${names[index]} ${sizes[index]:-0}")
    done
  done
  while read -r size path; do
    frees+=("${size%M}") totals+=("${path%M}")
    [[ $size != Avail ]] || frees=() totals=()
  done < <(df -BM --output=avail,size -- "${folders[@]}")
  ((frees[0] >= need)) || fail "The host's disk is full." \
    "/opt has ${frees[0]} MiB free, and a deploy needs $need. What runs, runs on." \
    "free space on the host (journalctl --vacuum-size=100M, apt-get clean, old backups) and deploy again"
  index=0
  for size in "${volumes[@]}"; do
    index=$((index + 1))
    read -r service path size <<<"$size"
    # A file system keeps some of its disk for itself.
    ((size * 95 / 100 <= totals[index])) ||
      say "warning: $service's volume $path is meant to need $size MiB; its disk has ${totals[index]}, ${frees[index]} of them free"
  done
}
