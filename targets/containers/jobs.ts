import type { Job } from "../../components/declaration";
import { parseCron } from "../../components/values/cronFields";
import { quote } from "../../components/values/shell";
import { exitCodes } from "../operations";

/** Seconds that a job may take where it doesn't say. */
const standardSeconds = 3600;

/** Seconds after which a job is stopped. */
export const jobSeconds = (job: Job): number => job.timeout?.toSeconds() ?? standardSeconds;

/** A job's commands as one line of a shell, ended after its time. */
export function jobCommand(job: Job): string {
  const commands = [job.command].flat();
  const [only = "", ...more] = commands;
  const line =
    job.onFailure === "continue"
      ? `status=0; ${commands.map((one) => `( ${one} ) || status=$?`).join("; ")}; exit $status`
      : commands.map((one) => `( ${one} )`).join(" && ");
  return `exec timeout ${jobSeconds(job)} sh -c ${quote(more.length === 0 ? only : line)}`;
}

const listed = (values: readonly number[]): string => quote(` ${values.join(" ")} `);

/** A job's times as the script's `due` reads them. */
function timesOf({ at }: Job): string {
  const { minutes, hours, days, months, weekdays, dayRule } = parseCron(at.expression);
  return [...[minutes, hours, days, months, weekdays].map(listed), dayRule].join(" ");
}

/** Shell text that gives a program these variables. @param values words of a shell */
export const exported = (values: Readonly<Record<string, string>>): string =>
  Object.entries(values)
    .map(([name, value]) => `export ${name}=${value}; `)
    .join("");

/**
 * A script that runs jobs at their times in UTC beside their service, in its instance: for platforms that show a volume to
 * nothing else. Needs a POSIX shell, date and timeout, which images of Debian and Alpine have. A job isn't run twice at once.
 * @param before shell text that is run before a job's command, `exported` of its own variables
 */
export function jobsScript(jobs: readonly Job[], before: (job: Job) => string): string {
  const runs = jobs.map((job) => `due ${timesOf(job)} && run ${job.name} ${quote(before(job) + jobCommand(job))}`);
  return `\
# Jobs of a service that need its disk, at their times in UTC; with the name of one, that one now.
due() {
  case $1 in *" $minute "*) ;; *) return 1 ;; esac
  case $2 in *" $hour "*) ;; *) return 1 ;; esac
  case $4 in *" $month "*) ;; *) return 1 ;; esac
  in_days=; in_week=
  case $3 in *" $day "*) in_days=yes ;; esac
  case $5 in *" $weekday "*) in_week=yes ;; esac
  if [ "$6" = either ]; then [ "$in_days$in_week" ]; else [ "$in_days" ] && [ "$in_week" ]; fi
}
locks=\${TMPDIR:-/tmp}/homeport-job-
lock() {
  mkdir "$locks$1" 2>/dev/null || { echo "[$1] runs still, so it isn't started again"; exit ${exitCodes.busy}; }
}
run() {
  (
    lock "$1"
    { sh -c "$2" 2>&1; echo "${ending} $?"; } | sed "s/^/[$1] /"
    rmdir "$locks$1"
  ) &
}
all() {
${runs.map((line) => `  ${line}`).join("\n")}
}
if [ "$1" ]; then
  asked=$1
  due() { :; }
  run() {
    [ "$1" = "$asked" ] || return 0
    lock "$1"
    trap 'rmdir "$locks$asked"' EXIT
    trap 'exit ${exitCodes.interrupted}' HUP INT TERM
    sh -c "$2"
    exit
  }
  all
  echo "there is no job $asked" >&2
  exit ${exitCodes.absent}
fi
# A container that is started again may have the files of before.
rmdir "$locks"* 2>/dev/null
while :; do
  second=$(date -u +%S); second=\${second#0}
  sleep $((60 - second))
  now=$(date -u '+%M %H %d %m %w')
  set -- $now
  minute=\${1#0} hour=\${2#0} day=\${3#0} month=\${4#0} weekday=$5
  all
done
`;
}

/** What each line that a job beside its service prints begins with, in the service's log. */
export const lineStart = (job: string): string => `[${job}] `;

/** The last line of a job's run, before its exit code. */
export const ending = "ended with";

/** How a job with that exit code ended. */
export const resultOf = (code: number): { readonly result: "success" | "failed"; readonly reason?: string } =>
  code === 0
    ? { result: "success" }
    : { result: "failed", reason: code === exitCodes.timeout ? "timeout" : `exit code ${code}` };

/** A line of a service's log as one of a job beside it; undefined for the service's own. */
export function jobLine(message: string): { job: string; text: string; code?: number } | undefined {
  const [, job, text] = /^\[([a-z0-9-]+)\] (.*)$/s.exec(message) ?? [];
  if (job === undefined || text === undefined) return undefined;
  const code = new RegExp(`^${ending} (\\d+)\\s*$`).exec(text)?.[1];
  return { job, text, ...(code === undefined ? {} : { code: Number(code) }) };
}
