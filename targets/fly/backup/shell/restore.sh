# Puts a dump in the place of a Postgres database's content, in one transaction: it comes whole or not at all. Extensions stay, as
# the database's owner may not make all of them; so does what isn't the app's own.
{ meet get && read -r bytes sum <&"$to"; } || die "the copy doesn't come; nothing was changed"
head -c "$bytes" <&"$to" >"$work/dump"
[[ $(stat -c %s "$work/dump") == "$bytes" ]] || die "only a part of the copy came; nothing was changed"
[[ $sum == - || $(sha256sum <"$work/dump" | cut -d' ' -f1) == "$sum" ]] || die "the copy isn't what was uploaded; nothing was changed"
pg_restore --list "$work/dump" >"$work/contents" 2>>"$work/err" || die "it is no dump of pg_dump --format=custom; nothing was changed"
pg_restore --file=/dev/null "$work/dump" 2>>"$work/err" || die "the dump isn't intact; nothing was changed"
sed -nE 's/^[0-9]+; [0-9]+ [0-9]+ EXTENSION - ([^ ]+) .*/\1/p' "$work/contents" | while read -r name; do
  [[ -n $(sql --command="SELECT 1 FROM pg_extension WHERE extname = '$name'") ]] ||
    sql --command="CREATE EXTENSION \"$name\"" || die "the dump needs the extension $name, which can't be made here; nothing was changed"
done
grep -vE '^[0-9]+; [0-9]+ [0-9]+ (EXTENSION|COMMENT - EXTENSION|SCHEMA - public|COMMENT - SCHEMA public)' "$work/contents" >"$work/list" || true
pg_restore --no-owner --no-privileges --use-list="$work/list" --file="$work/sql" "$work/dump" 2>>"$work/err" || die "the dump can't be read"
# Newer programs set what older servers don't know.
sed -i '1,40{/^SET transaction_timeout = 0;$/d}' "$work/sql"
cat >"$work/clear" <<'SQL'
SET lock_timeout = '60s';
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
  WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid();
DO $$
DECLARE one record;
BEGIN
  FOR one IN
    SELECT format('DROP %s IF EXISTS %I.%I CASCADE', CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW'
        WHEN 'S' THEN 'SEQUENCE' WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END, n.nspname, c.relname) AS line
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.classid = 'pg_class'::regclass AND d.deptype = 'e')
    UNION ALL
    SELECT format('DROP ROUTINE IF EXISTS %s CASCADE', p.oid::regprocedure)
      FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
      WHERE n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e')
    UNION ALL
    SELECT format('DROP %s IF EXISTS %I.%I CASCADE', CASE t.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END, n.nspname, t.typname)
      FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
      WHERE t.typtype IN ('e', 'd', 'r') AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = t.oid AND d.classid = 'pg_type'::regclass AND d.deptype = 'e')
    UNION ALL
    SELECT format('DROP SCHEMA IF EXISTS %I CASCADE', n.nspname) FROM pg_namespace n
      WHERE n.nspname NOT LIKE 'pg\_%' AND n.nspname NOT IN ('information_schema', 'public')
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.refobjid = n.oid AND d.refclassid = 'pg_namespace'::regclass AND d.classid = 'pg_extension'::regclass)
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = n.oid AND d.classid = 'pg_namespace'::regclass AND d.deptype = 'e')
  LOOP
    EXECUTE one.line;
  END LOOP;
END
$$;
SQL
sql --single-transaction --file="$work/clear" --file="$work/sql" >/dev/null || die "the dump can't be restored; the database is as it was"
say "restored: $(sql --command="$rows") rows"
