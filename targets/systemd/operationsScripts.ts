import { shellWord } from "./render/quote";

/**
 * What day-two work runs on a host, as bash text. Pure: names and arguments in, a script out. Every value that comes from
 * outside is one quoted word.
 */

/** Programs of the host. */
const tools = "/usr/local/lib/homeport";

const prologue = `set -u
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
`;

/**
 * The remote command line that runs a script as root. The script is wrapped so that any login shell hands it on untouched,
 * which also leaves stdin to it; root's own rights come by sudo for other users.
 */
export function remoteCommand(user: string, script: string): string {
  const wrapped = Buffer.from(prologue + script, "utf8").toString("base64");
  return `exec ${user === "root" ? "" : "sudo -n "}bash -c 'eval "$(base64 -d <<<$0)"' ${wrapped}`;
}

/** Words of a command line, each standing for itself. */
export const words = (list: readonly string[]): string => list.map(shellWord).join(" ");

/** Ends with 127 where a file of the app isn't there, which is so before the deploy that brings it. */
const needed = (path: string, name: string): string =>
  `[[ -x ${shellWord(path)} ]] || { echo ${shellWord(`${name} isn't on this host yet; deploy first: pulumi up`)} >&2; exit 127; }\n`;

export interface Attached {
  readonly id: string;
  /** `run/<command>` or `exec/<service>`, below the app's settings. */
  readonly program: string;
  readonly args: readonly string[];
  /** For messages. */
  readonly name: string;
  /** Whether a terminal is on both ends; Ctrl-C then arrives as a key. */
  readonly terminal: boolean;
}

/**
 * Runs one of the app's own programs, attached. Without a terminal nothing tells a program that its client has gone, so its
 * unit is interrupted, and ended ten seconds later, once the session that it was started from is no more.
 */
export function attachedScript({ id, program, args, name, terminal }: Attached): string {
  const path = `/etc/homeport/${id}/${program}`;
  const start = words([path, ...args]);
  // The terminal stays as the person has it: systemd-run would colour and name it (systemd-run(1), from 256 on).
  const plain = "export SYSTEMD_TINT_BACKGROUND=no SYSTEMD_ADJUST_TERMINAL_TITLE=no\n";
  if (terminal) return `${needed(path, name)}${plain}exec ${start}\n`;
  return `${needed(path, name)}session=$PPID
while [[ $(</proc/$session/comm) == sudo ]]; do session=$(awk '/^PPid:/ { print $2 }' /proc/$session/status); done
${start} <&0 &
child=$!
{
  while [[ -d /proc/$session && -d /proc/$child ]]; do sleep 0.5; done
  if [[ ! -d /proc/$session ]]; then
    systemctl kill --signal=SIGINT ${shellWord(`${id}-run-`)}'*'"-$child-"'*'.service
    for _ in {1..20}; do [[ -d /proc/$child ]] || exit; sleep 0.5; done
    systemctl stop ${shellWord(`${id}-run-`)}'*'"-$child-"'*'.service
  fi
} </dev/null >/dev/null 2>&1 &
wait "$child"
`;
}

/** Statuses of several apps of one host: `@app <id>` before each; nothing follows for what isn't there. */
export function statusScript(ids: readonly string[]): string {
  return `folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for id in ${words(ids)}; do
  [[ ! -d /etc/homeport/$id || ! -x ${tools}/status ]] || ${tools}/status "$id" >"$folder/$id" 2>"$folder/$id.problem" &
done
wait
for id in ${words(ids)}; do
  printf '@app %s\\n' "$id"
  [[ ! -s $folder/$id ]] || cat "$folder/$id"
  [[ -s $folder/$id || ! -s $folder/$id.problem ]] || sed 's/^/@problem /' "$folder/$id.problem"
done
`;
}

export interface LogsOf {
  readonly units: readonly string[];
  readonly follow: boolean;
  readonly lines?: number;
  /** Seconds since 1970. */
  readonly since?: number;
}

/** Log lines as JSON, one a line (journalctl(1), `--output=json`). */
export function logsScript({ units, follow, lines, since }: LogsOf): string {
  const options = [
    "--quiet",
    "--no-pager",
    "--all",
    "--output=json",
    "--output-fields=MESSAGE,PRIORITY,UNIT,_SYSTEMD_UNIT",
    `--lines=${lines ?? "all"}`,
    ...(follow ? ["--follow"] : []),
    ...(since === undefined ? [] : [`--since=@${since}`]),
    ...units.map((unit) => `--unit=${unit}`),
  ];
  return `exec journalctl ${words(options)} </dev/null\n`;
}

