import { DriverError } from "../../drivers/error";
import type { HostResult } from "./plan";

/** The release that a frame asks for; undefined for other frames. */
export const parseNeed = (line: string): string | undefined => /^NEED release ([0-9a-f]{16})$/.exec(line)?.[1];

/** What a host said of its failure. */
export function parseFailure(line: string): DriverError {
  const parts = json(line);
  const text = (key: string): string => {
    const value = parts[key];
    return typeof value === "string" ? value : "";
  };
  return new DriverError({ what: text("what"), where: text("where"), why: text("why"), fix: text("fix") });
}

export function parseResult(line: string): HostResult {
  const { services, changes } = json(line);
  if (typeof services !== "object" || services === null || !Array.isArray(changes)) throw unclear();
  return { services: services as HostResult["services"], changes: changes.map(String) };
}

function json(line: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line.slice(line.indexOf(" ") + 1));
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Told below.
  }
  throw unclear();
}

const unclear = (): DriverError =>
  new DriverError({
    what: "The host's answer can't be read.",
    where: "its deploy.sh",
    why: "a line for the driver isn't the JSON that it should be",
    fix: "deploy again; if it stays, report it",
  });
