# The deploy, from the first look to the result.

apply() {
  local changed_now
  take_lock
  preflight
  root_disk
  data_disk
  check_space
  trace preflight
  load_marks
  load_written
  packages
  app_user
  folders
  ports
  tokens
  survey
  trace "packages, user, folders, ports"
  snapshot
  trace "look at units"
  finish_switch
  read_state "$CONF/state"
  databases
  trace databases
  with_host install_shared
  install_when early
  reload_units
  start_disk_unit
  keep_running "${UNITS[@]}"
  changed_services
  changed_now=("${LISTENING[@]}" "${WORKERS[@]}")
  trace "files, units"
  releases
  trace releases
  if ((${#changed_now[@]} > 0)); then take_over "${changed_now[@]}"; fi
  settle
}

# take_over <changed services…>
take_over() {
  await_drains "$@"
  prepare_slots "$@"
  trace "slot files"
  work_behind
  release_steps "$@"
  start_slots "${LISTENING[@]}"
  trace "start to healthy"
  finish_releases
  trace "sync"
  # Workers before the switch: their new version may still turn out not to run, and then nothing of the app is switched.
  replace_workers "${WORKERS[@]}"
  trace "workers"
  plan_switch "$@"
  finish_switch
  tell_switched "$@"
  trace "switch"
}

tell_switched() {
  local service
  for service in "$@"; do changed "$service: release ${RELEASE[$service]} on slot ${SLOT[$service]}"; done
}

# settle: what follows the switch, and is right also where nothing was switched.
settle() {
  finish_releases
  install_when late
  reload_units
  tidy_files
  timers
  trace "jobs"
  with_host settle_host
  trace "proxy, firewall"
  tell_files
  if ((${#CHANGES[@]} > 0)); then
    keep_stage
    prune_history
  fi
  forget_written
  prune_behind
  trace history
}

settle_host() {
  switch_proxy
  keep_running "${HOST_UNITS[@]}"
  firewall
  free_ports
}

# own: which resource of the stack the app is here by. A rollback leaves that as it is.
own() {
  text_of "$CONF/owner"
  [[ $REPLY == "$OWNER" ]] || put "$CONF/owner" "$OWNER"
}

# tell_files: changes that no other line tells.
tell_files() {
  if ((${#CHANGES[@]} == 0 && ${#WRITTEN[@]} > 0)); then changed "configuration: ${#WRITTEN[@]} files"; fi
}

on_exit() {
  local status=$?
  trap - EXIT ERR
  set +e
  # Some errors of the shell itself end it without a trap.
  if ((status != 0)) && [[ -z ${TOLD:-} ]]; then
    frame 'FAIL {"what":"The deploy broke off.","where":"deploy.sh","why":"the lines above say why","fix":"deploy again; if it stays, report it"}'
  fi
  # The client may be gone: nothing is told any more, but the host is left in order.
  if ((status != 0)); then
    take_back 2>/dev/null
    abandon 2>/dev/null
  fi
  exit "$status"
}

main() {
  local verb=${1:-apply}
  # shellcheck source=/dev/null
  source ./plan.sh
  CONF=$ROOT/etc/homeport/$ID
  HOME_OF_APP=$ROOT/opt/$ID
  trap on_exit EXIT
  trace start
  case $verb in
    apply)
      apply
      own
      ;;
    rollback)
      earlier_stage
      # Here and not in earlier_stage: what a function declares is gone with it.
      # shellcheck source=/dev/null
      source ./plan.sh
      apply
      ;;
    delete) remove ;;
    *) fail "\"$verb\" is nothing that a host can be asked to do." "It is one of apply, delete and rollback." "update homeport" ;;
  esac
  result
}

main "$@"
