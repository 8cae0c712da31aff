# shellcheck shell=bash disable=SC2154
# Part of `restore`: prove_<engine> makes the new data ready beside the present one, swap_<engine> puts it in its place.

# The new file is made by the owner of the folder, on its disk: a rename then changes all or nothing.
prove_sqlite() {
  local file=${db[PATH]} answer size home
  home=${file%/*}
  [[ -d $home ]] || die "$name: there is no folder $home; deploy the app once, then restore"
  gzip --test <"$archive" 2>/dev/null || die "$name: $archive is no intact gzip file; nothing was changed"
  size=$(gzip --decompress --stdout <"$archive" | wc -c)
  need_space "$size" "$folder" "$name: the proof"
  gzip --decompress --stdout <"$archive" >"$work/proof"
  answer=$(sqlite3 -bail "$work/proof" 'PRAGMA integrity_check' 2>&1 | head -n 3) || true
  [[ $answer == ok ]] || die "$name: $archive holds no intact database, nothing was changed: $answer"
  tables=$(sqlite3 "$work/proof" "SELECT count(*) FROM sqlite_master WHERE type = 'table'")
  ((size > 0 && tables > 0)) || die "$name: $archive holds no tables; nothing was changed"
  need_space "$size" "$home" "$name: the restored data"
  new=$file.restoring
  # shellcheck disable=SC2016
  as_owner "$home" bash -c 'umask 027; rm -f "$1" && cat >"$1" && sync "$1"' - "$new" <"$work/proof"
  cmp --silent "$work/proof" "$new" || die "$name: $new isn't what was written; nothing was changed"
  rm -f "$work/proof"
  say "$name: the archive is intact: $(human "$size"), $tables tables"
}

swap_sqlite() {
  local file=${db[PATH]} home
  home=${file%/*}
  if [[ -e $file ]]; then
    aside=$file.before-restore-$time
    # With nobody left who has it open, this folds the log into the file. A log that stays would be read into the new one.
    as_owner "$home" sqlite3 -bail "$file" 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null 2>&1 ||
      warn "$name: the present data isn't intact; it is kept as it is"
    chmod --reference="$file" "$new"
    as_owner "$home" ln "$file" "$aside"
  else
    chmod 640 "$new"
  fi
  local part
  for part in -wal -shm -journal; do
    [[ ! -e $file$part ]] || as_owner "$home" mv "$file$part" "${aside:-$file.before-restore-$time}$part"
  done
  as_owner "$home" mv -f "$new" "$file"
  as_owner "$home" sync "$home"
  ! command -v restorecon >/dev/null || restorecon "$file" || true
  say "$name: $file is the restored one now"
}

prove_postgres() {
  local size
  sql 'SELECT 1' >/dev/null || die "$name: PostgreSQL doesn't answer${db[HOST]:+ at ${db[HOST]}}; where it is the host's own, see: systemctl status postgresql"
  [[ -n $(sql "SELECT 1 FROM pg_roles WHERE rolname = '$role'") ]] ||
    die "$name: there is no role \"$role\"; deploy the app once, then restore"
  postgres pg_restore --file=/dev/null <"$archive" 2>/dev/null || die "$name: $archive is no intact dump; nothing was changed"
  new=$(beside __restore)
  size=$(($(stat -c %s "$archive") * 4))
  [[ -n ${db[HOST]:-} ]] || need_space "$size" "$(sql 'SHOW data_directory')" "$name: the restored data"
  fill_scratch "$archive" "$new" || {
    drop_scratch "$new"
    die "$name: $archive can't be restored; nothing was changed"
  }
  say "$name: the archive is restored beside the present data: $(count_rows "$new") rows"
}

# Both renames in one transaction. They need a database that nobody is connected to, and clients outside the app may come back.
swap_postgres() {
  local database=${db[DATABASE]} try
  aside=
  [[ -z $(sql "SELECT 1 FROM pg_database WHERE datname = '$database'") ]] || aside=$(beside "__before_$time")
  for try in 1 2 3 4 5; do
    # Who isn't a superuser may end sessions of its own role alone.
    sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname IN ('$database', '$new')${db[HOST]:+ AND usename = current_user}" >/dev/null
    if postgres psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --dbname=postgres --single-transaction \
      ${aside:+--command="ALTER DATABASE \"$database\" RENAME TO \"$aside\""} \
      --command="ALTER DATABASE \"$new\" RENAME TO \"$database\""; then
      say "$name: \"$database\" is the restored one now${aside:+; drop the other when all is well: DROP DATABASE \"$aside\"}"
      return
    fi
    sleep "$try"
  done
  drop_scratch "$new"
  die "$name: somebody stays connected to \"$database\"; it is as it was. See: SELECT * FROM pg_stat_activity"
}
