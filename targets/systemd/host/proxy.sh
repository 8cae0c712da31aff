# The host's proxy. A switch of slots goes through its runtime interface and costs no reload; other changes are checked
# before they go live and taken back if they don't.

PROXY=$ROOT/etc/homeport/proxy
PROXY_SOCKET=$ROOT/run/homeport-proxy/admin.sock

# proxy_text: this app's part with the active slots of SLOT, in REPLY.
proxy_text() {
  local service slot word
  text_of "$STAGE/proxy.cfg"
  for service in "${SERVICES[@]}"; do
    for slot in a b; do
      word=disabled
      [[ ${SLOT[$service]:-} != "$slot" ]] || word=
      REPLY=${REPLY//"@@disabled:$service/$slot@@"/$word}
    done
  done
}

# switch_proxy: makes the proxy send each service's requests to its slot in SLOT.
switch_proxy() {
  local installed wanted
  if [[ ! -f $STAGE/proxy.cfg ]]; then
    drop_proxy
    return
  fi
  proxy_text
  wanted=$REPLY
  join_domains
  if [[ $DOMAINS_CHANGED == no ]] && proxy_current && is_active homeport-proxy.service; then
    text_of "$PROXY/$ID.cfg"
    installed=$REPLY
    [[ $wanted != "$installed" ]] || return 0
    # What differs by the word alone is a switch of slots.
    if [[ ${wanted// disabled/ } == "${installed// disabled/ }" ]] && switch_servers; then
      put "$PROXY/$ID.cfg" "$wanted"
      return
    fi
  fi
  reload_proxy "$wanted"
}

# proxy_current: whether it has been loaded since this deploy wrote a file of it.
proxy_current() { [[ ${PROXY_SEEN:-} == "${#WRITTEN[@]}" ]] || ! written '/etc/homeport/proxy/*'; }

# switch_servers: new slots ready, then the others closed; both in one call, and the answer must be empty.
switch_servers() {
  local service slot n old ready='' closed='' answer
  for service in "${SERVICES[@]}"; do
    slot=${SLOT[$service]:-}
    [[ ${SERVICE[$service:listens]} == yes && -n $slot ]] || continue
    other_slot "$slot"
    old=$REPLY
    for ((n = 1; n <= ${SERVICE[$service:instances]}; n++)); do
      ready+="set server $ID-$service/$slot-$n state ready;"
      # Not `drain`, which would still send clients with a sticky cookie there.
      closed+="set server $ID-$service/$old-$n state maint;"
    done
  done
  answer=$(printf '%s\n' "$ready$closed" | socat -t 5 - "UNIX-CONNECT:$PROXY_SOCKET") || return 1
  [[ -z ${answer//[$'\n ']/} ]] || {
    say "the proxy answered: $answer"
    return 1
  }
}

# join_domains: domains.map of all apps, and this app's list for certificates; DOMAINS_CHANGED tells.
join_domains() {
  local part joined=''
  DOMAINS_CHANGED=no
  [[ -d $PROXY/maps ]] || mkdir -p "$PROXY/domains" "$PROXY/maps"
  keep_part domains "$PROXY/domains/$ID"
  keep_part domains.map "$PROXY/maps/$ID"
  [[ $DOMAINS_CHANGED == yes || ! -f $PROXY/domains.map ]] || return 0
  for part in "$PROXY"/maps/*; do
    text_of "$part"
    joined+=$REPLY
  done
  put "$PROXY/domains.map" "$joined"
  DOMAINS_CHANGED=yes
}

# keep_part <name in the stage> <installed path>
keep_part() {
  local before
  if [[ ! -f $STAGE/$1 ]]; then
    [[ ! -f $2 ]] || { rm -f "$2" && DOMAINS_CHANGED=yes; }
  else
    text_of "$2"
    before=$REPLY
    text_of "$STAGE/$1"
    [[ $REPLY != "$before" ]] || return 0
    put "$2" "$REPLY"
    DOMAINS_CHANGED=yes
  fi
}

# reload_proxy [new part]: checked first; where the proxy doesn't take it, the part before is put back.
reload_proxy() {
  local installed=$PROXY/$ID.cfg kept=$STAGE/proxy.kept
  [[ ! -s $PROXY/domains.map || ! -x $ROOT/usr/local/lib/homeport/certs ]] || "$ROOT/usr/local/lib/homeport/certs" --fallback
  [[ ! -f $installed ]] || cp "$installed" "$kept"
  [[ -z ${1:-} ]] || put "$installed" "$1"
  if ! haproxy -c -f "$PROXY" >"$STAGE/proxy.log" 2>&1; then
    restore_proxy
    sed 's/^/  | /' "$STAGE/proxy.log" >&2
    fail "The proxy doesn't take its new configuration." "haproxy -c said the lines above; the configuration before is back." \
      "this is a fault of homeport, or of a file in $PROXY that isn't its own"
  fi
  boot_on homeport-proxy.service
  renew_proxy || {
    last_lines homeport-proxy.service
    restore_proxy
    systemctl reload-or-restart homeport-proxy.service || true
    fail "The proxy doesn't start with its new configuration." "Its last log lines are above; the configuration before is back." \
      "see on the host: systemctl status homeport-proxy"
  }
  ACTIVE[homeport-proxy.service]=active
  PROXY_SEEN=${#WRITTEN[@]}
  [[ $DOMAINS_CHANGED == no || ! -s $PROXY/domains.map ]] || systemctl start --no-block homeport-certs.service || true
}

# renew_proxy: reloads or starts it, and waits until a worker with the new configuration has taken over: the manager can't
# tell, as a worker that doesn't get a port ends while the one before goes on.
renew_proxy() {
  local before='' try
  ! is_active homeport-proxy.service || before=$(proxy_worker)
  systemctl reload-or-restart homeport-proxy.service || return 1
  for try in {1..100}; do
    [[ $(proxy_worker) == @("$before"|'') ]] || return 0
    sleep 0.05
  done
  say "the proxy's new worker hasn't come in $((try / 20)) s"
  return 1
}

# proxy_worker: the number of the process that answers for the proxy; nothing while none does.
proxy_worker() { printf 'show info\n' | socat -t 5 - "UNIX-CONNECT:$PROXY_SOCKET" 2>/dev/null | sed -n 's/^Pid: //p' || true; }

restore_proxy() {
  if [[ -f $STAGE/proxy.kept ]]; then
    text_of "$STAGE/proxy.kept"
    put "$PROXY/$ID.cfg" "$REPLY"
  else
    rm -f "$PROXY/$ID.cfg"
  fi
}

# drop_proxy: takes this app out of the proxy, which stops when nobody is left.
drop_proxy() {
  local others=("$PROXY"/*.cfg)
  [[ -f $PROXY/$ID.cfg || -f $PROXY/domains/$ID ]] || return 0
  rm -f "$PROXY/$ID.cfg" "$STAGE/domains" "$STAGE/domains.map"
  join_domains
  others=("$PROXY"/*.cfg)
  if ((${#others[@]} <= 1)); then
    systemctl stop homeport-proxy.service 2>/dev/null || true
    boot_off homeport-proxy.service
  else
    reload_proxy ''
  fi
}
