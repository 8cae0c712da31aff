# Databases on the host: Postgres of the distribution, one database and role an app; Redis is a unit of the app's own.

databases() {
  local name engine
  for name in "${DATABASES[@]}"; do
    engine=${DATABASE[$name:engine]}
    if [[ $engine == postgres ]]; then
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

# drop_databases: for a delete that is to take the data too.
drop_databases() {
  local name database
  for name in "${DATABASES[@]}"; do
    [[ ${DATABASE[$name:engine]} == postgres && -x $ROOT/usr/bin/psql ]] || continue
    database=${DATABASE[$name:database]}
    sql -d postgres <<<"DROP DATABASE IF EXISTS \"$database\" WITH (FORCE);"
    sql -d postgres <<<"DROP ROLE IF EXISTS \"$database\";"
    changed "$name: database $database deleted"
  done
}
