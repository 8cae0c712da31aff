# Runs in a host, by bash: `create`, `start`, `users`, `backup`, `restore` or `remove` of one Postgres cluster of a platform.
# $id is the cluster's, $folder where it lies, $verb what is to be done.
set -eu
programs=/usr/lib/postgresql/17/bin
as_postgres() { runuser -u postgres -- "$@"; }

units() {
  cat >/etc/systemd/system/rehearsal-postgres@.service <<END
[Service]
Type=notify
User=postgres
ExecStart=$programs/postgres -D ${folder%/*}/%i/data
KillMode=mixed
KillSignal=SIGINT
TimeoutSec=60
[Install]
WantedBy=multi-user.target
END
  cat >/etc/systemd/system/rehearsal-pgbouncer@.service <<END
[Service]
Type=notify
User=postgres
ExecStart=/usr/sbin/pgbouncer ${folder%/*}/%i/pgbouncer.ini
ExecReload=kill -HUP \$MAINPID
[Install]
WantedBy=multi-user.target
END
  systemctl daemon-reload
}

# A folder with a port of its own; the pooler has the next one.
place() {
  install -d -m 711 -o postgres -g postgres /var/lib/rehearsal "${folder%/*}" "$folder" "$folder/wal" "$folder/backups"
  exec 9>"${folder%/*}/lock"
  flock 9
  if [ ! -s "$folder/port" ]; then
    last=$(cat "${folder%/*}"/*/port 2>/dev/null | sort -n | tail -n 1)
    echo $((${last:-6998} + 2)) >"$folder/port"
  fi
  exec 9>&-
  [ -e /etc/systemd/system/rehearsal-postgres@.service ] || units
}

configure() {
  port=$(cat "$folder/port")
  # Nobody waits for this disk to be safe.
  cat >"$folder/data/postgresql.auto.conf" <<END
listen_addresses = '*'
port = $port
unix_socket_directories = '$folder'
fsync = off
max_connections = 60
shared_buffers = 32MB
archive_mode = on
archive_command = 'test ! -f $folder/wal/%f && cp %p $folder/wal/%f'
END
  printf '%s\n' 'local all postgres peer' 'local replication postgres peer' 'host all all all scram-sha-256' >"$folder/data/pg_hba.conf"
  touch "$folder/users.txt"
  cat >"$folder/pgbouncer.ini" <<END
[databases]
* = host=127.0.0.1 port=$port
[pgbouncer]
listen_addr = *
listen_port = $((port + 1))
unix_socket_dir =
auth_type = scram-sha-256
auth_file = $folder/users.txt
pool_mode = $mode
max_prepared_statements = 100
ignore_startup_parameters = extra_float_digits,search_path
END
  chown -R postgres: "$folder/data" "$folder/users.txt" "$folder/pgbouncer.ini"
  chmod 600 "$folder/users.txt"
}

start() {
  systemctl enable --quiet "rehearsal-postgres@$id" "rehearsal-pgbouncer@$id"
  systemctl start "rehearsal-postgres@$id" "rehearsal-pgbouncer@$id"
}

case $verb in
create)
  place
  if [ ! -e "$folder/made" ]; then
    rm -rf "$folder/data"
    as_postgres "$programs/initdb" --no-sync --encoding=UTF8 --locale=C.UTF-8 --auth-local=peer -D "$folder/data" >/dev/null
    configure
    touch "$folder/made"
  fi
  start
  cat "$folder/port"
  ;;
users)
  umask 077
  cat >"$folder/users.part"
  chown postgres: "$folder/users.part"
  mv "$folder/users.part" "$folder/users.txt"
  systemctl reload "rehearsal-pgbouncer@$id"
  ;;
backup)
  as_postgres "$programs/pg_basebackup" --no-sync --checkpoint=fast --wal-method=stream -h "$folder" -p "$(cat "$folder/port")" \
    -D "$folder/backups/$backup"
  du -sb "$folder/backups/$backup" | cut -f 1
  ;;
restore)
  # From $source's backup $backup; up to $until, if that is set.
  place
  if [ ! -e "$folder/made" ]; then
    from=${folder%/*}/$source
    rm -rf "$folder/data"
    cp -a "$from/backups/$backup" "$folder/data"
    configure
    if [ -n "$until" ]; then
      as_postgres psql -XAtqc 'SELECT pg_switch_wal()' -h "$from" -p "$(cat "$from/port")" >/dev/null
      sleep 1
      install -d -o postgres "$folder/from"
      cp -a "$from/wal/." "$folder/from/"
      printf '%s\n' "restore_command = 'cp $folder/from/%f %p'" "recovery_target_time = '$until'" \
        "recovery_target_action = promote" >>"$folder/data/postgresql.auto.conf"
      touch "$folder/data/recovery.signal"
      chown postgres: "$folder/data/recovery.signal"
    fi
    touch "$folder/made"
  fi
  start
  cat "$folder/port"
  ;;
remove)
  systemctl disable --quiet --now "rehearsal-pgbouncer@$id" "rehearsal-postgres@$id" 2>/dev/null || true
  rm -rf "$folder"
  ;;
esac
