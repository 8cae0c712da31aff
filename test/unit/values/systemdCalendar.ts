import { execFileSync, spawnSync } from "node:child_process";

/** Why `systemd-analyze calendar` can't be asked on this machine, or undefined when it can. */
export function whyNoCalendar(): string | undefined {
  const { error, status, stdout } = spawnSync("systemd-analyze", ["--version"], { encoding: "utf8" });
  if (error !== undefined || status !== 0) return "systemd-analyze isn't installed here";
  const version = Number(/^systemd (\d+)/.exec(stdout)?.[1] ?? 0);
  return version >= 244 ? undefined : `systemd ${version} is here, and --base-time came with 244`;
}

/** When each calendar event elapses next after `base`, as systemd computes it: at most `count` instants for each. */
export function calendarElapses(events: readonly string[], base: Date, count: number): number[][] {
  const baseTime = base.toISOString().replace("T", " ").replace(/\..*$/, " UTC");
  const output = execFileSync(
    "systemd-analyze",
    ["calendar", `--iterations=${count}`, `--base-time=${baseTime}`, ...events],
    {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, TZ: "UTC", LC_ALL: "C" },
    },
  );
  const answers = output.trim().split("\n\n");
  return answers.map((answer) =>
    [...answer.matchAll(/(?:Next elapse|Iter\. #\d+): \w+ (\d+-\d\d-\d\d) (\d\d:\d\d:\d\d) UTC/g)].map(
      ([, date, time]) => Date.parse(`${date ?? ""}T${time ?? ""}Z`),
    ),
  );
}
