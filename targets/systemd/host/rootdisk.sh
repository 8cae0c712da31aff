# The machine's own disk, where the stack has made it: once that has grown, the partition and the file system on / grow with it, in
# use. The images do so by themselves at a boot alone (cloud-init, "Growpart" and "Resizefs"), and nobody boots a machine for that.

ROOT_MOUNT=${ROOT:-/}
ROOT_BLOCK='' ROOT_SIZES=''

# root_disk: before all that needs space, as a disk that is full is what is grown.
root_disk() {
  [[ -n $ROOT_GIB ]] && measure_root || return 0
  local known=''
  [[ ! -r $ROOT/run/homeport/root-disk ]] || read -r known <"$ROOT/run/homeport/root-disk" || true
  [[ $known == "$ROOT_SIZES" ]] || with_host grow_root
}

# measure_root: its block device's folder in ROOT_BLOCK; its number and the sectors of disk and partition in ROOT_SIZES, without a
# process. Fails where / is no disk's whole file system, as in a container: a part of another's isn't this machine's to grow.
measure_root() {
  local number='' device folder point disk size
  while read -r _ _ device folder point _; do
    [[ $point != "$ROOT_MOUNT" ]] || { number='' && [[ $folder != / ]] || number=$device; }
  done <"$ROOT/proc/self/mountinfo"
  ROOT_BLOCK=$ROOT/sys/dev/block/$number
  [[ -n $number && -r $ROOT_BLOCK/size ]] || return 1
  read -r size <"$ROOT_BLOCK/size"
  disk=$size
  [[ ! -e $ROOT_BLOCK/partition ]] || read -r disk <"$ROOT_BLOCK/../size"
  ROOT_SIZES="$number $disk $size"
}

# sectors_of_root: those of the disk in REPLY; a sector of sysfs has 512 bytes whatever the disk's own.
sectors_of_root() { read -r _ REPLY _ <<<"$ROOT_SIZES"; }

# device_name <folder of sysfs>: its path in REPLY.
device_name() {
  local line
  while IFS= read -r line; do [[ $line != DEVNAME=* ]] || REPLY=/dev/${line#*=}; done <"$1/uevent"
}

grow_root() {
  local turn
  # A machine hears of its disk's new size a moment after AWS's API tells of it.
  for ((turn = 0; turn < ${HOMEPORT_ROOT_SECONDS:-60}; turn++)); do
    sectors_of_root
    ((REPLY < ROOT_GIB * 2097152)) || break
    pause 1
    measure_root
  done
  sectors_of_root
  ((REPLY >= ROOT_GIB * 2097152)) || fail "The machine's own disk is smaller than it should be." \
    "It has $((REPLY / 2048)) MiB, and is to have $ROOT_GIB GiB." \
    "see how far it is: aws ec2 describe-volumes-modifications; then deploy again"
  [[ ! -e $ROOT_BLOCK/partition ]] || grow_partition
  grow_root_system
  put "$ROOT/run/homeport/root-disk" "$ROOT_SIZES"
}

# grow_partition: over what is free behind it.
grow_partition() {
  local part disk start size total log=$STAGE/growpart.log
  read -r part <"$ROOT_BLOCK/partition"
  read -r start <"$ROOT_BLOCK/start"
  read -r _ total size <<<"$ROOT_SIZES"
  # What is left behind the last partition belongs to the partition table, or to nobody.
  ((total - start - size >= 8192)) || return 0
  read_table
  present growpart || {
    package_of growpart "$MANAGER"
    install_packages "$REPLY"
  }
  device_name "$ROOT_BLOCK/.."
  disk=$REPLY
  # It writes to a folder of its own, for which a full disk has no room.
  TMPDIR=$STAGE growpart "$disk" "$part" >"$log" 2>&1 || {
    sed 's/^/  | /' "$log" >&2
    fail "The partition of / doesn't grow with its disk." "growpart $disk $part said the lines above. All that was there is there." \
      "mend that on the host (lsblk shows the disk: what lies behind the partition keeps it from growing) and deploy again"
  }
  measure_root
}

grow_root_system() {
  local type before after device log=$STAGE/grow.log
  type=$(findmnt --noheadings --output FSTYPE --mountpoint "$ROOT_MOUNT" | tail -n 1)
  before=$(stat --file-system --format=%b "$ROOT_MOUNT")
  device_name "$ROOT_BLOCK"
  device=$REPLY
  case $type in
    xfs) xfs_growfs "$ROOT_MOUNT" >"$log" 2>&1 ;;
    ext[234]) resize2fs "$device" >"$log" 2>&1 ;;
    *)
      say "warning: the file system on / is $type, which Homeport can't grow; its disk has $ROOT_GIB GiB"
      return
      ;;
  esac || {
    sed 's/^/  | /' "$log" >&2
    fail "The file system on / doesn't grow with its disk." "The lines above say why. All that was there is there." \
      "mend that on the host (dmesg | tail) and deploy again"
  }
  after=$(stat --file-system --format=%b "$ROOT_MOUNT")
  ((after == before)) || changed "host: the file system on / has grown with its disk to $ROOT_GIB GiB"
}
