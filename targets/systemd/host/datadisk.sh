# The data disk: everything of an app that is to outlive the machine lies on it. The tool that mounts it at boot prepares it
# here; what is only a deploy's to do is users, whose numbers may be others on a machine that gets the disk of another.

DATA_MOUNT=$ROOT/mnt/homeport

# data_disk: before packages and folders, which would put data in places that aren't the disk's yet.
data_disk() {
  [[ -n $DATA_SERIAL ]] || return 0
  local parts=("lib/$ID" "backups/$ID")
  ! in_list postgres "${NEEDS[@]}" || parts+=(postgresql)
  disk_stands "${parts[@]}" || with_host prepare_disk "${parts[@]}"
}

# disk_stands <parts…>: whether all of it is mounted, and the disk as large as its file system; without a process.
disk_stands() {
  local number='' size='' known='' point folder part device binds=''
  [[ -r $ROOT/run/homeport/data-disk ]] || return 1
  while read -r _ _ device folder point _; do
    [[ $point != "$DATA_MOUNT" ]] || number=$device
    binds+="$device $folder"$'\n'
  done <"$ROOT/proc/self/mountinfo"
  [[ -n $number ]] || return 1
  for part in "$@"; do [[ $'\n'$binds == *$'\n'"$number /$part"$'\n'* ]] || return 1; done
  read -r size <"$ROOT/sys/dev/block/$number/size" || return 1
  read -r known <"$ROOT/run/homeport/data-disk" || return 1
  [[ $known == "$DATA_SERIAL $number $size" ]]
}

prepare_disk() {
  read_table
  present disk || {
    package_of disk "$MANAGER"
    install_packages "$REPLY"
  }
  disk_tool prepare "$DATA_SERIAL" "$@"
  changed "host: data disk $DATA_SERIAL is at $DATA_MOUNT"
  if in_list postgresql "$@"; then
    same_postgres
    postgres_user
    [[ $MANAGER != apt ]] || restore_settings
  fi
}

# disk_tool <arguments…>: that of this stage, as the host may have none yet.
disk_tool() {
  local what why fix
  rm -f "$STAGE/refusal"
  HOMEPORT_REFUSAL=$STAGE/refusal bash "$STAGE/files/usr/local/lib/homeport/data-disk" "$@" {APP_LOCK}>&- 4>&- </dev/null && return
  [[ -s $STAGE/refusal ]] || fail "The data disk can't be used." "The lines above say why." "see on the host: lsblk; dmesg | tail"
  { IFS= read -r what && IFS= read -r why && IFS= read -r fix; } <"$STAGE/refusal" || true
  fail "$what" "$why" "$fix"
}

