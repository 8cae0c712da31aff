# Saves a Postgres database, proves the copy by restoring it, and hands it to the courier.
# A server of this machine's own, that nobody but it reaches; it takes its data along when the machine goes.
as_server() {
  local user=()
  (( $(id -u) != 0 )) || user=(setpriv --reuid=postgres --regid=postgres --clear-groups --)
  env -i PATH="$PATH" LC_ALL=C.UTF-8 PGHOST="$work/server" PGUSER=postgres "${user[@]}" "$@"
}
prove() {
  local before=$1 size free lacking after
  pg_restore --file=/dev/null "$work/dump" 2>>"$work/err" || die "the dump isn't intact"
  size=$(sql --command='SELECT pg_database_size(current_database())')
  free=$(df --block-size=1 --output=avail "$work" | tail -n 1)
  pg_restore --list "$work/dump" >"$work/contents"
  lacking=$(sed -nE 's/^[0-9]+; [0-9]+ [0-9]+ EXTENSION - ([^ ]+) .*/\1/p' "$work/contents" | while read -r name; do
    compgen -G "/usr/share/postgresql/*/extension/$name.control" >/dev/null || echo "$name"
  done)
  if (( free < size * 2 )); then say "no room to restore it for proof; read through from end to end instead"; return; fi
  if [[ -n $lacking ]]; then say "this image has no $lacking to restore it for proof; read through from end to end instead"; return; fi
  # Nobody else is on this machine; the server doesn't run as root.
  mkdir -m 755 "$work/server"
  chmod 755 "$work"
  chmod 644 "$work/dump"
  if (( $(id -u) == 0 )); then chown postgres: "$work/server"; fi
  as_server initdb --pgdata="$work/server/data" --auth=trust --encoding=UTF8 --username=postgres >"$work/log" 2>&1 || die "no server for the proof: $(tail -n 1 "$work/log")"
  as_server pg_ctl start --wait --silent --pgdata="$work/server/data" --log="$work/server/log" \
    --options="-c listen_addresses= -c unix_socket_directories=$work/server -c fsync=off" || die "no server for the proof: $(tail -n 1 "$work/server/log")"
  grep -vE '^[0-9]+; [0-9]+ [0-9]+ (SCHEMA - public|COMMENT - SCHEMA public)' "$work/contents" >"$work/server/list" || true
  chmod 644 "$work/server/list"
  as_server createdb proof
  as_server pg_restore --dbname=proof --no-owner --no-privileges --exit-on-error --use-list="$work/server/list" "$work/dump" 2>>"$work/err" || die "the dump can't be restored"
  after=$(as_server psql --no-psqlrc --quiet --tuples-only --no-align --dbname=proof --command="$rows")
  as_server pg_ctl stop --mode=immediate --silent --pgdata="$work/server/data"
  say "restored into a scratch database for proof: $after rows (the live one had $before just before)"
  (( after > 0 || before == 0 )) || die "the restored copy is empty; the live database has $before rows"
}
before=$(sql --command="$rows") || die "the database can't be read"
pg_dump --format=custom --lock-wait-timeout=60s --file="$work/dump" 2>>"$work/err" || die "pg_dump failed"
prove "$before"
bytes=$(stat -c %s "$work/dump") sum=$(sha256sum <"$work/dump" | cut -d' ' -f1)
for try in 1 2 3 4 5; do
  answer='no answer'
  if meet put "$bytes" "$sum" && cat "$work/dump" >&"$to"; then read -r answer <&"$to" || true; fi
  exec {to}>&- || true
  if [[ $answer == kept ]]; then echo "kept $(human "$bytes")"; exit 0; fi
  say "not kept yet (attempt $try): ${answer#refused }"
  sleep $((try * 3))
done
exit 1
