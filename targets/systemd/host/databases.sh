# Databases: Postgres of the distribution, one database and role an app, or a server elsewhere; Redis is a unit of the app's own.

databases() {
  local name engine
  for name in "${DATABASES[@]}"; do
    engine=${DATABASE[$name:engine]}
    if [[ -n ${DATABASE[$name:address]:-} ]]; then
      server_database "$name" "${DATABASE[$name:database]}" "${DATABASE[$name:extensions]:-}"
    elif [[ $engine == postgres ]]; then
      postgres_database "$name" "${DATABASE[$name:database]}" "${DATABASE[$name:extensions]:-}"
    fi
  done
}

# sql [arguments]: runs the statements on stdin as Postgres's superuser; answers without decoration.
# The log is off, since statements that set passwords would be in it as they are.
sql() {
  { printf "SET log_statement = 'none'; SET log_min_duration_statement = -1; SET log_min_error_statement = 'panic';\n" && cat; } |
    (cd / && runuser -u postgres -- psql -X -q -A -t -v ON_ERROR_STOP=1 "$@" {APP_LOCK}>&- 4>&-)
}

postgres_running() {
  local try
  sql -d postgres <<<'SELECT 1;' >/dev/null 2>&1 && return
  systemctl enable -q --now postgresql.service || fail "Postgres doesn't start." "systemctl start postgresql failed." \
    "see on the host: journalctl -u 'postgresql*' -n 50"
  for try in {1..100}; do
    sql -d postgres <<<'SELECT 1;' >/dev/null 2>&1 && return
    sleep 0.1
  done
  fail "Postgres doesn't answer." "$try tries in 10 s failed." "see on the host: journalctl -u 'postgresql*' -n 50"
}

# postgres_database <name> <database and role> <extensions, one a line>
postgres_database() {
  local name=$1 database=$2 extensions=$3 password sum have extension
  password=$(<"$STAGE/secrets/$name.password")
  sum=$(sha256sum "$STAGE/secrets/$name.password")
  sum=${sum%% *}
  local question="SELECT count(*) FROM pg_roles WHERE rolname = '$database'; SELECT count(*) FROM pg_database WHERE datname = '$database';"
  if ! have=$(sql -d postgres <<<"$question" 2>/dev/null); then
    postgres_running
    have=$(sql -d postgres <<<"$question")
  fi
  if [[ $have != 1* ]]; then
    sql -d postgres <<<"CREATE ROLE \"$database\" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE;"
    unset "MARK[password:$name]"
  fi
  if [[ ${MARK[password:$name]:-} != "$sum" ]]; then
    sql -d postgres <<<"SET password_encryption = 'scram-sha-256'; ALTER ROLE \"$database\" PASSWORD '${password//\'/\'\'}';"
    mark "password:$name" "$sum"
  fi
  if [[ $have != *1 ]]; then
    sql -d postgres <<<"CREATE DATABASE \"$database\" OWNER \"$database\";"
    changed "$name: database $database"
  fi
  # Outside of `have`, so that a deploy cut off between the two statements doesn't leave the database open to others.
  [[ ${MARK[closed:$name]:-} == "$database" && $have == *1 ]] || {
    sql -d postgres <<<"REVOKE ALL ON DATABASE \"$database\" FROM PUBLIC;"
    mark "closed:$name" "$database"
  }
  while read -r extension; do
    [[ -n $extension ]] || continue
    [[ ${MARK[extension:$name:$extension]:-} == "$database" && $have == *1 ]] && continue
    sql -d "$database" <<<"CREATE EXTENSION IF NOT EXISTS \"$extension\";" ||
      fail "Extension $extension of $name could not be made." "Postgres said the line above." \
        "choose a host whose packages have it (Debian 13 and Ubuntu 24.04 have pgvector)"
    mark "extension:$name:$extension" "$database"
  done <<<"$extensions"
}

