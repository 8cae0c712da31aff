# Taking over, so that it may be cut off anywhere: `state.next` is written first and carried out by whoever comes next.

# plan_switch <services…>: what `state` is to be.
plan_switch() {
  local service since
  printf -v since '%(%s)T' -1
  for service in "$@"; do
    SLOT[$service]=${NEW_SLOT[$service]}
    RELEASE[$service]=${SERVICE[$service:release]:-${SERVICE[$service:image]:-}}
    HASH[$service]=${SERVICE[$service:hash]} SINCE[$service]=$since
  done
  put_state "$CONF/state.next"
}

# finish_switch: makes what `state.next` says true, and then the state. Every step may be done twice.
finish_switch() {
  local service slot old
  declare -A before=()
  [[ -f $CONF/state.next ]] || return 0
  read_state "$CONF/state"
  for service in "${!SLOT[@]}"; do before[$service]=${SLOT[$service]}; done
  read_state "$CONF/state.next"
  # At a reboot in between both slots start, and the proxy's configuration decides.
  for service in "${!SLOT[@]}"; do
    slot=${SLOT[$service]}
    [[ -n ${SERVICE[$service:hash]:-} ]] || continue
    slot_units "$service" "$slot"
    boot_on "${UNITS_OF_SLOT[@]}"
  done
  SWITCHING=yes
  with_host switch_proxy
  SWITCHING=
  for service in "${!SLOT[@]}"; do
    [[ ! -e $HOME_OF_APP/releases/${RELEASE[$service]} ]] || link "../releases/${RELEASE[$service]}" "$HOME_OF_APP/active/$service"
  done
  service=${SERVICES[0]}
  [[ ! -e $HOME_OF_APP/releases/${RELEASE[$service]:-none} ]] || link "releases/${RELEASE[$service]}" "$HOME_OF_APP/current"
  mv -f "$CONF/state.next" "$CONF/state"
  for service in "${!SLOT[@]}"; do
    other_slot "${SLOT[$service]}"
    old=$REPLY
    boot_off_slot "$service" "$old"
    [[ ${before[$service]:-} != "$old" || ${SERVICE[$service:listens]:-no} != yes ]] || drain_slot "$service" "$old"
  done
}

# take_back: after a switch that the proxy refused; its configuration is the one before again.
take_back() {
  local service
  # Without a slot of our own making it is a switch that an earlier deploy had begun, and may have brought about.
  [[ ${SWITCHING:-} == yes ]] && ((${#STARTED[@]} > 0)) || return 0
  read_state "$CONF/state"
  for service in "${STARTED[@]}"; do boot_off_slot "$service" "${NEW_SLOT[$service]}"; done
  rm -f "$CONF/state.next"
}

# drain_slot <service> <slot>: in a unit of its own, so that it outlives this session.
drain_slot() {
  local unit=$ID-drain-$1-$2
  # It may still be there from a switch back and forth; it ends by itself when it sees that.
  systemd-run -q --collect --no-block --unit="$unit" /usr/local/lib/homeport/drain "$ID" "$1" "$2" "${SERVICE[$1:drain]:-30}" ||
    systemctl is-active -q "$unit.service" || say "warning: slot $2 of $1 goes on running until the next deploy"
}
