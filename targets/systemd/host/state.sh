# What the host remembers of an app: `state` (what is active), `marks` (what was done once), `applied` (earlier stages).

declare -A SLOT=() RELEASE=() HASH=() SINCE=() MARK=()

# read_state <file>: fills SLOT, RELEASE, HASH and SINCE by service.
read_state() {
  local service slot release hash since
  SLOT=() RELEASE=() HASH=() SINCE=()
  [[ -f $1 ]] || return 0
  while read -r service slot release hash since; do
    [[ -n $service ]] || continue
    SLOT[$service]=$slot RELEASE[$service]=$release HASH[$service]=$hash SINCE[$service]=$since
  done <"$1"
}

# put_state <file>: SLOT, RELEASE, HASH and SINCE as a state file; declared services first, in their order.
put_state() {
  local service text=''
  for service in "${SERVICES[@]}" "${!SLOT[@]}"; do
    [[ -n ${SLOT[$service]:-} && $'\n'$text != *$'\n'"$service "* ]] || continue
    text+="$service ${SLOT[$service]} ${RELEASE[$service]} ${HASH[$service]} ${SINCE[$service]}"$'\n'
  done
  put "$1" "$text"
}

load_marks() {
  local key value
  MARK=()
  # A new machine with the data of another knows which files are the app's to rewrite, and no longer its own.
  if [[ -f $ROOT/var/lib/$ID/.placed ]]; then
    while read -r key value; do MARK[$key]=$value; done <"$ROOT/var/lib/$ID/.placed"
  fi
  [[ -f $CONF/marks ]] || return 0
  while read -r key value; do MARK[$key]=$value; done <"$CONF/marks"
}

# mark <key> <value>: remembers it at once, so that a deploy that is cut off doesn't do it again.
mark() {
  [[ ${MARK[$1]:-} != "$2" ]] || return 0
  MARK[$1]=$2
  local key text='' placed=''
  for key in "${!MARK[@]}"; do
    text+="$key ${MARK[$key]}"$'\n'
    [[ $key != rewritten:* ]] || placed+="$key ${MARK[$key]}"$'\n'
  done
  put "$CONF/marks" "$text"
  [[ $1 != rewritten:* || -z $DATA_SERIAL ]] || put "$ROOT/var/lib/$ID/.placed" "$placed"
}

other_slot() { if [[ $1 == a ]]; then REPLY=b; else REPLY=a; fi; }

# keep_stage: adds the stage that was just applied to the history.
keep_stage() {
  local last=0 file
  [[ -f $STAGE/stage.tar.gz ]] || return 0
  [[ -d $CONF/applied ]] || mkdir "$CONF/applied"
  for file in "$CONF"/applied/*.tar.gz; do
    file=${file##*/} file=${file%.tar.gz}
    ((10#$file <= last)) || last=$((10#$file))
  done
  printf -v file '%06d' "$((last + 1))"
  printf '%s\n' "${RELEASES[@]}" >"$CONF/applied/$file.releases"
  cp "$STAGE/stage.tar.gz" "$CONF/applied/$file.new"
  mv -f "$CONF/applied/$file.new" "$CONF/applied/$file.tar.gz"
}

# earlier_stage: unpacks the stage before the newest of the history in this one's place; its plan is for main to read.
earlier_stage() {
  local files=("$CONF"/applied/*.tar.gz)
  ((${#files[@]} > 1)) || fail "There is no earlier version of $ID to go back to." \
    "The host keeps the last versions that were deployed, and has ${#files[@]}." "deploy the version that you want"
  STAGE=$STAGE/earlier
  mkdir "$STAGE"
  cp "${files[-2]}" "$STAGE/stage.tar.gz"
  tar -xzf "$STAGE/stage.tar.gz" -C "$STAGE"
  cd "$STAGE"
}

# result: the frame that ends a deploy.
result() {
  local service text='' list='' change
  for service in "${SERVICES[@]}"; do
    json_string "$service"
    text+="${text:+,}$REPLY:{"
    json_string "${RELEASE[$service]:-}"
    text+="\"release\":$REPLY,\"slot\":\"${SLOT[$service]:-a}\"}"
  done
  for change in "${CHANGES[@]}"; do
    json_string "$change"
    list+="${list:+,}$REPLY"
  done
  frame "RESULT {\"services\":{$text},\"changes\":[$list]}"
}
