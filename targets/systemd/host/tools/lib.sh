# shellcheck shell=bash
# What the host's tools share. Sourced, never run. Calling conventions: LAYOUT.md.
set -Eeuo pipefail
shopt -s inherit_errexit nullglob
umask 077
export LC_ALL=C.UTF-8 TZ=UTC

# A prefix to every path, for tests.
ROOT=${HOMEPORT_ROOT:-}
CONFIG_ROOT=$ROOT/etc/homeport
STATE_ROOT=$ROOT/var/lib/homeport
# shellcheck disable=SC2034
BACKUP_ROOT=$ROOT/var/backups
# shellcheck disable=SC2034
TOOL=${0##*/} TOOLS=$(cd "${BASH_SOURCE[0]%/*}" && pwd)

# systemd reads the priority of a line from its prefix (sd-daemon(3)); people at a terminal are spared it.
say() { printf '%s\n' "$*"; }
warn() { printf '%s%s: %s\n' "${JOURNAL_STREAM:+<4>}" "$TOOL" "$*" >&2; }
complain() { printf '%s%s: %s\n' "${JOURNAL_STREAM:+<3>}" "$TOOL" "$*" >&2; }
die() {
  complain "$*"
  exit "${STATUS:-1}"
}
# The caller's mistake, as in sysexits(3).
usage() { STATUS=64 die "$*"; }
trap 'complain "line $LINENO failed: ${BASH_COMMAND%%[[:space:]]*} (exit code $?)"' ERR

# Names go into paths, SQL and unit names: nothing else than these characters may arrive there.
name_ok() { [[ $1 =~ ^[A-Za-z0-9][A-Za-z0-9_.-]*$ ]]; }
need_app() {
  name_ok "$1" || usage "\"$1\" is no app id"
  [[ -d $CONFIG_ROOT/$1 ]] || usage "there is no app \"$1\" on this host; those here: $(app_ids | paste -sd' ' -)"
}
app_ids() {
  local file
  for file in "$CONFIG_ROOT"/*/alert; do file=${file%/alert} && say "${file##*/}"; done
}

# read_config <file> <array>: KEY=value lines into an associative array; text, never run as shell.
read_config() {
  local -n into=$2
  local line
  [[ -r $1 ]] || return 1
  while IFS= read -r line || [[ -n $line ]]; do
    [[ $line =~ ^([A-Z_]+)=(.+)$ ]] || continue
    # shellcheck disable=SC2034,SC2004
    into[${BASH_REMATCH[1]}]=${BASH_REMATCH[2]}
  done <"$1"
}

# The lines of the app's watch file that begin with a word, without that word.
watch_lines() {
  local word rest
  [[ -r $CONFIG_ROOT/$1/watch ]] || return 0
  while read -r word rest; do [[ $word != "$2" ]] || say "$rest"; done <"$CONFIG_ROOT/$1/watch"
}

# active_slot <id> <service>: the slot that serves, nothing before the first deploy.
active_slot() {
  local service slot rest
  [[ -r $CONFIG_ROOT/$1/state ]] || return 0
  while read -r service slot rest; do [[ $service != "$2" ]] || say "$slot"; done <"$CONFIG_ROOT/$1/state"
}

# The app that a unit belongs to: the longest id that its name begins with, for `a-b` and `a-b-c` may both be here.
app_of_unit() {
  local id best=
  while read -r id; do
    [[ $1 != "$id"[-.]* || ${#id} -le ${#best} ]] || best=$id
  done < <(app_ids)
  say "$best"
}

# Units of one app in given states, without those of an app whose id is a longer one.
units_of() {
  local id=$1 state=$2 unit
  while read -r unit _; do
    [[ -z $unit || $(app_of_unit "$unit") != "$id" ]] || say "$unit"
  done < <(systemctl list-units --all --plain --no-legend --no-pager --state="$state" "$id-*" || true)
}

# lock <name>: one holder on the machine until this process ends. Its children inherit it, so none is left behind.
lock() {
  mkdir -p "$STATE_ROOT/lock"
  exec {LOCK}>>"$STATE_ROOT/lock/$1"
  flock --nonblock "$LOCK" || STATUS=75 die "$1 is being backed up or restored already; try again when that is done"
}

# write_file <path> [mode]: stdin to a file that is there whole or not at all, also after a power cut.
write_file() {
  local temporary
  temporary=$(mktemp "${1%/*}/.new.XXXXXX")
  cat >"$temporary" && chmod "${2:-600}" "$temporary" && sync "$temporary" && mv -f "$temporary" "$1" && sync "${1%/*}"
}

# healthy <port> <path> [host] [seconds]: an answer below 400 from a loopback port, asked for by the host name if there is one.
healthy() {
  local code
  code=$(curl --silent --output /dev/null --noproxy '*' --max-time "${4:-5}" ${3:+--header "Host: $3"} --write-out '%{http_code}' "http://127.0.0.1:$1$2") || return 1
  ((10#$code >= 200 && 10#$code < 400))
}

# curl_secret <curl options…>: the URL comes on stdin, so that no list of processes shows it.
# In curl's configuration only the backslash and the double quote mean something within quotes.
curl_secret() {
  local url
  IFS= read -r url
  url=${url//\\/\\\\}
  printf 'url = "%s"\n' "${url//\"/\\\"}" | curl --config - --silent --show-error --fail --output /dev/null "$@"
}

# as_owner <file or folder> <command…>: as the user who owns it, so that a link planted by an app leads nowhere new.
as_owner() {
  local owner
  owner=$(stat --format=%u:%g "$1")
  shift
  as_user "${owner%:*}" "${owner#*:}" "$@"
}
# as_user <user> <group> <command…>: setpriv opens no session, which would be two lines of the journal each time.
as_user() {
  local user=$1 group=$2
  shift 2
  if [[ $user == "$EUID" ]]; then "$@"; else (cd / && HOME=/ setpriv --reuid="$user" --regid="$group" --clear-groups -- "$@"); fi
}

free_bytes() { df --output=avail --block-size=1 "$1" | tail -n 1 | tr -d ' '; }
human() { numfmt --to=iec --suffix=B "$1"; }
