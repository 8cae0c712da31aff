# Whether what was started answers, asked without a process a try.

# http_status <port> <path> <host>: the status of a GET in REPLY; status 1 where nothing listens, 2 where nothing sensible comes.
http_status() {
  local fd line=''
  { exec {fd}<>"/dev/tcp/127.0.0.1/$1"; } 2>/dev/null || return 1
  printf 'GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: homeport\r\nAccept: */*\r\nConnection: close\r\n\r\n' "$2" "$3" >&"$fd" || true
  IFS= read -r -t 5 -u "$fd" line || true
  exec {fd}>&-
  REPLY=
  [[ $line =~ ^HTTP/1\.[01]\ ([0-9]{3}) ]] || return 2
  REPLY=${BASH_REMATCH[1]}
}

# healthy <service> <port>: whether this instance is ready; otherwise why not in WHY.
healthy() {
  local path=${SERVICE[$1:health]:-} status=0
  http_status "$2" "${path:-/}" "${SERVICE[$1:domain]:-localhost}" || status=$?
  case $status in
    1) WHY="nothing listens on its port (\$PORT, $2) yet" ;;
    2) WHY="it gives no HTTP answer to $path" ;;
    *) WHY="it answers $REPLY to $path" ;;
  esac
  # A service without a health path need only listen.
  [[ ($status == 0 && $REPLY == 2??) || (-z $path && $status != 1) ]]
}

# wait_healthy <services…>: until each instance of their new slots is ready; status 1 and FAILED_SERVICE, WHY where one
# won't be. A unit that has failed ends the wait at once.
wait_healthy() {
  local service slot n unit begun round=0 elapsed poll
  local -a waiting=() left=()
  for service in "$@"; do
    for ((n = 1; n <= ${SERVICE[$service:instances]}; n++)); do waiting+=("$service ${NEW_SLOT[$service]} $n"); done
  done
  now
  begun=$REPLY
  while ((${#waiting[@]} > 0)); do
    left=() round=$((round + 1))
    for unit in "${waiting[@]}"; do
      read -r service slot n <<<"$unit"
      if healthy "$service" "${PORT[$service/$slot/$n]}"; then
        now
        seconds $((REPLY - begun))
        say "$service slot $slot is healthy after $REPLY"
      else
        left+=("$unit")
        FAILED_SERVICE=$service
        now
        elapsed=$((REPLY - begun))
        if ((elapsed > ${SERVICE[$service:start-timeout]} * 1000)); then
          WHY+=", ${SERVICE[$service:start-timeout]} s after its start"
          return 1
        fi
      fi
    done
    waiting=("${left[@]}")
    ((${#waiting[@]} > 0)) || break
    ((round % 4 != 0)) || still_running "${waiting[@]}" || return 1
    poll=0.05
    ((elapsed < 2000)) || poll=0.1
    ((elapsed < 10000)) || poll=0.25
    pause "$poll"
  done
}

# still_running <service slot n…>: status 1, FAILED_SERVICE and WHY where one has crashed.
still_running() {
  local each service slot n units=() unit
  for each in "$@"; do
    read -r service slot n <<<"$each"
    units+=("$ID-$service-$slot@$n.service")
  done
  look_at "${units[@]}"
  for each in "$@"; do
    read -r service slot n <<<"$each"
    unit=$ID-$service-$slot@$n.service
    case ${ACTIVE[$unit]:-} in
      active | activating | reloading) ((${RESTARTS[$unit]:-0} > 0)) || continue ;;
    esac
    FAILED_SERVICE=$service
    WHY="it ended by itself ($(systemctl show -P Result "$unit"), status $(systemctl show -P ExecMainStatus "$unit"))"
    return 1
  done
}