# on_server <database>: runs the statements on stdin on its server, as its user. The password is in a file that root reads alone.
on_server() {
  local name=$1 address port user secret tls=prefer
  address=${DATABASE[$name:address]} port=${DATABASE[$name:port]} user=${DATABASE[$name:user]}
  [[ ${DATABASE[$name:tls]:-} != yes ]] || tls=require
  secret=$(<"$STAGE/secrets/$name.password")
  # In that file, a colon or backslash of a field is escaped (PostgreSQL, "The Password File").
  secret=${secret//\\/\\\\}
  put "$STAGE/secrets/$name.pgpass" "*:*:*:*:${secret//:/\\:}"$'\n'
  PGPASSFILE=$STAGE/secrets/$name.pgpass PGSSLMODE=$tls PGCONNECT_TIMEOUT=10 psql -X -q -A -t -v ON_ERROR_STOP=1 \
    -h "$address" -p "$port" -U "$user" -d "${DATABASE[$name:database]}" {APP_LOCK}>&- 4>&-
}

# server_database <name> <database> <extensions, one a line>: a server of the app alone, that somebody else runs.
server_database() {
  local name=$1 database=$2 extensions=$3 extension key address
  address=${DATABASE[$name:address]}
  key="$database@$address"
  [[ ${MARK[reached:$name]:-} == "$key" ]] || {
    await_server "$name"
    check_client "$name"
    mark "reached:$name" "$key"
  }
  while read -r extension; do
    [[ -n $extension && ${MARK[extension:$name:$extension]:-} != "$key" ]] || continue
    on_server "$name" <<<"CREATE EXTENSION IF NOT EXISTS \"$extension\";" ||
      fail "Extension $extension of $name could not be made." "$address said the line above." \
        "choose a version of PostgreSQL there that has the extension, or leave it out"
    mark "extension:$name:$extension" "$key"
  done <<<"$extensions"
}

# await_server <name>: a server that has just been made answers after some minutes; one that refuses the password never will.
await_server() {
  local name=$1 address=${DATABASE[$1:address]} seconds=${HOMEPORT_SERVER_SECONDS:-300} deadline
  deadline=$((SECONDS + seconds))
  until on_server "$name" <<<'SELECT 1;' >/dev/null 2>"$STAGE/server.log"; do
    if grep -qE 'password authentication failed|no pg_hba.conf entry|does not exist|does not support SSL' "$STAGE/server.log" || ((SECONDS >= deadline)); then
      sed 's/^/  | /' "$STAGE/server.log" >&2
      fail "The database server of $name can't be used." "$address:${DATABASE[$name:port]} said the lines above (tried for up to $seconds s)." \
        "see that it runs, that it lets this host in (its security group) and that its password is the stack's, then deploy again"
    fi
    say "waits for $address"
    pause 3
  done
}

# check_client <name>: pg_dump refuses servers that are newer than itself, which a backup would tell at night.
check_client() {
  local server client
  [[ ${DATABASE[$1:backed-up]:-} == yes ]] || return 0
  server=$(on_server "$1" <<<'SHOW server_version_num;')
  client=$(pg_dump --version)
  client=${client##*) }
  ((server / 10000 <= ${client%%.*})) || fail "$1 can't be backed up from this host." \
    "Its server is PostgreSQL $((server / 10000)), and pg_dump here is ${client%% *}." \
    "choose a system with newer packages for the host (Debian 13 and Amazon Linux 2023 have 17), or an older version for the server"
}

# drop_databases: for a delete that is to take the data too.
drop_databases() {
  local name database
  for name in "${DATABASES[@]}"; do
    [[ ${DATABASE[$name:engine]} == postgres && -z ${DATABASE[$name:address]:-} && -x $ROOT/usr/bin/psql ]] || continue
    database=${DATABASE[$name:database]}
    # What a deploy never came to make isn't worth a server that doesn't start.
    if ! sql -d postgres <<<'SELECT 1;' >/dev/null 2>&1; then
      [[ -n ${MARK[closed:$name]:-} ]] || continue
      postgres_running
    fi
    sql -d postgres <<<"DROP DATABASE IF EXISTS \"$database\" WITH (FORCE);"
    sql -d postgres <<<"DROP ROLE IF EXISTS \"$database\";"
    changed "$name: database $database deleted"
  done
}
