/** A line of `pulumi up` and when it came, seconds after the start. */
export interface TimedLine {
  readonly at: number;
  readonly text: string;
}

/** A part of an `up`, in milliseconds. */
export type Phase = readonly [name: string, ms: number];

/**
 * Cuts an `up` that changed one app into its parts, by the lines that the engine shows with HOMEPORT_TRACE=1: what came
 * before the driver's start, what the host timed by itself, and what came after.
 */
export function phasesOf(lines: readonly TimedLine[], app: string, end: number): Phase[] {
  const own = lines.filter(({ text }) => text.includes(` command:local:Command ${app} `));
  const begun = own.find(({ text }) => text.includes(" updating ("))?.at ?? Number.NaN;
  const done = own.find(({ text }) => text.includes(" updated ("))?.at ?? Number.NaN;
  const traced = new Map<string, { ms: number; at: number }>();
  for (const { at, text } of own) {
    const [, ms, name] = /trace: (\d+) ms (.+)$/.exec(text) ?? [];
    // The engine shows the last line a second time when the command has ended.
    if (ms !== undefined && name !== undefined && !traced.has(name)) traced.set(name, { ms: Number(ms), at });
  }
  const [first] = traced.values();
  const last = [...traced.values()].at(-1);
  const ms = (seconds: number): number => Math.max(0, Math.round(seconds * 1000));
  return [
    ["engine, program, unchanged resources", ms(begun)],
    ["driver's start, SSH session, stage", first === undefined ? Number.NaN : ms(first.at - begun) - first.ms],
    ...[...traced].map(([name, { ms: spent }]): Phase => [`on the host: ${name}`, spent]),
    ["driver's end", last === undefined ? Number.NaN : ms(done - last.at)],
    ["engine's end", ms(end - done)],
  ];
}
