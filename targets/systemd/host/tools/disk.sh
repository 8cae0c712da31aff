# shellcheck shell=bash disable=SC2154
# Part of `data-disk`: the disk itself, found by its serial number, formatted where it is blank, mounted, and grown.

# Written before a blank disk is formatted and removed after: such a disk holds nothing, however far that came.
NOTE=$STATE_ROOT/formats

# find_disk <serial>: its device in `device`; an attachment may still be under way.
find_disk() {
  local found deadline=$((SECONDS + ${HOMEPORT_DISK_SECONDS:-60})) name serial
  while :; do
    # Of NVMe disks, udev also makes a link with the number of the namespace.
    found=("$ROOT/dev/disk/by-id/"*[-_]"$1" "$ROOT/dev/disk/by-id/"*[-_]"${1}_1")
    if ((${#found[@]})); then
      device=$(readlink -f "${found[0]}")
      return
    fi
    while read -r name serial; do
      [[ $serial != "$1" ]] || {
        device=$name
        return
      }
    done < <(lsblk --nodeps --noheadings --paths --output NAME,SERIAL 2>/dev/null || true)
    ((SECONDS < deadline)) || refuse "The data disk $1 isn't attached to this machine." \
      "No disk here has that serial number (looked for ${HOMEPORT_DISK_SECONDS:-60} s)." \
      "attach it and deploy again; on the host, lsblk -o NAME,SERIAL,SIZE shows what is there"
    sleep 1
  done
}

# look_at_disk: its file system in `type`; empty where the disk is blank. Anything else is somebody's.
look_at_disk() {
  local line table='' code=0 about
  type=
  about=$(blkid --probe --output export "$device") || code=$?
  while IFS= read -r line; do
    case $line in
      TYPE=*) type=${line#*=} ;;
      PTTYPE=*) table=${line#*=} ;;
    esac
  done <<<"$about"
  case $code:$type:$table in
    0:ext4: | 0:xfs:) return ;;
    2::)
      if formatting || { [[ -z $(wipefs --noheadings --no-act "$device" 2>&1) ]] && cmp --silent --bytes=1048576 "$device" /dev/zero; }; then return; fi
      about="something that isn't known"
      ;;
    *) about="${table:+a partition table ($table)}${type:+${table:+, }$type}" ;;
  esac
  refuse "The data disk $serial isn't used: it is neither blank nor has a file system of its own." \
    "$device holds ${about:-more than one thing}, which may be somebody's data." \
    "choose another disk, or, if nothing on it is needed, empty it: wipefs --all $device && dd if=/dev/zero of=$device bs=1M count=1"
}

formatting() { [[ -r $NOTE && $(<"$NOTE") == "$serial" ]]; }

format() {
  mkdir -p "${NOTE%/*}"
  say "$serial" | write_file "$NOTE"
  # xfs is Amazon Linux's own choice, and grows while it is in use.
  mkfs.xfs -q -f -L homeport "$device" || refuse "The data disk $serial can't be formatted." \
    "mkfs.xfs $device failed; it was blank." "see the lines above"
  type=xfs
  say "data disk $serial: new file system on $device"
}

# Where something of the disk is mounted, and what: lines `<device number> <folder of the disk> <mount point>`.
mounts() {
  local number folder point
  while read -r _ _ number folder point _; do
    [[ $number != "$1" ]] || say "$number $folder $point"
  done <"$ROOT/proc/self/mountinfo"
}
# number_at <path>: number of the device mounted right there, nothing where none is.
number_at() {
  local number point result=
  while read -r _ _ number _ point _; do [[ $point != "$1" ]] || result=$number; done <"$ROOT/proc/self/mountinfo"
  say "$result"
}

# mount_disk <serial> <format or nothing>
mount_disk() {
  local serial=$1 device type number known=
  number=$(number_at "$MOUNT")
  [[ ! -r $RUN/data-disk ]] || read -r known _ <"$RUN/data-disk" || true
  if [[ -n $number && -n $known && $known != "$serial" ]]; then
    refuse "Another data disk is mounted: $known." "This machine is to have $serial." \
      "stop what uses it, unmount it (systemctl stop homeport-data.service; $TOOLS/data-disk release) and deploy again"
  fi
  find_disk "$serial"
  if [[ -z $number ]]; then
    look_at_disk
    if [[ -z $type ]]; then
      [[ ${2:-} == format ]] || refuse "The data disk $serial is blank." "It held this machine's data, or was never used." \
        "attach the right one, or deploy again, which makes a file system on it"
      format
    fi
    check_disk
    install -d -m 700 "$MOUNT"
    if ! mount -t "$type" -o nosuid,nodev "$device" "$MOUNT"; then
      formatting || refuse "The data disk $serial can't be mounted." "mount $device failed with the lines above." \
        "see on the host: dmesg | tail; e2fsck -f $device or xfs_repair $device mend a file system"
      format
      mount -t "$type" -o nosuid,nodev "$device" "$MOUNT"
    fi
    rm -f "$NOTE"
    chmod 700 "$MOUNT"
  else
    type=$(findmnt --noheadings --output FSTYPE --mountpoint "$MOUNT" | tail -n 1)
  fi
  grow_disk
}

# What a power cut has left is mended before it is mounted; a clean file system takes no time. xfs does so by itself.
check_disk() {
  local code=0
  [[ $type == ext4 ]] || return 0
  formatting || e2fsck -p "$device" >/dev/null 2>&1 || code=$?
  ((code < 4)) || refuse "The file system of the data disk $serial is damaged." "e2fsck -p $device ended with code $code." \
    "make a snapshot of it, then on the host: e2fsck -f $device; deploy again"
}

# grow_disk: the file system fills the disk, also once that has grown. What it was is remembered until the next boot.
grow_disk() {
  local number size
  number=$(number_at "$MOUNT")
  size=$(<"$ROOT/sys/dev/block/$number/size")
  mkdir -p "$RUN"
  [[ ! -r $RUN/data-disk || $(<"$RUN/data-disk") != "$serial $number $size" ]] || return 0
  if [[ $type == xfs ]]; then xfs_growfs "$MOUNT" >/dev/null; else resize2fs "$device" >/dev/null; fi || {
    warn "data disk $serial has $((size / 2048)) MiB, and its file system doesn't grow to that; all that was there is there. The next deploy tries again"
    size=0
  }
  say "$serial $number $size" | write_file "$RUN/data-disk"
}
