# Releases: asked for where the host lacks them, made ready at their final path, and complete only when `.complete` is there.
# A release that was cut off lacks that file, is used by nobody, and is wiped by the next deploy.

RELEASE_WAIT=120
MADE=() COMPILE=() SYNCING=''

# releases: all that the plan's services need.
releases() {
  local id
  for id in "${RELEASES[@]}"; do
    [[ -e $HOME_OF_APP/releases/$id/.complete ]] || make_release "$id"
  done
}

# service_of <release id>: the first service that runs it, in REPLY.
service_of() {
  for REPLY in "${SERVICES[@]}"; do
    [[ ${SERVICE[$REPLY:release]:-} != "$1" ]] || return 0
  done
}

make_release() {
  local id=$1 folder=$HOME_OF_APP/releases/$1 service started
  service_of "$id"
  service=$REPLY
  rm -rf "$folder"
  receive_release "$id" "$folder" "$service"
  now
  started=$REPLY
  APP_PATH=$folder/.venv/bin:$folder/node_modules/.bin:$folder/.homeport/bin:/usr/local/bin:/usr/bin:/bin
  case ${SERVICE[$service:language]:-} in
    python) python_dependencies "$service" "$folder" ;;
    node) node_dependencies "$service" "$folder" ;;
  esac
  build "$service" "$folder"
  [[ ${SERVICE[$service:language]:-} != python ]] || COMPILE+=("$folder")
  MADE+=("$id")
  now
  seconds $((REPLY - started))
  changed "$service: release $id is ready after $REPLY"
}

# receive_release <id> <folder> <service>
receive_release() {
  local id=$1 folder=$2 service=$3 word='' got='' bytes=''
  frame "NEED release $id"
  IFS=' ' read -r -t "$RELEASE_WAIT" word got bytes || true
  [[ $word == RELEASE && $got == "$id" && $bytes =~ ^[0-9]+$ ]] ||
    fail "Release $id of $service did not arrive." "The deploying side sent ${word:-nothing} within $RELEASE_WAIT s." "deploy again"
  mkdir -m 0755 "$folder"
  # A client that is gone without a word mustn't keep the lock for ever.
  timeout 3600 head -c "$bytes" | (umask 022 && tar -xz --no-same-owner --no-same-permissions -C "$folder") ||
    fail "Release $id of $service could not be unpacked." "The lines above say why (a full disk, a connection that broke)." \
      "mend that and deploy again"
  # These would be taken for what is installed here.
  rm -rf "${folder:?}/.venv" "$folder/node_modules" "$folder/.homeport" "$folder/.complete"
  chmod -R a+rX "$folder"
}

# shellcheck disable=SC2016 # for another shell
BUILD_IN='cd "$1" && eval "$2"'

# build <service> <folder>: its build command, as the app's user and without its variables.
build() {
  local service=$1 folder=$2 command=${SERVICE[$1:build]:-}
  [[ -n $command ]] || return 0
  say "$service: builds: $command"
  chown -hR "$APP_USER:$APP_USER" "$folder"
  logged "$service" "The build of $service failed." "correct the build command or the code and deploy again" \
    as_app timeout 3600 sh -c "$BUILD_IN" sh "$folder" "$command"
  chown -hR root:root "$folder"
}

# logged <service> <what> <fix> <command…>: its output is kept back, and shown only if it fails.
logged() {
  local service=$1 what=$2 fix=$3 log=$STAGE/command.log line status=0
  shift 3
  "$@" >"$log" 2>&1 || status=$?
  ((status != 0)) || return 0
  tail -n 30 "$log" | while IFS= read -r line; do printf '  | %s\n' "$line" >&2; done
  ((status != 124)) || fail "$what" "It took longer than an hour." "$fix"
  fail "$what" "It ended with status $status; its last lines are above." "$fix"
}

# work_behind: what a release needs besides, while the new version already starts: the disk, and bytecode.
work_behind() {
  local folder
  ((${#MADE[@]} > 0)) || return 0
  [[ -z $SYNCING ]] || return 0
  sync -f "$HOME_OF_APP" 4>&- {APP_LOCK}>&- &
  SYNCING=$!
  for folder in "${COMPILE[@]}"; do compile_python "$folder" >/dev/null 2>&1 4>&- {APP_LOCK}>&- & done
}

# finish_releases: what was made is on the disk before anything relies on it, so that a power cut can't leave halves.
finish_releases() {
  local id
  ((${#MADE[@]} > 0)) || return 0
  work_behind
  wait "$SYNCING"
  for id in "${MADE[@]}"; do : >"$HOME_OF_APP/releases/$id/.complete"; done
  MADE=()
}

# dependency_folder <key>: an empty folder of the app's user for dependencies, in REPLY; status 1 where they are there already.
dependency_folder() {
  REPLY=$HOME_OF_APP/deps/$1
  [[ ! -e $REPLY/.complete ]] || return 1
  rm -rf "$REPLY"
  install -d -m 0755 -o "$APP_USER" -g "$APP_USER" "$REPLY"
}

# dependencies_done <folder>: from here on nobody but root changes them.
dependencies_done() {
  chown -hR root:root "$1"
  chmod -R go-w "$1"
  sync -f "$1"
  : >"$1/.complete"
}

# sums_in <folder> <patterns…>: hashes of the files that are there, by name.
sums_in() {
  cd "$1" || return
  shift
  # shellcheck disable=SC2068 # patterns are to be expanded in the folder
  sha256sum -- $@ 2>/dev/null || true
}

# key_of <text…>: 16 hex characters that stand for texts, in REPLY.
key_of() {
  REPLY=$(printf '%s\n' "$@" | sha256sum)
  REPLY=${REPLY:0:16}
}
