# What systemd knows, asked for in one call, and the links that start units at boot.

declare -A ACTIVE=() RESTARTS=()

# look_at <units…>: fills ACTIVE (`active`, `failed`, …) and RESTARTS by unit.
look_at() {
  local line id='' active='' sub='' restarts=0
  (($# > 0)) || return 0
  # An empty line ends a unit; its properties come in an order of systemd's own.
  while IFS= read -r line; do
    case $line in
      Id=*) id=${line#*=} ;;
      ActiveState=*) active=${line#*=} ;;
      SubState=*) sub=${line#*=} ;;
      NRestarts=*) restarts=${line#*=} ;;
      '')
        [[ -n $id ]] || continue
        [[ $sub != auto-restart* ]] || active=failed
        ACTIVE[$id]=$active RESTARTS[$id]=$restarts
        id='' active='' sub='' restarts=0
        ;;
    esac
  done < <(systemctl show -p Id -p ActiveState -p SubState -p NRestarts -- "$@" && echo)
}

# snapshot: looks at all units of the plan at once; what this deploy starts later is noted by whoever starts it.
snapshot() {
  local service slot units=("${UNITS[@]}" "${TIMERS[@]}" "${HOST_UNITS[@]}" homeport-proxy.service homeport-firewall.service homeport-data.service)
  for service in "${SERVICES[@]}"; do
    for slot in a b; do
      slot_units "$service" "$slot"
      units+=("${UNITS_OF_SLOT[@]}" "$ID-drain-$service-$slot.service")
    done
  done
  look_at "${units[@]}"
}

is_active() { [[ ${ACTIVE[$1]:-} == active ]]; }

# slot_units <service> <slot>: the units of its instances in UNITS_OF_SLOT.
slot_units() {
  local n
  UNITS_OF_SLOT=()
  for ((n = 1; n <= ${SERVICE[$1:instances]:-1}; n++)); do UNITS_OF_SLOT+=("$ID-$1-$2@$n.service"); done
}

# wants_folder <unit>: where a link starts it at boot, in REPLY.
wants_folder() {
  if [[ $1 == *.timer ]]; then REPLY=timers.target.wants; else REPLY=multi-user.target.wants; fi
  REPLY=$ROOT/etc/systemd/system/$REPLY
}

# boot_on <units…>: as `systemctl enable`, which would read all units again for each call.
boot_on() {
  local unit file
  for unit in "$@"; do
    wants_folder "$unit"
    [[ ! -L $REPLY/$unit ]] || continue
    [[ -d $REPLY ]] || install -d -m 0755 "$REPLY"
    file=$unit
    [[ $unit != *@*.service ]] || file=${unit%@*}@.service
    ln -sfn "/etc/systemd/system/$file" "$REPLY/$unit"
  done
}

# boot_off <units…>
boot_off() {
  local unit
  for unit in "$@"; do
    wants_folder "$unit"
    [[ ! -L $REPLY/$unit ]] || rm -f "$REPLY/$unit"
  done
}

# boot_off_slot <service> <slot>: all its instances, also of a time when there were more.
boot_off_slot() {
  local link
  for link in "$ROOT/etc/systemd/system/multi-user.target.wants/$ID-$1-$2"@*.service; do rm -f "$link"; done
}

stop_slot() {
  systemctl stop "$ID-$1-$2@*.service" 2>/dev/null || true
  systemctl reset-failed "$ID-$1-$2@*.service" 2>/dev/null || true
}

# keep_running <units…>: always-on units: started, at boot too, restarted where this deploy changed one.
keep_running() {
  local unit name
  for unit in "$@"; do
    boot_on "$unit"
    name=${unit#"$ID"-}
    name=${name%.*}
    if ! is_active "$unit"; then
      systemctl start "$unit" || unit_failure "$unit"
      ACTIVE[$unit]=active
      changed "${unit%.*}: started"
    elif written "*$name*"; then
      systemctl restart "$unit" || unit_failure "$unit"
      changed "${unit%.*}: restarted"
    fi
  done
}

unit_failure() {
  last_lines "$1"
  fail "$1 doesn't start." "Its last log lines are above." "see more on the host: journalctl -u $1"
}

# last_lines <unit or pattern> [since, unix seconds]: its newest log lines, as progress.
last_lines() {
  local line since=()
  [[ -z ${2:-} ]] || since=(--since "@$2")
  journalctl --sync 2>/dev/null || true
  journalctl -q --no-pager -o cat -n 30 -u "$1" "${since[@]}" 2>/dev/null |
    while IFS= read -r line; do printf '  | %s\n' "$line" >&2; done || true
}