/** Copies of an app's databases, fields by tabs: `place|archive <database> <key> <bytes> <time>`, or `problem <database> <text>`. */
export function backupsScript(id: string): string {
  return `[[ -d /etc/homeport/${id} && -r ${tools}/database.sh ]] || exit 127
. ${tools}/lib.sh
. ${tools}/database.sh
id=${shellWord(id)}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for file in "$CONFIG_ROOT/$id/backup/"*; do
  database=\${file##*/}
  load_database "$id" "$database"
  rm -f "$work"/*
  for copy in "$folder/$database-"????????T??????Z"$suffix"; do
    printf 'place\\t%s\\t%s\\t%s\\t%s\\n' "$database" "\${copy##*/}" "$(stat --format=%s "$copy")" "$(date --utc --reference="$copy" +%FT%TZ)"
  done
  [[ -n \${db[BUCKET]:-} ]] || continue
  if BUCKET_SECONDS=60 bucket s3api list-objects-v2 --bucket "\${db[BUCKET]}" --prefix "backups/$id/$database/" --output json >"$work/list" 2>"$work/problem"; then
    jq --raw-output --arg database "$database" '.Contents[]? | ["archive", $database, .Key, .Size, .LastModified] | @tsv' <"$work/list"
  else
    printf 'problem\\t%s\\t%s\\n' "$database" "s3://\${db[BUCKET]} can't be listed: $(grep . "$work/problem" | tail -n 1 | tr '\\t' ' ')"
  fi
done
`;
}

export interface Restarted {
  readonly id: string;
  /** Empty: all. */
  readonly services: readonly { readonly name: string; readonly timeoutSeconds: number }[];
}

/** Restarts instance by instance; each has to be healthy, or running for what has no health path, before the next goes. */
export function restartScript({ id, services }: Restarted): string {
  const each = services
    .map(({ name, timeoutSeconds }) => `restart ${words([name, String(timeoutSeconds)])}\n`)
    .join("");
  return `[[ -d /etc/homeport/${id} && -r ${tools}/lib.sh ]] || { echo ${shellWord(`${id} isn't on this host yet; deploy first: pulumi up`)} >&2; exit 127; }
. ${tools}/lib.sh
id=${shellWord(id)}
mkdir -p /run/homeport
exec {deploys}<>"/run/homeport/lock-$id"
flock --wait 60 "$deploys" || STATUS=75 die "a deploy of $id is under way; try again when it is done"
restart() {
  local service=$1 limit=$2 slot unit number port path host began found=no
  slot=$(active_slot "$id" "$service")
  [[ -n $slot ]] || STATUS=127 die "$service was never deployed"
  read -r port path host < <(watch_lines "$id" health | sed -n "s/^$service //p") || port=
  for unit in /etc/systemd/system/multi-user.target.wants/"$id-$service-$slot"@*.service; do
    unit=\${unit##*/} number=\${unit#*@} number=\${number%.service} began=$SECONDS found=yes
    [[ -z $port ]] || port=$(sed -n 's/^PORT=//p' "$CONFIG_ROOT/$id/ports/$service-$slot-$number" 2>/dev/null)
    systemctl reset-failed -- "$unit" || true
    systemctl restart -- "$unit" || true
    while :; do
      sleep 0.5
      if systemctl --quiet is-active "$unit" && { [[ -z $port ]] || healthy "$port" "$path" "$host" 2; }; then break; fi
      if ((SECONDS - began >= limit)); then
        journalctl --quiet --no-pager --output=cat --lines=15 --unit="$unit" >&2 || true
        die "$service/$slot$number: not healthy after $limit s; the log's last lines are above"
      fi
    done
    say "$service/$slot$number: restarted, healthy after $((SECONDS - began)) s"
  done
  [[ $found == yes ]] || die "$service has no instance that is to run; deploy it: pulumi up"
}
${each}`;
}

/** What `examine` asks of a host: `key value` a line. */
export const examineScript = `printf 'clock %s\\n' "\${EPOCHREALTIME/,/.}"
printf 'init %s\\n' "$(cat /proc/1/comm)"
printf 'system %s\\n' "$(sed -n 's/^PRETTY_NAME=//p' /etc/os-release | tr -d '"')"
printf 'synchronized %s\\n' "$(timedatectl show --property=NTPSynchronized --value 2>/dev/null)"
df --local --output=target,size,avail,pcent --block-size=1 / /var/lib /var/backups 2>/dev/null | tail -n +2 | sort -u | sed 's/^/disk /'
systemctl list-units --all --plain --no-legend --no-pager --state=failed 'homeport-*' | awk '{ print "failed " $1 }'
if [[ -d /etc/homeport/proxy ]]; then echo "deployed yes"; else echo "deployed no"; fi
`;
