import { gunzipSync, gzipSync } from "node:zlib";
import { asGiven, configOf, type Machine, type MachineConfig } from "../api/types";
import { canonical } from "./tags";

/** Characters. Fly tells no limit of its own; beyond this one a version simply can't be rolled back from. */
const most = 8192;

/** What of a machine's configuration a rollback brings back: all but its volume and its labels, which stay. */
export function packBefore(machine: Machine | undefined): string | undefined {
  const config = machine === undefined ? undefined : configOf(machine);
  if (config === undefined) return undefined;
  const kept = Object.entries(asGiven(config)).filter(([name]) => name !== "metadata" && name !== "mounts");
  const packed = gzipSync(canonical(Object.fromEntries(kept)), { level: 9 }).toString("base64");
  return packed.length <= most ? packed : undefined;
}

export function unpackBefore(text: string | undefined): MachineConfig | undefined {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(gunzipSync(Buffer.from(text, "base64")).toString("utf8")) as MachineConfig;
  } catch {
    return undefined;
  }
}
