import { Duration } from "../components/values/duration";
import type { LogLine, LogQuery, Operations } from "../targets/operations";
import type { Context } from "./context";
import { UsageError } from "./errors";
import { logPart } from "./find";
import type { Paint } from "./table";
import { clock } from "./units";

const defaultLines = 100;

/** What `--follow`, `--lines` and `--since` ask for. @throws UsageError for a value of another form */
export function logQuery(
  flags: ReadonlySet<string>,
  values: ReadonlyMap<string, string>,
  now: Date,
): Pick<LogQuery, "follow" | "lines" | "since"> {
  const lines = values.get("lines");
  const since = values.get("since");
  if (lines !== undefined && !/^\d{1,7}$/.test(lines)) {
    throw new UsageError(`--lines can't be "${lines}": it is a whole number.`, "homeport help logs");
  }
  const count = lines === undefined ? (since === undefined ? defaultLines : undefined) : Number(lines);
  return {
    follow: flags.has("follow"),
    ...(count === undefined ? {} : { lines: count }),
    ...(since === undefined ? {} : { since: instant(since, now) }),
  };
}

/** `2h` before now, or an instant as ECMAScript reads it: without a zone in this machine's own, a date alone in UTC. */
function instant(text: string, now: Date): Date {
  try {
    return new Date(now.getTime() - Duration.parse(text).toSeconds() * 1000);
  } catch {
    const date = /^\d{4}-\d{2}-\d{2}/.test(text) ? new Date(text.replace(" ", "T")) : new Date(Number.NaN);
    if (!Number.isNaN(date.getTime())) return date;
    throw new UsageError(
      `--since can't be "${text}".`,
      "a length of time (15m, 2h, 1d) or an instant (2025-05-01T08:00Z)",
    );
  }
}

/** `2025-05-01 08:00:12 web/b1  message`; further lines of one message are set in. */
export function logText({ time, part, text, level }: LogLine, width: number, paint: Paint): string {
  const stamp = time.toISOString().slice(0, 19).replace("T", " ");
  const [first = "", ...more] = text.replace(/\n$/, "").split("\n");
  const indent = " ".repeat(stamp.length + 1 + width + 2);
  const body = [first, ...more.map((line) => indent + line)].join("\n");
  const colour = level === "error" ? "red" : "yellow";
  return `${stamp} ${part.padEnd(width)}  ${level === "other" ? body : paint(body, colour)}`;
}

export async function logs(context: Context): Promise<number> {
  const query = logQuery(context.flags, context.values, new Date());
  const app = await context.app();
  const [, name] = context.positionals;
  const part = name === undefined ? undefined : logPart(app.declaration, name);
  const operations = await context.operate(app);
  const abort = new AbortController();
  const stop = (): void => {
    abort.abort();
  };
  process.once("SIGINT", stop).once("SIGTERM", stop);
  // Lines come in batches; columns that are as wide as the names to be expected stay where they are.
  const { services, jobs, databases } = app.declaration;
  let width = Math.max(
    0,
    ...(part === undefined ? [...services, ...jobs, ...databases] : [part]).map((one) => one.name.length),
  );
  let shown = 0;
  const show = (line: LogLine): void => {
    shown++;
    width = Math.max(width, line.part.length);
    context.out(logText(line, width, context.paint));
  };
  await operations.logs({ ...query, ...(part === undefined ? {} : { part }) }, show, abort.signal);
  // An empty log that was asked for is no news, and neither is one that a person has stopped following.
  if (shown === 0 && query.lines !== 0 && !query.follow) context.note(await emptyText(operations, part, query.since));
  return 0;
}

/** What is said instead of lines: of a job also when it runs next. */
async function emptyText(operations: Operations, part: LogQuery["part"], since: Date | undefined): Promise<string> {
  const text = since === undefined ? "no lines yet" : `no lines since ${clock(since.toISOString())} UTC`;
  if (part?.kind !== "job") return text;
  const status = await operations.status().catch(() => undefined);
  const next = status?.schedules.find(({ name, kind }) => name === part.name && kind === "job")?.next;
  return next === undefined ? text : `${text}; next run ${clock(next)} UTC`;
}
