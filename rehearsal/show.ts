import type { Host } from "./site";
import type { RehearsedStack } from "./stack";

interface AppOutput {
  readonly target: string;
  readonly host: string;
  readonly id: string;
  readonly health: Readonly<Record<string, string>>;
}

interface Timer {
  readonly next: number;
  readonly last: number;
  readonly unit: string;
}

const write = (line = ""): void => void process.stdout.write(`${line}\n`);

type Shell = Pick<Host, "exec">;

/**
 * Shows what a stack has on its hosts: each address answering its health check, the timers, and what was made.
 * @param hosts by the name that the stack has for each
 */
export async function showStack(stack: RehearsedStack, hosts: ReadonlyMap<string, Shell>): Promise<void> {
  const outputs = Object.fromEntries(
    Object.entries(await stack.outputs<Record<string, Partial<AppOutput>>>()).filter(isApp),
  );
  write();
  write("Services");
  const rows: string[][] = [];
  for (const [app, { health, target }] of Object.entries(outputs)) {
    for (const [service, url] of Object.entries(health)) rows.push([app, service, target, url, await answerOf(url)]);
  }
  table(["app", "service", "target", "address", "health"], rows);

  const ids = Object.values(outputs).map((output) => output.id);
  const timers: string[][] = [];
  for (const [name, host] of hosts) timers.push(...(await timersOf(name, host, ids)));
  write("Timers");
  table(["host", "timer", "next run", "last run"], timers);

  write("On the hosts");
  const made: string[][] = [];
  for (const { host: name, id } of Object.values(outputs)) {
    const host = hosts.get(name);
    if (host !== undefined) made.push([name, ...(await madeFor(host, id))]);
  }
  table(["host", "id", "running units", "timers", "releases", "data", "databases"], made);
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

/** systemd tells microseconds since 1970, 0 for never. */
function instant(microseconds: number): string {
  return microseconds === 0
    ? "never"
    : new Date(microseconds / 1000).toISOString().slice(0, 16).replace("T", " ") + " UTC";
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
