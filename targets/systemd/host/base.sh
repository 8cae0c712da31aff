#!/bin/bash
# Makes one app of one stack on this host be as its plan says. Runs as root in the folder of an unpacked stage;
# targets/systemd/LAYOUT.md says what is where. HOMEPORT_ROOT, put before every path, is for tests.
set -Eeuo pipefail
shopt -s nullglob inherit_errexit
export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
umask 077

ROOT=${HOMEPORT_ROOT:-}
STAGE=$PWD
APP='' STACK='' ID='' APP_USER='' RELEASES_KEPT=5 MANAGE_FIREWALL=no OWNER='' ON_DELETE='keep data' DATA_SERIAL='' ROOT_GIB=''
NEEDS=() SERVICES=() RELEASES=() DATABASES=() PORT_KEYS=() TIMERS=() UNITS=() HOST_UNITS=()
declare -A SERVICE=() DATABASE=()
CHANGES=()

# Only frames go to our stdout; whatever a command prints is progress.
exec 4>&1 1>&2
# A client that went away is noticed by a failing write, and then cleaned up after, not by sudden death.
trap '' PIPE

say() { printf '%s: %s\n' "${ID:-homeport}" "$*" >&2; }

# One line of HostResult's `changes`, shown as progress too.
changed() {
  CHANGES+=("$*")
  say "$*"
}

# Sets REPLY to the text as a JSON string.
json_string() {
  local text=$1
  text=${text//\\/\\\\}
  text=${text//\"/\\\"}
  text=${text//$'\n'/\\n}
  text=${text//$'\t'/\\t}
  text=${text//[[:cntrl:]]/ }
  REPLY="\"$text\""
}

frame() { printf '@homeport %s\n' "$*" >&4; }

# fail <what> <why> <fix>: tells the driver, which words it for the person, and ends.
fail() {
  local what why where fix
  json_string "$1" && what=$REPLY
  json_string "$2" && why=$REPLY
  json_string "$3" && fix=$REPLY
  json_string "${ID:-?} on ${HOSTNAME:-this host}" && where=$REPLY
  TOLD=yes
  frame "FAIL {\"what\":$what,\"where\":$where,\"why\":$why,\"fix\":$fix}"
  exit 1
}

# Runs for every command that fails unforeseen.
unforeseen() {
  local status=$1 line=$2 command=$3
  ((BASH_SUBSHELL == 0)) || exit "$status"
  fail "A step of the deploy failed." "\`${command%%$'\n'*}\` ended with status $status (line $line of deploy.sh)." \
    "see the lines above, mend the cause on the host and deploy again: nothing half-done is left to clean up"
}
trap 'unforeseen "$?" "$LINENO" "$BASH_COMMAND"' ERR

# Milliseconds since 1970 in REPLY, without a process where bash has a clock (5.0).
now() {
  if [[ -n ${EPOCHREALTIME:-} ]]; then REPLY=$((${EPOCHREALTIME/./} / 1000)); else REPLY=$(date +%s%3N); fi
}

# trace <step>: with HOMEPORT_TRACE=1, tells how long it took since the last call.
trace() {
  [[ ${HOMEPORT_TRACE:-0} == 1 ]] || return 0
  local last=${TRACE_LAST:-}
  now
  TRACE_LAST=$REPLY
  [[ -z $last ]] || say "trace: $((TRACE_LAST - last)) ms $1"
}

# seconds <milliseconds>: `1.2 s` in REPLY.
seconds() { REPLY="$(($1 / 1000)).$(($1 % 1000 / 100)) s"; }

# pause <seconds>: waits without a process, and notices when the deploying side has gone.
pause() {
  local status=0
  read -r -t "$1" -u 0 _ || status=$?
  if ((status == 1)); then
    fail "The deploy was given up." "The SSH session that it ran in has ended." "deploy again"
  fi
}

# put <path> <text>: a private file's new content; it is there whole or not at all.
put() {
  printf %s "$2" >"$1.new"
  mv -f "$1.new" "$1"
}

# text_of <path>: the file in REPLY, without a process.
text_of() {
  REPLY=
  [[ ! -s $1 ]] || IFS= read -r -d '' REPLY <"$1" || true
}

# link <target> <path>: points a symlink anew without a moment in which it lacks.
link() {
  [[ ! -L $2 || ! $2 -ef ${2%/*}/$1 ]] || return 0
  ln -sfn "$1" "$2.new"
  mv -fT "$2.new" "$2"
}

# in_list <word> <words…>
in_list() {
  local word=$1 other
  shift
  for other in "$@"; do [[ $other != "$word" ]] || return 0; done
  return 1
}
