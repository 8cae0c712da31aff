# shellcheck shell=bash disable=SC2154
# Part of `cloudwatch`: an app's journal, in batches as PutLogEvents takes them.
#
# A batch holds at most 10,000 events and 1 MiB, counting 26 bytes an event, in the order of time, of no more than 24 hours and
# none older than 14 days (CloudWatch Logs API reference, PutLogEvents). It is in <id>.batch until it has surely arrived, and
# while <id>.tried is there it may have: then the log group is asked first.

BATCH_EVENTS=${HOMEPORT_BATCH_EVENTS:-10000}
# A host that was without AWS for long sends so much at a time, and the rest in the next minute.
BATCHES=20

# stream: a host writes a log stream of its own.
stream() {
  local part parts
  IFS=, read -ra parts <<<"${config[DIMENSIONS]:-}"
  for part in "${parts[@]}"; do
    [[ $part != InstanceId=* ]] || {
      say "${part#*=}"
      return
    }
  done
  uname -n
}

# entries <id>: of the journal after the last batch, oldest first; where there was none, of the time since the app came here, as an
# earlier app of its name may have sent what was before.
entries() {
  local from since
  if [[ -s $STATE/$1.cursor ]]; then
    from=(--after-cursor="$(<"$STATE/$1.cursor")")
  else
    since=$(stat --format=%Y "$CONFIG_ROOT/$1/alert")
    from=(--since="@$since")
  fi
  { journalctl --quiet --no-pager --all --output=json --unit="$1-*" "${from[@]}" \
    --output-fields=MESSAGE,PRIORITY,UNIT,OBJECT_SYSTEMD_UNIT,_SYSTEMD_UNIT || [[ $? == 141 ]]; } | { head -n "$BATCH_EVENTS" || true; }
}

# next_batch <id>: writes it down; fails where nothing is new. Units of an app with a longer name match the pattern too.
next_batch() {
  entries "$1" | jq --null-input --compact-output --arg id "$1" --arg ids "${ids[*]}" --argjson most "$BATCH_EVENTS" '
    ["emergency", "alert", "critical", "error", "warning", "notice", "info", "debug"] as $levels
    | ($ids | split(" ")) as $ids
    | def owner: . as $unit | [$ids[] | select(. as $one | $unit | startswith($one + "-") or startswith($one + "."))] | max_by(length);
    def text: if type == "array" then implode elif . == null then "" else tostring end
      | if utf8bytelength > 200000 then .[:50000] + " … (cut)" else . end
      | if startswith("{") then (try fromjson catch .) else . end;
    def event: (.UNIT // .OBJECT_SYSTEMD_UNIT // ._SYSTEMD_UNIT // "") as $unit
      | { timestamp: (.__REALTIME_TIMESTAMP | tonumber / 1000 | floor), owner: ($unit | owner),
          message: ({unit: $unit, level: $levels[(.PRIORITY // "6") | tonumber], message: (.MESSAGE | text)} | tojson) };
    reduce inputs as $entry ({events: [], bytes: 0};
      if .full then . else ($entry | event) as $new
      | ($new.message | utf8bytelength + 26) as $size
      | if $new.owner != $id or $new.timestamp < (now - 14 * 86400 + 3600) * 1000 then .cursor = $entry.__CURSOR
        elif (.events | length) == $most or .bytes + $size > 1048576 or (.first != null and $new.timestamp - .first > 86000000) then .full = true
        else .first //= $new.timestamp | .bytes += $size | .cursor = $entry.__CURSOR | .events += [$new | del(.owner)] end end)
    | select(.cursor != null) | {cursor, events: (.events | sort_by(.timestamp))}' >"$work/batch"
  [[ -s $work/batch ]] || return 1
  write_file "$STATE/$1.batch" <"$work/batch"
}

# put_batch <id> <stream>: fails where it can't be, or can't be known to have been; <id>.tried tells the two apart.
put_batch() {
  local answer
  jq --compact-output --arg group "${config[LOG_GROUP]}" --arg stream "$2" '{logGroupName: $group, logStreamName: $stream, logEvents: .events}' \
    <"$STATE/$1.batch" >"$work/request"
  : | write_file "$STATE/$1.tried"
  if answer=$(call logs put-log-events --cli-input-json "file://$work/request"); then
    jq -e '.rejectedLogEventsInfo == null' <<<"$answer" >/dev/null || warn "$1: AWS refused some events: $answer"
    return
  fi
  # An answer of AWS that refuses is one; its own faults, like none at all, leave it open.
  ! grep -qE '\((ResourceNotFound|AccessDenied|InvalidParameter|Throttling|UnrecognizedClient|ExpiredToken|DataAlreadyAccepted)' "$work/error" || rm -f "$STATE/$1.tried"
  return 1
}

# arrived <id> <stream>: 0 it is there, 1 it isn't, 2 nobody knows.
arrived() {
  local last time found
  last=$(jq --compact-output '.events[-1]' <"$STATE/$1.batch")
  time=$(jq .timestamp <<<"$last")
  found=$(call logs get-log-events --log-group-name "${config[LOG_GROUP]}" --log-stream-name "$2" \
    --start-time "$time" --end-time $((time + 1)) --limit 10000 --start-from-head) || {
    # Without leave to look, to send it twice is better than not at all.
    ! grep -qE '\((ResourceNotFound|AccessDenied)' "$work/error" || return 1
    return 2
  }
  jq -e --argjson last "$last" 'any(.events[]; .message == $last.message)' <<<"$found" >/dev/null
}

send_batch() {
  local id=$1 stream=$2 code=1
  if [[ -e $STATE/$id.tried ]]; then
    code=0
    arrived "$id" "$stream" || code=$?
    ((code < 2)) || return 1
  fi
  ((code == 0)) || put_batch "$id" "$stream" || {
    grep -q ResourceNotFoundException "$work/error" || return 1
    call logs create-log-stream --log-group-name "${config[LOG_GROUP]}" --log-stream-name "$stream" || return 1
    put_batch "$id" "$stream"
  }
}

# ship <id>: all that is new, or as much as fits into a run.
ship() {
  local id=$1 turn name
  name=$(stream)
  for ((turn = 0; turn < BATCHES; turn++)); do
    [[ -s $STATE/$id.batch ]] || next_batch "$id" || return 0
    if jq -e '.events != []' <"$STATE/$id.batch" >/dev/null; then send_batch "$id" "$name" || return 1; fi
    jq --raw-output .cursor <"$STATE/$id.batch" | write_file "$STATE/$id.cursor"
    rm -f "$STATE/$id.tried" "$STATE/$id.batch"
  done
}
