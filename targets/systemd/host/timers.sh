# Jobs: their timers run while the app is there, and start anew only when their times have changed.

timers() {
  local timer
  for timer in "${TIMERS[@]}"; do
    boot_on "$timer"
    if ! is_active "$timer"; then
      systemctl start "$timer" || unit_failure "$timer"
      changed "${timer%.timer}: timer started"
    elif written "/etc/systemd/system/$timer"; then
      systemctl restart "$timer" || unit_failure "$timer"
      changed "${timer%.timer}: timer changed"
    fi
  done
}

# stop_unit_files: paths on stdin; what runs of these unit files is stopped, and no longer starts at boot.
stop_unit_files() {
  local path unit link units=()
  while IFS= read -r path; do
    [[ $path == /etc/systemd/system/* ]] || continue
    unit=${path##*/}
    case $unit in
      *@.service)
        units+=("${unit%.service}*.service")
        for link in "$ROOT/etc/systemd/system/multi-user.target.wants/${unit%.service}"*.service; do rm -f "$link"; done
        ;;
      *.service | *.timer)
        units+=("$unit")
        boot_off "$unit"
        ;;
    esac
  done
  ((${#units[@]} > 0)) || return 0
  systemctl stop "${units[@]}" 2>/dev/null || true
  systemctl reset-failed "${units[@]}" 2>/dev/null || true
}

# remove_files <paths…>: with what systemd remembers of a timer's last run, which a later one of its name hasn't had.
remove_files() {
  local path
  for path in "$@"; do
    rm -f "$ROOT$path"
    [[ $path != *.timer ]] || rm -f "$ROOT/var/lib/systemd/timers/stamp-${path##*/}"
  done
}

# tidy_files: takes away files, units and services that the plan no longer has, and remembers those that it has.
tidy_files() {
  local service path wanted before gone=() dropped=no
  own_paths >"$STAGE/manifest"
  text_of "$STAGE/manifest"
  wanted=$REPLY
  text_of "$CONF/manifest"
  before=$REPLY
  for service in "${!SLOT[@]}"; do
    in_list "$service" "${SERVICES[@]}" && continue
    unset "SLOT[$service]"
    rm -f "$HOME_OF_APP/active/$service" "$HOME_OF_APP/slots/$service-a" "$HOME_OF_APP/slots/$service-b"
    changed "$service: removed"
    dropped=yes
  done
  [[ $dropped == no ]] || put_state "$CONF/state"
  [[ $wanted != "$before" ]] || return 0
  while IFS= read -r path; do
    [[ -z $path || $'\n'$wanted == *$'\n'"$path"$'\n'* ]] || gone+=("$path")
  done <<<"$before"
  if ((${#gone[@]} > 0)); then
    stop_unit_files < <(printf '%s\n' "${gone[@]}")
    remove_files "${gone[@]}"
    [[ " ${gone[*]}" != *' /etc/systemd/system/'* ]] || systemctl daemon-reload
  fi
  put "$CONF/manifest" "$wanted"
}
