# Locks: one deploy at a time for an app, one change at a time to what all apps of the host share.

# Of this session, by sshd(8): who deploys, and the port that sshd listens on.
read -r CLIENT _ _ SSH_PORT <<<"${SSH_CONNECTION:-}" || true
LOCK_WAIT=${HOMEPORT_LOCK_WAIT:-300}
APP_LOCK='' HOST_LOCK=''

# take_lock: waits a bounded time for the app's lock. It is held until this process ends, so children that may outlive
# it are started with `{APP_LOCK}>&-`.
take_lock() {
  local file=$ROOT/run/homeport/lock-$ID holder
  [[ -d $ROOT/run/homeport ]] || mkdir -p "$ROOT/run/homeport"
  exec {APP_LOCK}<>"$file"
  if ! flock -n "$APP_LOCK"; then
    IFS= read -r holder <"$file" || true
    say "waits for another deploy: ${holder:-unknown}"
    flock -w "$LOCK_WAIT" "$APP_LOCK" || fail "Another deploy of $ID is under way." \
      "It has held the lock for more than $LOCK_WAIT s: ${holder:-unknown}." "wait for it, or end it, then deploy again"
  fi
  tidy_stages
  printf 'process %s, from %s, since %(%FT%TZ)T\n' $$ "${CLIENT:-here}" -1 >"$file"
}

# tidy_stages: folders of deploys that were killed: they hold secrets. Their names begin with their process's number.
tidy_stages() {
  local folder pid
  for folder in "$ROOT"/run/homeport/stage.*; do
    pid=${folder##*/stage.} pid=${pid%%.*}
    [[ $pid =~ ^[0-9]+$ && ! -d /proc/$pid ]] || continue
    rm -rf "$folder"
  done
}

# with_host <command…>: runs it while no other app's deploy touches ports, packages, proxy, firewall or shared files.
with_host() {
  if [[ -n $HOST_LOCK ]]; then
    "$@"
    return
  fi
  exec {HOST_LOCK}<>"$ROOT/run/homeport/lock"
  if ! flock -n "$HOST_LOCK"; then
    say "waits for another app's deploy to this host"
    flock -w "$LOCK_WAIT" "$HOST_LOCK" || fail "The host is busy with another app's deploy." \
      "It has held the host's lock for more than $LOCK_WAIT s." "wait for it, then deploy again"
  fi
  "$@"
  exec {HOST_LOCK}>&-
  HOST_LOCK=''
}
