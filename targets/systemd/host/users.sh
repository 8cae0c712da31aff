# The app's system user and its folders.

# volume_folder <path in the app>: where that volume is on the host, in REPLY (`/data/chroma` is `data-chroma`).
volume_folder() {
  REPLY=${1#/}
  REPLY=$ROOT/var/lib/$ID/${REPLY//\//-}
}

# host_path <path in the app> <service>: the same path on the host, in REPLY; empty where no volume of the service holds it.
host_path() {
  local path=$1 volume best='' volumes=()
  mapfile -t volumes <<<"${SERVICE[$2:volumes]:-}"
  for volume in "${volumes[@]}"; do
    [[ -n $volume ]] || continue
    if [[ $path == "$volume" || $path == "$volume"/* ]] && ((${#volume} > ${#best})); then best=$volume; fi
  done
  REPLY=
  [[ -n $best ]] || return 0
  volume_folder "$best"
  REPLY+=${path#"$best"}
}

app_user() {
  getent passwd "$APP_USER" >/dev/null || {
    kept_ids "$APP_USER"
    add_user "$APP_USER" "$REPLY" --home-dir "/var/cache/homeport/$ID" --shell /usr/sbin/nologin --comment "$APP $STACK"
    changed "host: user $APP_USER"
  }
  [[ -z $DATA_SERIAL ]] || own_kept "$APP_USER" "$DATA_MOUNT/lib/$ID"
}

# folder <mode> <owner> <group> <path>: made if it lacks, mended if it differs.
folder() {
  if [[ ! -d $4 ]]; then install -d -m "$1" -o "$2" -g "$3" "$4"; else FOLDERS+=("$*"); fi
}

folders() {
  local service path volumes=() inside=()
  FOLDERS=()
  folder 0755 root root "$ROOT/etc/homeport"
  folder 0700 root root "$CONF"
  folder 0700 root root "$CONF/env"
  folder 0700 root root "$CONF/credentials"
  folder 0700 root root "$CONF/ports"
  folder 0700 root root "$ROOT/var/lib/homeport"
  folder 0750 root "$APP_USER" "$HOME_OF_APP"
  folder 0755 root root "$HOME_OF_APP/releases"
  folder 0755 root root "$HOME_OF_APP/deps"
  folder 0755 root root "$HOME_OF_APP/slots"
  folder 0755 root root "$HOME_OF_APP/active"
  folder 0755 root root "$ROOT/var/cache/homeport"
  folder 0700 "$APP_USER" "$APP_USER" "$ROOT/var/cache/homeport/$ID"
  folder 0750 root "$APP_USER" "$ROOT/var/lib/$ID"
  for service in "${SERVICES[@]}"; do
    mapfile -t volumes <<<"${SERVICE[$service:volumes]:-}"
    for path in "${volumes[@]}"; do
      [[ -n $path ]] || continue
      volume_folder "$path"
      folder 0750 "$APP_USER" "$APP_USER" "$REPLY"
    done
  done
  mend_folders
  # By the app's user, for whom the folders above are open now.
  for service in "${SERVICES[@]}"; do
    mapfile -t inside <<<"${SERVICE[$service:folders]:-}"
    for path in "${inside[@]}"; do
      [[ -n $path ]] || continue
      host_path "$path" "$service"
      [[ -z $REPLY || -d $REPLY ]] || as_app mkdir -p "$REPLY"
    done
  done
}

# mend_folders: modes and owners of existing folders, all looked at by one process.
mend_folders() {
  local mode owner group path have index=0
  local -a paths=()
  for have in "${FOLDERS[@]}"; do paths+=("${have#* * * }"); done
  ((${#paths[@]} > 0)) || return 0
  while read -r have; do
    read -r mode owner group path <<<"${FOLDERS[index]}"
    index=$((index + 1))
    [[ $have == "${mode#0} $owner $group" ]] || {
      chown "$owner:$group" "$path"
      chmod "$mode" "$path"
      say "mends owner and mode of $path"
    }
  done < <(stat -c '%a %U %G' -- "${paths[@]}")
}

# as_app <command…>: runs it as the app's user with none of our variables, descriptors or privileges.
as_app() {
  local certificates=/etc/ssl/certs/ca-certificates.crt
  [[ -e $certificates ]] || certificates=/etc/pki/tls/certs/ca-bundle.crt
  (
    # What it makes is read by the running app, which is of no group of root's.
    umask 022
    exec setpriv --reuid="$APP_USER" --regid="$APP_USER" --init-groups --no-new-privs \
      env -i "HOME=/var/cache/homeport/$ID" "TMPDIR=/var/cache/homeport/$ID" "USER=$APP_USER" "PATH=${APP_PATH:-/usr/local/bin:/usr/bin:/bin}" LANG=C.UTF-8 CI=1 \
      "SSL_CERT_FILE=$certificates" "NODE_EXTRA_CA_CERTS=$certificates" \
      "$@" </dev/null {APP_LOCK}>&- 4>&-
  )
}
