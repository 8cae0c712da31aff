import { join } from "node:path";
import type { AppStatus } from "../targets/operations";
import { run } from "./host/run";
import type { Host } from "./site";
import type { RehearsedStack } from "./stack";

/** What the stack tells of an app. */
export interface AppOutput {
  readonly target: string;
  readonly health: Readonly<Record<string, string>>;
  /** Of one on a host: the host's name in the stack, and the app's on it. */
  readonly host?: string;
  readonly id?: string;
  /** Of one on Fly: its name there. */
  readonly app?: string;
}

interface Timer {
  readonly next: number;
  readonly last: number;
  readonly unit: string;
}

const write = (line = ""): void => void process.stdout.write(`${line}\n`);

type Shell = Pick<Host, "exec">;

/** Where a stack's apps are looked at. */
export interface Places {
  /** By the name that the stack has for each. */
  readonly hosts: ReadonlyMap<string, Shell>;
  /** By target: where an emulator answers in place of an app's public address; undefined where nothing does. */
  readonly reach: Readonly<Record<string, (address: URL, app: AppOutput) => Promise<string | undefined>>>;
}

/** Shows what a stack has: each address answering its health check, the timers, and what was made. */
export async function showStack(stack: RehearsedStack, { hosts, reach }: Places): Promise<void> {
  const outputs = Object.fromEntries(
    Object.entries(await stack.outputs<Record<string, Partial<AppOutput>>>()).filter(isApp),
  );
  write();
  write("Services");
  const rows: string[][] = [];
  for (const [name, app] of Object.entries(outputs)) {
    const { health, target } = app;
    for (const [service, url] of Object.entries(health)) {
      const origin = await reach[target]?.(new URL(url), app);
      const reached = origin === undefined ? url : origin + new URL(url).pathname;
      const shown = reached === url ? url : `${url} at ${new URL(reached).origin}`;
      rows.push([name, service, target, shown, await answerOf(reached)]);
    }
  }
  table(["app", "service", "target", "address", "health"], rows);

  const ids = Object.values(outputs).flatMap(({ id }) => (id === undefined ? [] : [id]));
  const elsewhere = Object.keys(outputs).filter((name) => outputs[name]?.host === undefined);
  const statuses = await Promise.all(elsewhere.map((name) => statusOf(stack, name)));
  const timers: string[][] = [];
  for (const [name, host] of hosts) timers.push(...(await timersOf(name, host, ids)));
  for (const { app, place, schedules } of statuses) {
    for (const { name, kind, next, last } of schedules) {
      timers.push([place, `${app} ${kind === "job" ? name : `${kind} ${name}`}`, minute(next), minute(last)]);
    }
  }
  write("Timers");
  table(["place", "timer", "next run", "last run"], timers);

  write("On the hosts");
  const made: string[][] = [];
  for (const { host: name, id } of Object.values(outputs)) {
    const host = hosts.get(name ?? "");
    if (name !== undefined && id !== undefined && host !== undefined) made.push([name, ...(await madeFor(host, id))]);
  }
  table(["host", "id", "running units", "timers", "releases", "data", "databases"], made);
  if (statuses.length === 0) return;
  write("On platforms");
  table(
    ["place", "machines", "volumes"],
    statuses.map(({ place, services, disks }) => [
      place,
      services.map(({ name, instances }) => `${name} ${instances.map(({ state }) => state).join("+")}`).join(", "),
      disks.map(({ path, bytes }) => `${path.split(" ")[0] ?? path} ${Math.round(bytes / 1024 ** 3)} GiB`).join(", "),
    ]),
  );
}

/** What `homeport status` tells of an app. */
async function statusOf(stack: RehearsedStack, app: string): Promise<AppStatus & { app: string; place: string }> {
  const { env, cwd, argv } = stack.command([]);
  const homeport = join(__dirname, "..", "bin", "homeport");
  const name = argv[argv.indexOf("--stack") + 1] ?? "";
  const asked = await run([homeport, "status", app, "--json", "--stack", name], { cwd, env });
  const { apps } = JSON.parse(asked.stdout || "{}") as { apps?: (AppStatus & { app: string; place: string })[] };
  const [status] = apps ?? [];
  if (status === undefined)
    throw new Error(`\`homeport status ${app}\` ended with code ${asked.code}: ${asked.stderr}`);
  return status;
}

/** Targets tell of themselves, too, next to the apps. */
const isApp = (entry: [string, Partial<AppOutput>]): entry is [string, AppOutput] => entry[1].health !== undefined;

async function timersOf(name: string, host: Shell, ids: readonly string[]): Promise<string[][]> {
  const timers = JSON.parse((await host.exec("systemctl list-timers --all --output=json")).stdout || "[]") as Timer[];
  return timers
    .filter((timer) => ids.some((id) => timer.unit.startsWith(`${id}-`)))
    .map((timer) => [name, timer.unit, instant(timer.next), instant(timer.last)]);
}

async function answerOf(url: string): Promise<string> {
  const begun = Date.now();
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(10_000) });
    return `${answer.status} in ${Date.now() - begun} ms`;
  } catch (error) {
    return error instanceof Error ? `no answer: ${error.message}` : "no answer";
  }
}

async function madeFor(host: Shell, id: string): Promise<string[]> {
  const lines = await host.exec(
    [
      `systemctl list-units --plain --no-legend --state=running '${id}-*.service' | wc -l`,
      `systemctl list-units --plain --no-legend --type=timer '${id}-*' | wc -l`,
      `ls /opt/${id}/releases 2>/dev/null | wc -l`,
      `du -sh /var/lib/${id} 2>/dev/null | cut -f1`,
      `cut -d' ' -f3 /etc/homeport/${id}/watch 2>/dev/null | grep -xE 'postgres|redis|sqlite' | paste -sd, -`,
    ].join("; "),
  );
  return [id, ...lines.stdout.split("\n").slice(0, 5)];
}

const minute = (time: string | undefined): string =>
  time === undefined ? "never" : `${time.slice(0, 16).replace("T", " ")} UTC`;

/** systemd tells microseconds since 1970, 0 for never. */
function instant(microseconds: number): string {
  return minute(microseconds === 0 ? undefined : new Date(microseconds / 1000).toISOString());
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => (row[column] ?? "").length)));
  const line = (cells: readonly string[]) =>
    "  " +
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join("  ")
      .trimEnd();
  write(line(head));
  for (const row of rows) write(line(row));
  write();
}
