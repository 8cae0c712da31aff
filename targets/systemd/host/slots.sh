# Two slots a service: the new version starts in the one that is free, and takes over only when it is healthy.

declare -A NEW_SLOT=()
STARTED=()

# changed_services: services whose running version isn't the wanted one, in LISTENING and WORKERS.
changed_services() {
  local service unit broken
  LISTENING=() WORKERS=()
  for service in "${SERVICES[@]}"; do
    broken=no
    if [[ -n ${SLOT[$service]:-} && ${HASH[$service]} == "${SERVICE[$service:hash]}" ]]; then
      slot_units "$service" "${SLOT[$service]}"
      for unit in "${UNITS_OF_SLOT[@]}"; do is_active "$unit" || broken=yes; done
      [[ $broken == yes ]] || continue
      say "$service: its unit isn't running, so it is started anew"
    fi
    if [[ ${SERVICE[$service:listens]} == yes ]]; then LISTENING+=("$service"); else WORKERS+=("$service"); fi
    if [[ -n ${SLOT[$service]:-} ]]; then other_slot "${SLOT[$service]}"; else REPLY=a; fi
    NEW_SLOT[$service]=$REPLY
  done
}

# await_drains <services…>: a slot that still serves the connections of two versions ago is left to finish.
await_drains() {
  local service unit told
  for service in "$@"; do
    unit=$ID-drain-$service-${NEW_SLOT[$service]}.service
    told=no
    while [[ ${ACTIVE[$unit]:-} == @(active|activating|deactivating) ]]; do
      [[ $told == yes ]] || say "$service: waits for the connections of the version before the last"
      told=yes
      pause 0.2
      look_at "$unit"
    done
    [[ $told == no ]] || {
      slot_units "$service" "${NEW_SLOT[$service]}"
      look_at "${UNITS_OF_SLOT[@]}"
    }
  done
}

# prepare_slots <services…>: files, links and images of their new slots. What an earlier try left running there is stopped.
prepare_slots() {
  local service slot release
  for service in "$@"; do
    slot=${NEW_SLOT[$service]} release=${SERVICE[$service:release]:-}
    install_slot "$service" "$slot"
    place_rewritten "$service"
    [[ -z $release ]] || link "../releases/$release" "$HOME_OF_APP/slots/$service-$slot"
    [[ ${SERVICE[$service:kind]} != container ]] || pull_image "$service"
  done
  reload_units
}

pull_image() {
  local image=${SERVICE[$1:image]} engine
  first_program podman docker
  engine=$REPLY
  "$engine" image inspect "$image" >/dev/null 2>&1 && return
  say "$1: pulls $image"
  logged "$1" "The image of $1 could not be pulled: $image." "correct the image's name, or give the host access to its registry" \
    "$engine" pull -q "$image"
}

# release_steps <services…>: each once for a version, with its variables, before anything of it runs.
release_steps() {
  local service unit begun since
  for service in "$@"; do
    [[ ${SERVICE[$service:release-step]:-no} == yes ]] || continue
    [[ ${MARK[step:$service]:-} != "${SERVICE[$service:hash]}" ]] || continue
    unit=$ID-release-$service-${NEW_SLOT[$service]}.service
    say "$service: runs its release step"
    now
    begun=$REPLY
    printf -v since '%(%s)T' -1
    systemctl reset-failed "$unit" 2>/dev/null || true
    systemctl start "$unit" || {
      last_lines "$unit" "$since"
      fail "The release step of $service failed." "Its last log lines are above. Nothing was switched: the version before runs on." \
        "correct the step or the code and deploy again"
    }
    mark "step:$service" "${SERVICE[$service:hash]}"
    now
    seconds $((REPLY - begun))
    changed "$service: release step done in $REPLY"
  done
}

# start_slots <services…>: all new slots at once, then their health; the first that fails stops them all.
start_slots() {
  local service units=() since
  (($# > 0)) || return 0
  for service in "$@"; do
    STARTED+=("$service")
    slot_units "$service" "${NEW_SLOT[$service]}"
    units+=("${UNITS_OF_SLOT[@]}")
  done
  printf -v since '%(%s)T' -1
  clear_units "${units[@]}"
  FAILED_SERVICE=$1 WHY="systemd could not start it"
  if systemctl start "${units[@]}" && wait_healthy "$@"; then return; fi
  last_lines "$ID-$FAILED_SERVICE-${NEW_SLOT[$FAILED_SERVICE]}@*.service" "$since"
  fail "The new version of $FAILED_SERVICE isn't healthy, so nothing was switched." "${WHY^}. Its last log lines are above." \
    "correct the code or its variables and deploy again; the version before runs on"
}

# clear_units <units…>: what a deploy that was cut off has left running in the new slot would be taken for the new version.
# Starts are counted, so that a version that keeps ending is given up; those of the versions before don't count for this one.
clear_units() {
  local unit left=()
  for unit in "$@"; do [[ ${ACTIVE[$unit]:-inactive} == inactive ]] || left+=("$unit"); done
  ((${#left[@]} == 0)) || systemctl stop "${left[@]}" 2>/dev/null || true
  systemctl reset-failed "$@" 2>/dev/null || true
}

# abandon: gives up new slots that never took over. Runs at the end of a deploy that failed.
abandon() {
  local service
  for service in "${STARTED[@]}"; do
    [[ ${SLOT[$service]:-} != "${NEW_SLOT[$service]}" ]] || continue
    # Of a worker the version before was stopped for the new one.
    if [[ ${SERVICE[$service:listens]} == yes ]]; then
      stop_slot "$service" "${NEW_SLOT[$service]}"
    else
      restart_workers "$service"
    fi
  done
}

# replace_workers <services…>: nobody connects to them, so the old version makes way before the new one starts.
replace_workers() {
  local service slot old units=() since
  (($# > 0)) || return 0
  printf -v since '%(%s)T' -1
  for service in "$@"; do
    slot=${NEW_SLOT[$service]} old=${SLOT[$service]:-}
    STARTED+=("$service")
    [[ -z $old ]] || stop_slot "$service" "$old"
    slot_units "$service" "$slot"
    units+=("${UNITS_OF_SLOT[@]}")
  done
  clear_units "${units[@]}"
  FAILED_SERVICE=$1 WHY="systemd could not start it"
  if systemctl start "${units[@]}" && watch_workers "$@"; then
    return
  fi
  last_lines "$ID-$FAILED_SERVICE-${NEW_SLOT[$FAILED_SERVICE]}@*.service" "$since"
  restart_workers "$@"
  fail "The new version of $FAILED_SERVICE doesn't keep running." "${WHY^}. Its last log lines are above; the version before runs again." \
    "correct the code or its variables and deploy again"
}

# watch_workers <services…>: two seconds in which none may end.
watch_workers() {
  local service n all=() round
  for service in "$@"; do
    for ((n = 1; n <= ${SERVICE[$service:instances]}; n++)); do all+=("$service ${NEW_SLOT[$service]} $n"); done
  done
  for round in {1..8}; do
    pause 0.25
    ((round % 2 != 0)) || still_running "${all[@]}" || return 1
  done
}

# restart_workers <services…>: the version before, as many instances as it had.
restart_workers() {
  local service link
  for service in "$@"; do
    stop_slot "$service" "${NEW_SLOT[$service]}"
    for link in "$ROOT/etc/systemd/system/multi-user.target.wants/$ID-$service-${SLOT[$service]:-none}"@*.service; do
      systemctl start "${link##*/}" || say "warning: ${link##*/} doesn't start again"
    done
  done
}
