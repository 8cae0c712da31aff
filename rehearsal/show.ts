import type { Host } from "./site";
import type { RehearsedStack } from "./stack";

interface AppOutput {
  readonly target: string;
  readonly id: string;
  readonly health: Readonly<Record<string, string>>;
}

interface Timer {
  readonly next: number;
  readonly last: number;
  readonly unit: string;
}

const write = (line = ""): void => void process.stdout.write(`${line}\n`);

/** Shows what a stack has on its host: each address answering its health check, the timers, and what was made. */
export async function showStack(stack: RehearsedStack, host: Host): Promise<void> {
  const outputs = await stack.outputs<Record<string, AppOutput>>();
  write();
  write("Services");
  const rows: string[][] = [];
  for (const [app, { health, target }] of Object.entries(outputs)) {
    for (const [service, url] of Object.entries(health)) rows.push([app, service, target, url, await answerOf(url)]);
  }
  table(["app", "service", "target", "address", "health"], rows);

  const ids = Object.values(outputs).map((output) => output.id);
  const timers = JSON.parse((await host.exec("systemctl list-timers --all --output=json")).stdout || "[]") as Timer[];
  write("Timers");
  table(
    ["timer", "next run", "last run"],
    timers
      .filter((timer) => ids.some((id) => timer.unit.startsWith(`${id}-`)))
      .map((timer) => [timer.unit, instant(timer.next), instant(timer.last)]),
  );

  write("On the host");
  const made: string[][] = [];
  for (const id of ids) made.push(await madeFor(host, id));
  table(["id", "running units", "timers", "releases", "data", "databases"], made);
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

async function madeFor(host: Host, id: string): Promise<string[]> {
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
