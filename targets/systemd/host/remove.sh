# Taking an app off the host. Whatever is gone already is no error.

remove() {
  local paths=()
  preflight_remove
  take_lock
  # A host that got another name in the stack, or another target, is deployed to by the new one before the old one is deleted.
  text_of "$CONF/owner"
  if [[ -n $REPLY && $REPLY != "$OWNER" ]]; then
    changed "$ID: stays, as it is here by $REPLY now"
    return
  fi
  [[ -d $CONF || -d $HOME_OF_APP ]] || say "nothing of it is on the host"
  if [[ -d $CONF ]]; then
    load_marks
    { own_paths && cat "$CONF/manifest" 2>/dev/null; } | sort -u >"$STAGE/paths" || true
    stop_drains
    stop_unit_files <"$STAGE/paths"
    systemctl stop "$ID.slice" 2>/dev/null || true
    with_host drop_proxy
    with_host drop_firewall
    mapfile -t paths <"$STAGE/paths"
    remove_files "${paths[@]}"
    systemctl daemon-reload
    changed "$ID: services, jobs and configuration deleted"
  fi
  end_processes
  if first_program podman docker; then "$REPLY" network rm "homeport-$ID" >/dev/null 2>&1 || true; fi
  if [[ $ON_DELETE == 'delete data' ]]; then
    drop_databases
    [[ -z $DATA_SERIAL ]] || with_host drop_kept
    rm -rf "$ROOT/var/lib/${ID:?}" "$ROOT/var/backups/${ID:?}"
    changed "$ID: data deleted"
  else
    tell_kept
  fi
  rm -rf "$ROOT/opt/${ID:?}" "$ROOT/var/cache/homeport/${ID:?}"
  PORT_KEYS=() SERVICE=()
  with_host free_ports
  rm -rf "${CONF:?}" "$ROOT/var/lib/homeport/watch/$ID" "$ROOT/var/lib/homeport/alert/${ID}_"* "$ROOT/var/lib/homeport/cloudwatch/$ID."*
  # With its data kept, the user is too: another app's user must not get its number, and so its files.
  if [[ $ON_DELETE == 'delete data' ]] && getent passwd "$APP_USER" >/dev/null; then userdel "$APP_USER" || true; fi
  with_host drop_shared
  rm -f "$ROOT/run/homeport/written-$ID"
}

# tell_kept: data that stays, and the command that deletes it.
tell_kept() {
  local name database kept='' command=''
  for name in "${DATABASES[@]}"; do
    [[ ${DATABASE[$name:engine]} == postgres && -z ${DATABASE[$name:address]:-} && -x $ROOT/usr/bin/psql ]] || continue
    database=${DATABASE[$name:database]}
    kept+=", the database $database" command+="; sudo -u postgres dropdb $database"
  done
  for name in "$ROOT/var/lib/$ID" "$ROOT/var/backups/$ID"; do
    [[ ! -d $name ]] || kept+=", $name" command+="; sudo rm -r $name"
  done
  [[ -z $kept ]] || say "its data stays: ${kept#, }. To delete it: ${command#; }"
}

# drop_kept: what of the app is on the data disk, and whom the disk knows it by.
drop_kept() {
  local text=''
  disk_tool drop "$DATA_SERIAL" "lib/$ID" "backups/$ID"
  [[ -f $DATA_MOUNT/owners ]] || return 0
  text=$(grep -v "^$APP_USER " "$DATA_MOUNT/owners" || true)
  put "$DATA_MOUNT/owners" "$text"$'\n'
}

preflight_remove() {
  ((EUID == 0)) || fail "The deploy doesn't run as root." "The SSH user is neither root nor may use sudo." \
    "connect as root, or as a user whom sudo asks for no password"
  [[ -n $ID && -n $APP_USER ]] || fail "The plan names no app." "ID or APP_USER is empty." "this is a fault of homeport"
}

stop_drains() {
  local unit
  while read -r unit _; do systemctl stop "$unit" 2>/dev/null || true; done < <(
    for unit in "${SERVICES[@]}"; do printf '%s\n' "$ID-drain-$unit-a.service" "$ID-drain-$unit-b.service"; done
  )
}

# end_processes: whatever still runs as the app's user, asked first, then killed.
end_processes() {
  local try
  getent passwd "$APP_USER" >/dev/null || return 0
  pkill -TERM -u "$APP_USER" || return 0
  for try in {1..20}; do
    pgrep -u "$APP_USER" >/dev/null || return 0
    sleep 0.1
  done
  say "kills processes of $APP_USER that didn't end within $((try / 10)) s"
  pkill -KILL -u "$APP_USER" || true
}

# drop_shared: the host's own files go with its last app.
drop_shared() {
  local list=$ROOT/var/lib/homeport/shared paths=() other
  # An app that is only just being deployed has its folder, too.
  for other in "$ROOT"/etc/homeport/*/; do [[ $other == */@(proxy|firewall)/ ]] || return 0; done
  [[ -f $list ]] || return 0
  stop_unit_files <"$list"
  [[ -z $DATA_SERIAL ]] || disk_tool release
  mapfile -t paths <"$list"
  remove_files "${paths[@]}"
  rm -f "$list" "$PROXY/domains.map"
  rm -rf "$ROOT/usr/local/lib/homeport" "$ROOT/opt/homeport" "$ROOT"/var/lib/homeport/{lock,ports,cloudwatch}
  rmdir "$ROOT"/etc/systemd/system/postgresql{,@}.service.d 2>/dev/null || true
  # Folders that still hold something stay: the account of the certificates is kept.
  find "$ROOT"/etc/homeport "$ROOT"/var/{lib,cache}/homeport "$ROOT"/etc/systemd/journald.conf.d -depth -type d -empty -delete 2>/dev/null || true
  systemctl daemon-reload
  changed "host: tools and proxy deleted"
}
