import { createHash, createHmac } from "node:crypto";

/** JSON whose keys are in order, so that equal values have equal texts. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

const short = (hex: string): string => hex.slice(0, 16);
export const hash = (value: unknown): string => short(createHash("sha256").update(canonical(value)).digest("hex"));

/** Stands for values with secrets where others read it: nobody without the key can try guesses on it. */
export const keyedHash = (key: string, value: unknown): string =>
  short(createHmac("sha256", key).update(canonical(value)).digest("hex"));
