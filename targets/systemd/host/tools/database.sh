# shellcheck shell=bash
# What `backup` and `restore` share: a database's settings, the bucket, PostgreSQL as its own superuser.

# load_database <id> <database>: the settings into `db`, the folder of local backups into `folder`.
# shellcheck disable=SC2034
load_database() {
  need_app "$1"
  name_ok "$2" || usage "\"$2\" is no name of a database"
  declare -gA db=([ENGINE]='' [KEEP]=7)
  local known=("$CONFIG_ROOT/$1/backup/"*)
  read_config "$CONFIG_ROOT/$1/backup/$2" db ||
    usage "$1 has no backup of \"$2\"; it has: ${known[*]##*/}"
  folder=$BACKUP_ROOT/$1/$2
  case ${db[ENGINE]} in
    sqlite)
      suffix=.db.gz
      [[ ${db[PATH]:-} == /* ]] || die "PATH is missing in $CONFIG_ROOT/$1/backup/$2"
      ;;
    postgres)
      suffix=.dump
      name_ok "${db[DATABASE]:-}" || die "DATABASE is missing in $CONFIG_ROOT/$1/backup/$2"
      role=${db[USER]:-${db[DATABASE]}}
      ;;
    *) die "ENGINE in $CONFIG_ROOT/$1/backup/$2 is \"${db[ENGINE]}\", not sqlite or postgres" ;;
  esac
  [[ ${db[KEEP]} =~ ^[1-9][0-9]*$ ]] || die "KEEP in $CONFIG_ROOT/$1/backup/$2 is \"${db[KEEP]}\", not a number from 1"
  # Others pass through these folders to their desks (below), and read nothing in them.
  [[ -d $BACKUP_ROOT ]] || install -d -m 755 "$BACKUP_ROOT"
  install -d -m 711 "$BACKUP_ROOT/$1"
  mkdir -p "$folder"
}

# make_work <id> <database>: two folders of this run alone, on the disk of the backups: `work` for root, and `desk` for the
# user that owns the data. Gone with the process; what a killed run left goes now, as the lock is ours.
make_work() {
  rm -rf "$folder"/.work.* "$BACKUP_ROOT/$1/.desk.$2".*
  trap 'rm -rf "${work:-}" "${desk:-}"' EXIT
  work=$(mktemp -d "$folder/.work.XXXXXX")
  desk=$(mktemp -d "$BACKUP_ROOT/$1/.desk.$2.XXXXXX")
}

# need_space <bytes> <folder> <what for>
need_space() {
  local free
  free=$(free_bytes "$2")
  ((free >= $1 + 16777216)) ||
    die "$3 needs $(human "$1") in $2, which has $(human "$free"); remove what isn't needed or grow the disk. Nothing was changed"
}

# The AWS CLI with the bucket's own key, handed over in files that only root reads, within bounded time.
bucket() {
  local style=''
  [[ -z ${db[ENDPOINT]:-} ]] || style=$'s3 =\n  addressing_style = path\n'
  if [[ ! -e $work/aws-config ]]; then
    # Stores that speak S3 don't all know the checksums that newer clients add on their own.
    printf '[default]\nregion = %s\nretry_mode = standard\nmax_attempts = 5\ncli_pager =\n%s%s' "${db[REGION]:-us-east-1}" \
      $'request_checksum_calculation = when_required\nresponse_checksum_validation = when_required\n' "$style" >"$work/aws-config"
    if [[ -n ${db[ACCESS_KEY_ID]:-} ]]; then
      printf '[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n' "${db[ACCESS_KEY_ID]}" "${db[SECRET_ACCESS_KEY]:-}" >"$work/aws-key"
    fi
  fi
  env -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY -u AWS_SESSION_TOKEN -u AWS_PROFILE -u AWS_REGION -u AWS_DEFAULT_REGION \
    AWS_CONFIG_FILE="$work/aws-config" AWS_SHARED_CREDENTIALS_FILE="$work/aws-key" AWS_EC2_METADATA_DISABLED="${db[ACCESS_KEY_ID]:+true}" \
    timeout "${BUCKET_SECONDS:-3600}" aws ${db[ENDPOINT]:+--endpoint-url "${db[ENDPOINT]}"} --cli-connect-timeout 10 --cli-read-timeout 60 "$@"
}

# As PostgreSQL's superuser over its own socket: the system user is the proof of identity (peer), so no password travels. On a
# server elsewhere (HOST) as the app's own user, who made the app's database and may make others, with a file that root reads.
postgres() {
  if [[ -n ${db[HOST]:-} ]]; then
    on_server "$@"
  elif [[ -n $ROOT ]]; then
    "$@"
  else
    as_user postgres postgres "$@"
  fi
}
on_server() {
  local secret=${db[PASSWORD]//\\/\\\\}
  [[ -e $work/pgpass ]] || printf '*:*:*:*:%s\n' "${secret//:/\\:}" >"$work/pgpass"
  PGPASSFILE=$work/pgpass PGHOST=${db[HOST]} PGPORT=${db[PORT]:-5432} PGUSER=${db[USER]} PGSSLMODE=${db[SSL]:-prefer} PGCONNECT_TIMEOUT=20 "$@"
}
sql() { postgres psql --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 --dbname="${2:-postgres}" --command="$1"; }
drop_scratch() { sql "DROP DATABASE IF EXISTS \"$1\"" 2>/dev/null || true; }
# Name of a database beside the app's; PostgreSQL cuts names at 63 bytes.
beside() { printf '%s' "${db[DATABASE]:0:$((63 - ${#1}))}$1"; }

# fill_scratch <archive> <scratch>: a database of the same owner and rights as the app's, with the archive's content.
# Extensions are made here, by the superuser: the app's role may not, and all else is to be owned by that role.
fill_scratch() {
  local archive=$1 scratch=$2 extension
  drop_scratch "$scratch"
  # Callers ask for the outcome with `||`, which switches `set -e` off in here: each step says it itself.
  sql "CREATE DATABASE \"$scratch\" OWNER \"$role\"" || return
  sql "REVOKE ALL ON DATABASE \"$scratch\" FROM PUBLIC" || return
  postgres pg_restore --list <"$archive" >"$work/contents" || return
  while read -r extension; do
    sql "CREATE EXTENSION IF NOT EXISTS \"$extension\"" "$scratch" || return
  done < <(sed -nE 's/^[0-9]+; [0-9]+ [0-9]+ EXTENSION - ([^ ]+) .*/\1/p' "$work/contents")
  # A list given by --use-list keeps these lines only; `SCHEMA - public` is there already and stays its owner's.
  grep -vE '^[0-9]+; [0-9]+ [0-9]+ (EXTENSION|COMMENT - EXTENSION|SCHEMA - public|COMMENT - SCHEMA public)' "$work/contents" >"$desk/list" || true
  if [[ -z $ROOT && -z ${db[HOST]:-} ]]; then chown -R postgres: "$desk" || return; fi
  postgres pg_restore --dbname="$scratch" --no-owner --no-privileges --role="$role" --exit-on-error --single-transaction \
    --use-list="$desk/list" <"$archive"
}
# Number of rows in all tables, counted, not estimated.
count_rows() {
  sql "SELECT coalesce(sum((xpath('/row/c/text()', query_to_xml(format('SELECT count(*) AS c FROM %I.%I', schemaname, tablename),
       false, true, '')))[1]::text::bigint), 0) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')" "$1"
}
