# The host's loopback ports, 20000 to 29999: a line `<port> <id> <key>` each, the same for as long as the app wants it.

declare -A PORT=()

# ports: a port for each key of the plan in PORT, and proof that the public ones are free or ours.
ports() {
  with_host allot_ports
  local key file
  for key in "${!PORT[@]}"; do
    [[ $key == */*/* ]] || continue
    file=$CONF/ports/${key//\//-}
    text_of "$file"
    [[ $REPLY == "PORT=${PORT[$key]}"$'\n' ]] || put "$file" "PORT=${PORT[$key]}"$'\n'
  done
}

allot_ports() {
  local registry=$ROOT/var/lib/homeport/ports port id key next=20000 dirty=no
  declare -A taken=() listening=()
  PORT=()
  listening_ports
  if [[ -f $registry ]]; then
    while read -r port id key; do
      [[ -n $key ]] || continue
      taken[$port]="$id $key"
      [[ $id != "$ID" ]] || PORT[$key]=$port
    done <"$registry"
  fi
  for key in "${PORT_KEYS[@]}"; do
    [[ -z ${PORT[$key]:-} ]] || continue
    while [[ -n ${taken[$next]:-} || -n ${listening[$next]:-} ]]; do next=$((next + 1)); done
    ((next < 30000)) || fail "The host has no free port left." "20000 to 29999 are all taken." \
      "remove apps from this host"
    taken[$next]="$ID $key" PORT[$key]=$next dirty=yes
  done
  public_ports
  if [[ $dirty == yes ]]; then
    put "$registry" "$(for port in "${!taken[@]}"; do printf '%s %s\n' "$port" "${taken[$port]}"; done | sort -n)"$'\n'
  fi
}

# listening_ports: what something listens on now, as keys of `listening`.
listening_ports() {
  local local_address rest
  while read -r _ _ _ local_address rest; do
    listening[${local_address##*:}]=yes
  done < <(ss -Hltn)
}

# public_ports: claims the services' public ports. Reads and changes `taken`, `listening` and `dirty` of allot_ports.
public_ports() {
  local service port owner
  for service in "${SERVICES[@]}"; do
    port=${SERVICE[$service:public]:-}
    if [[ -n $port ]]; then
      owner=${taken[$port]:-}
      [[ -z $owner || ${owner%% *} == "$ID" ]] || fail "Port $port of $service is another app's on this host." \
        "It belongs to ${owner%% *} (${owner#*:})." \
        "give one of the two another port: pulumi config set $APP:port.$service <port>"
      [[ -n $owner ]] || refuse_stranger "$port" "$service"
      # One of ours with another service's name is that of a service that is being renamed.
      [[ $owner == "$ID public:$service" ]] || taken[$port]="$ID public:$service" PORT[public:$service]=$port dirty=yes
    fi
    if [[ -n ${SERVICE[$service:domain]:-} ]]; then
      for port in 80 443; do refuse_stranger "$port" "$service"; done
    fi
  done
}

# refuse_stranger <port> <service>: fails where a program other than the proxy listens on it.
refuse_stranger() {
  local who
  [[ -n ${listening[$1]:-} ]] || return 0
  who=$(ss -Hltnp "sport = :$1" | sed -n 's/.*users:(("\([^"]*\)",pid=\([0-9]*\).*/\1 (process \2)/p' | head -n 1)
  [[ $who != haproxy* ]] || return 0
  fail "Port $1 of $2 is taken on the host." "${who:-Another program} listens on it." \
    "stop that program, or give the service another port: pulumi config set $APP:port.$2 <port>"
}

# free_ports: gives back the ports of keys that the plan no longer has (all of them, after a delete).
free_ports() {
  local registry=$ROOT/var/lib/homeport/ports port id key kept='' dropped=no
  [[ -f $registry ]] || return 0
  while read -r port id key; do
    if [[ $id == "$ID" ]] && ! wanted_port "$key" "$port"; then
      dropped=yes
      rm -f "$CONF/ports/${key//\//-}"
    else
      kept+="$port $id $key"$'\n'
    fi
  done <"$registry"
  [[ $dropped == no ]] || put "$registry" "$kept"
}

wanted_port() {
  if [[ $1 == public:* ]]; then
    [[ ${SERVICE[${1#public:}:public]:-} == "$2" ]]
  else
    in_list "$1" "${PORT_KEYS[@]}"
  fi
}
