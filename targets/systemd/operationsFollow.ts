import { words } from "./operationsScripts";
import { shellWord } from "./render/quote";

/** Scripts that start something on a host which outlives its client, and follow it. */

const tools = "/usr/local/lib/homeport";

/** A oneshot unit that is started and followed. */
export interface Followed {
  readonly unit: string;
  /** For messages: `catscan gmail-import`. */
  readonly name: string;
  /** What to run to see it again. */
  readonly logs: string;
  /** Where the unit isn't one of the app's own: bash text run before it is looked at, and text that starts it. */
  readonly made?: { readonly before: string; readonly start: string };
}

/**
 * Starts a oneshot unit, prints its log to stdout as it comes and ends with its result. stdin is a channel: the line
 * `stop` stops the unit; its end means that the client has gone, and the unit runs on.
 */
export function followScript({ unit, name, logs, made }: Followed): string {
  return `unit=${shellWord(unit)} name=${shellWord(name)}
tell() { printf '%s: %s\\n' "$name" "$*" >&2; }
look() {
  load= state= run= job= result= code=
  local key value
  while IFS='=' read -r key value; do
    case $key in
      LoadState) load=$value ;; ActiveState) state=$value ;; InvocationID) run=$value ;; Job) job=$value ;;
      Result) result=$value ;; ExecMainStatus) code=$value ;;
    esac
  done < <(systemctl show --property=LoadState,ActiveState,InvocationID,Job,Result,ExecMainStatus -- "$unit")
}
${made?.before ?? ""}look
${made === undefined ? `[[ $load == loaded ]] || { tell "it isn't on this host yet; deploy first: pulumi up"; exit 127; }\n` : ""}if [[ $state != inactive && $state != failed ]]; then
  tell "it runs already, since $(systemctl show --property=ExecMainStartTimestamp --value -- "$unit"); nothing was started. To see it: ${doubleQuoted(logs)} -f"
  exit 75
fi
before=$run began=\${EPOCHREALTIME/./} stopped=no
${made?.start ?? `systemctl start --no-block -- "$unit" || exit 1`}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
print() {
  [[ $run == "$before" ]] || journalctl --quiet --no-pager --output=cat --cursor-file="$folder/cursor" "_SYSTEMD_INVOCATION_ID=$run"
}
pause=0.2
while :; do
  status=0 word=
  IFS= read -r -t "$pause" word || status=$?
  ((status != 1)) || exit 129
  if [[ $word == stop ]]; then
    stopped=yes
    systemctl stop --no-block -- "$unit"
  fi
  look
  print
  if [[ $run == "$before" ]]; then
    if [[ -z \${job#0} ]]; then
      tell "it could not be started; see: ${doubleQuoted(logs)}"
      exit 1
    fi
  elif [[ $state == inactive || $state == failed || $state == active ]]; then
    break
  fi
  # Long runs are looked at less often.
  ((\${EPOCHREALTIME/./} - began < 30000000)) || pause=1
done
journalctl --sync
print
took=$(((\${EPOCHREALTIME/./} - began) / 100000))
took="$((took / 10)).$((took % 10)) s"
if [[ $stopped == yes ]]; then
  tell "stopped after $took"
  exit 130
fi
case $result in
  success) tell "done in $took"; exit 0 ;;
  exit-code)
    ((code != 0)) || code=1
    tell "failed after $took with exit code $code; its log again: ${doubleQuoted(logs)}"
    exit "$code" ;;
  timeout) tell "stopped after $took, which is more than it may take; its log again: ${doubleQuoted(logs)}"; exit 124 ;;
  signal | core-dump) tell "ended after $took by signal $code; its log again: ${doubleQuoted(logs)}"; exit $((128 + code)) ;;
  *) tell "failed after $took ($result); its log again: ${doubleQuoted(logs)}"; exit 1 ;;
esac
`;
}

/** Text inside of double quotes in bash, standing for itself. */
const doubleQuoted = (text: string): string => text.replace(/["\\$`]/g, "\\$&");

export interface Restored {
  readonly id: string;
  readonly database: string;
  readonly name: string;
  /** `latest`, a local backup's name or a key; or the size of a file that comes on stdin, followed by a line with its SHA-256. */
  readonly from: { readonly key: string } | { readonly fileName: string; readonly bytes: number };
}

/** Restores in a unit of its own, so that a lost connection doesn't end it half-way. */
export function restoreScript({ id, database, name, from }: Restored): string {
  // Not named after the app: the restore stops every unit that is.
  const unit = `homeport-restore-${id}-${database}.service`;
  const upload = "key" in from ? `archive=${shellWord(from.key)} upload=\n` : uploadText(id, database, from);
  // A run whose client went away has stayed to be looked at.
  const before = `[[ $(systemctl show --property=SubState --value -- "$unit") != exited ]] || systemctl stop -- "$unit"
systemctl reset-failed -- "$unit" 2>/dev/null
`;
  const start = `${upload}systemd-run --quiet --no-block --unit="$unit" --service-type=oneshot --property=RemainAfterExit=yes \\
  --property=TimeoutStartSec=6h \${upload:+--property="ExecStopPost=/bin/rm -rf $upload"} \\
  --description=${shellWord(`${id} restore of ${database}`)} \\
  -- ${tools}/restore ${words([id, database])} "$archive" || exit 1
upload=
finish() { rm -rf "\${folder:-}"; [[ \${state:-} != active ]] || systemctl stop -- "$unit"; }`;
  const script = followScript({ unit, name, logs: `journalctl -u ${unit}`, made: { before, start } });
  return `[[ -x ${tools}/restore && -d /etc/homeport/${id} ]] || { echo ${shellWord(`${name}: nothing is on this host yet; deploy first: pulumi up`)} >&2; exit 127; }
${script.replace(`trap 'rm -rf "$folder"' EXIT`, "trap finish EXIT")}`;
}

function uploadText(id: string, database: string, { fileName, bytes }: { fileName: string; bytes: number }): string {
  const safe = fileName.replace(/[^A-Za-z0-9._-]/g, "_").replace(/^[.-]+/, "");
  return `mkdir -p -m 755 /var/backups
free=$(df --output=avail --block-size=1 /var/backups | tail -n 1)
if ((free < ${bytes} + 16777216)); then
  tell "there is no room for ${bytes} bytes in /var/backups, which has $free; nothing was changed"
  exit 1
fi
upload=$(mktemp -d /var/backups/.upload.${id}.${database}.XXXXXX)
trap 'rm -rf "$upload"' EXIT
archive=$upload/${safe === "" ? "archive" : safe}
head -c ${bytes} >"$archive"
IFS= read -r -t 60 sum
if [[ $(stat --format=%s "$archive") != ${bytes} || $(sha256sum <"$archive") != "$sum  -" ]]; then
  tell "the file didn't arrive as it was sent; nothing was changed"
  exit 1
fi
`;
}
