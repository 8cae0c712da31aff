#!/bin/sh
# Runs a command as part of control groups, so that it can be found and ended however this process's parent ends.
# Usage: grouped.sh FOLDER CGROUP... -- COMMAND...
set -eu
cd "$1"
shift
while [ "$1" != -- ]; do
  mkdir -p "$1"
  echo $$ >"$1/cgroup.procs"
  shift
done
shift
exec "$@"
