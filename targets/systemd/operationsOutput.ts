import type { BackupCopy, BackupList, LogLine } from "../operations";
import { partOfUnit } from "./operationsStatus";

/** One line of journalctl's JSON; undefined for what isn't one. */
export function parseLogLine(id: string, line: string): LogLine | undefined {
  let entry: Record<string, unknown>;
  try {
    entry = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
  const field = (name: string): string | undefined => {
    const value = entry[name];
    return typeof value === "string" ? value : undefined;
  };
  const microseconds = Number(field("__REALTIME_TIMESTAMP"));
  if (!Number.isFinite(microseconds)) return undefined;
  const priority = Number(field("PRIORITY") ?? 6);
  return {
    time: new Date(microseconds / 1000),
    // Of systemd's own lines about a unit, `UNIT` names it.
    part: partOfUnit(id, field("UNIT") ?? field("_SYSTEMD_UNIT") ?? id),
    text: messageOf(entry["MESSAGE"]),
    level: priority <= 3 ? "error" : priority === 4 ? "warning" : "other",
  };
}

/** Text; a list of bytes where it isn't UTF-8 or holds control characters; a list of either where it came twice. */
function messageOf(message: unknown): string {
  if (typeof message === "string") return message;
  if (!Array.isArray(message)) return "";
  if (message.every((byte) => typeof byte === "number")) return Buffer.from(message).toString("utf8");
  return message.map(messageOf).join("\n");
}

/** The answer to `backupsScript`. */
export function parseBackups(text: string): BackupList {
  const copies: BackupCopy[] = [];
  const problems: string[] = [];
  for (const line of text.split("\n")) {
    const [kept, database = "", key = "", bytes = "", time = ""] = line.split("\t");
    if (kept === "problem") problems.push(`${database}: ${key}`);
    else if (kept === "place" || kept === "archive") {
      const instant = new Date(time);
      const iso = Number.isNaN(instant.getTime()) ? time : instant.toISOString().replace(/\.\d+Z$/, "Z");
      copies.push({ database, kept, key, bytes: Number(bytes), time: iso });
    }
  }
  copies.sort((one, other) => one.database.localeCompare(other.database) || other.time.localeCompare(one.time));
  return { copies, problems };
}
