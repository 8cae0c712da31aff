# shellcheck shell=bash
# What saving and restoring share. In the environment: COURIER_HOST, COURIER_PORT and COURIER_NONCE, where the copy goes to or
# comes from, and DATABASE_VARIABLE, the name of the variable that holds the database's URL.
set -euo pipefail
umask 077
# A connection to the courier as file descriptor $to, with its request sent.
meet() { exec {to}<>"/dev/tcp/$COURIER_HOST/$COURIER_PORT" && printf '%s %s\n' "$COURIER_NONCE" "$*" >&"$to"; }
say() { printf '%s\n' "$*"; { meet say "$*" && exec {to}>&-; } 2>/dev/null || true; }
die() { say "$*"; exit 1; }
work=$(mktemp -d)
trap 'code=$?; if (( code != 0 )) && [[ -s $work/err ]]; then say "$(tail -n 3 "$work/err" | tr "\n" " ")"; fi; rm -rf "$work"' EXIT
PATH=$PATH:$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)

# The URL's parts as libpq's variables: arguments are for all to see.
url=${!DATABASE_VARIABLE}
rest=${url#*://} login=${rest%%@*} rest=${rest#*@} at=${rest%%/*}
plain() { printf '%b' "${1//%/\\x}"; }
PGUSER=$(plain "${login%%:*}") PGPASSWORD=$(plain "${login#*:}") PGHOST=${at%%:*} PGPORT=5432 PGDATABASE=$(plain "${rest#*/}")
[[ $at != *:* ]] || PGPORT=${at##*:}
PGDATABASE=${PGDATABASE%%\?*}
export PGUSER PGPASSWORD PGHOST PGPORT PGDATABASE PGCONNECT_TIMEOUT=20

sql() { psql --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 "$@" 2>>"$work/err"; }
rows="SELECT coalesce(sum((xpath('/row/c/text()', query_to_xml(format('SELECT count(*) AS c FROM %I.%I', schemaname, tablename),
  false, true, '')))[1]::text::bigint), 0) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
human() { numfmt --to=iec --suffix=B "$1"; }
