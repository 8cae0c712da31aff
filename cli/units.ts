const steps = [
  { seconds: 86_400, name: "d" },
  { seconds: 3_600, name: "h" },
  { seconds: 60, name: "min" },
  { seconds: 1, name: "s" },
];

/** A length of time in its largest whole unit that comes to two or more, or to one exactly: `36 h`, `2 d`. */
export function shortSpan(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  const step = steps.find((one) => seconds >= 2 * one.seconds) ?? { seconds: 1, name: "s" };
  return `${Math.floor(seconds / step.seconds)} ${step.name}`;
}

/** `2 h ago`, or `-` for what never was. */
export function ago(time: string | undefined, now: string): string {
  return time === undefined ? "-" : `${shortSpan(Date.parse(now) - Date.parse(time))} ago`;
}

/** `in 5 h`, or `-` for what won't be. */
export function until(time: string | undefined, now: string): string {
  if (time === undefined) return "-";
  const span = Date.parse(time) - Date.parse(now);
  return span < 1000 ? "now" : `in ${shortSpan(span)}`;
}

/** `2025-05-01 08:00` in UTC; `-` for none. */
export function clock(time: string | undefined): string {
  return time === undefined ? "-" : new Date(time).toISOString().slice(0, 16).replace("T", " ");
}

/** Bytes in the largest unit that leaves a number from 1 up: `1.5 GiB`. */
export function bytes(amount: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let rest = amount;
  let index = 0;
  while (rest >= 1024 && index < units.length - 1) {
    rest /= 1024;
    index++;
  }
  return `${index === 0 || rest >= 100 ? Math.round(rest) : Math.round(rest * 10) / 10} ${units[index] ?? "B"}`;
}