# same_postgres: a server of one major version doesn't read the data of another.
same_postgres() {
  local file on_disk=()
  for file in "$DATA_MOUNT"/postgresql/*/*/PG_VERSION; do on_disk+=("$(<"$file")"); done
  [[ $MANAGER == apt ]] && ((${#on_disk[@]} > 0)) || return 0
  postgres_version
  in_list "$REPLY" "${on_disk[@]}" || fail "The data disk holds databases of PostgreSQL ${on_disk[*]}, and this machine has $REPLY." \
    "A server reads data of its own major version alone." \
    "choose a system with PostgreSQL ${on_disk[0]} for the machine, or on the old one: pg_upgradecluster ${on_disk[0]} main"
}

# postgres_user: made before the package makes it, so that the server finds its data its own.
postgres_user() {
  local home=/var/lib/postgresql
  [[ $MANAGER == apt ]] || home=/var/lib/pgsql
  if ! getent passwd postgres >/dev/null; then
    kept_ids postgres
    add_user postgres "$REPLY" --home-dir "$home" --shell /bin/bash --comment 'PostgreSQL administrator'
  fi
  own_kept postgres "$DATA_MOUNT/postgresql" "$DATA_MOUNT/postgresql-settings"
  chown postgres: "$DATA_MOUNT/postgresql"
}

# Debian keeps a server's settings in /etc, and knows a server by them alone: a machine that gets the disk of another needs
# them with the data. They can't be mounted from the disk, as systemd's generators read them before anything is.

# restore_settings: before the packages, which then find a server and make none.
restore_settings() {
  local cluster target
  for cluster in "$DATA_MOUNT"/postgresql-settings/*/*/; do
    cluster=${cluster%/} target=$ROOT/etc/postgresql${cluster#"$DATA_MOUNT/postgresql-settings"}
    [[ ! -e $target/postgresql.conf ]] || continue
    mkdir -p "${target%/*}"
    chmod 755 "$ROOT/etc/postgresql" "${target%/*}"
    copy_settings "$cluster" "$target"
    chown -R postgres: "$ROOT/etc/postgresql"
    changed "host: takes up the databases of PostgreSQL ${cluster#"$DATA_MOUNT/postgresql-settings/"} on the data disk"
  done
}

# save_settings: before the first database is made, and whenever a person has changed them.
save_settings() {
  local cluster copy file
  [[ -n $DATA_SERIAL && $MANAGER == apt ]] || return 0
  for cluster in "$ROOT"/etc/postgresql/*/*/; do
    cluster=${cluster%/} copy=$DATA_MOUNT/postgresql-settings${cluster#"$ROOT/etc/postgresql"}
    for file in "$cluster"/*.conf; do
      # Neither older nor newer: a copy has the time of what it is of.
      [[ -e $copy/${file##*/} && ! $file -nt $copy/${file##*/} && ! $file -ot $copy/${file##*/} ]] || {
        mkdir -p "${copy%/*}"
        copy_settings "$cluster" "$copy"
        break
      }
    done
  done
}

copy_settings() {
  rm -rf "$2.part" "$2.old"
  cp -a "$1" "$2.part"
  [[ ! -d $2 ]] || mv "$2" "$2.old"
  mv "$2.part" "$2"
  rm -rf "$2.old"
}

# kept_ids <user>: `<uid> <gid>` that the disk knows it by, in REPLY; nothing where it doesn't.
kept_ids() {
  local name uid gid wanted=$1
  REPLY=
  [[ -n $DATA_SERIAL && -r $DATA_MOUNT/owners ]] || return 0
  while read -r name uid gid; do [[ $name != "$wanted" ]] || REPLY="$uid $gid"; done <"$DATA_MOUNT/owners"
}

# add_user <name> <uid and gid, or nothing> <options…>: with those numbers where nobody has them.
add_user() {
  local name=$1 uid='' gid='' numbers=()
  read -r uid gid <<<"$2"
  shift 2
  if [[ -z $uid ]] || getent passwd "$uid" >/dev/null || getent group "$gid" >/dev/null || getent group "$name" >/dev/null; then
    numbers=(--user-group)
    ! getent group "$name" >/dev/null || numbers=(--gid "$name")
  else
    groupadd --system --gid "$gid" "$name"
    numbers=(--uid "$uid" --gid "$gid")
  fi
  useradd --system "${numbers[@]}" --no-create-home "$@" "$name"
}

# own_kept <user> <folders…>: what belonged to it by other numbers belongs to it now. Twice is as once.
own_kept() {
  local name=$1 uid gid known folder line text=''
  shift
  IFS=: read -r _ _ uid gid _ < <(getent passwd "$name")
  kept_ids "$name"
  [[ $REPLY != "$uid $gid" ]] || return 0
  if [[ -n $REPLY ]]; then
    known=$REPLY
    say "gives what is on the data disk to $name, who is $uid here and was ${known% *}"
    for folder; do
      [[ -d $folder ]] || continue
      chown -hR --from="${known% *}" "$uid" "$folder"
      chown -hR --from=":${known#* }" ":$gid" "$folder"
    done
  fi
  while read -r line; do [[ -z $line || $line == "$name "* ]] || text+=$line$'\n'; done < <(cat "$DATA_MOUNT/owners" 2>/dev/null)
  put "$DATA_MOUNT/owners" "$text$name $uid $gid"$'\n'
}

# start_disk_unit: which mounts it at each boot. Never restarted: units that need the disk would stop with it.
start_disk_unit() {
  [[ -n $DATA_SERIAL ]] || return 0
  boot_on homeport-data.service
  is_active homeport-data.service || systemctl start homeport-data.service || unit_failure homeport-data.service
}
