import type { App } from "../../../components/app";
import type { StackConfig } from "../../../components/settings";
import { Context } from "../../../cli/context";
import { placeApps, type StackApps } from "../../../cli/placed";
import type { ExportedStack } from "../../../cli/recoverState";
import { targets } from "../../../targets";
import type { AppStatus, LogLine, LogQuery, Operations, PlacedApp } from "../../../targets/operations";
import type { Target } from "../../../targets/target";
import { plain } from "./golden";

/** A call of the command on a stack, with what it has printed. */
export class FakeContext extends Context {
  override readonly paint = plain;
  stdout = "";
  stderr = "";
  /** What the engine knows. */
  known: ExportedStack = {};

  constructor(
    apps: readonly App[],
    private readonly config: StackConfig,
    words: { readonly positionals?: readonly string[]; readonly flags?: readonly string[] } = {},
    places: readonly Target[] = targets,
  ) {
    const { positionals = [], flags = [] } = words;
    super(positionals, [], new Set(flags), new Map(), apps, places, { stack: config.stack, cwd: "." });
  }

  override stack(): Promise<StackApps> {
    return Promise.resolve().then(() => placeApps(this.apps, this.targets, this.config));
  }

  override state(): Promise<ExportedStack> {
    return Promise.resolve(this.known);
  }

  override out(text: string): void {
    this.stdout += `${text}\n`;
  }

  override note(text: string): void {
    this.stderr += `${text}\n`;
  }
}

/** Nothing but a clock. */
export const emptyStatus: AppStatus = {
  ...{
    deployed: true,
    time: "2025-05-01T10:00:00Z",
    services: [],
    schedules: [],
    databases: [],
    disks: [],
    failed: [],
  },
};

/** The targets, each of which answers as it is told and asks nobody. */
export function answering(
  status: (app: PlacedApp) => AppStatus,
  lines: (query: LogQuery) => readonly LogLine[] = () => [],
): Target[] {
  const operate = (app: PlacedApp): Promise<Operations> => {
    const operations: Pick<Operations, "place" | "status" | "logs"> = {
      place: "main (192.0.2.10)",
      status: () => Promise.resolve(status(app)),
      logs: (query, onLine) => {
        lines(query).forEach(onLine);
        return Promise.resolve();
      },
    };
    return Promise.resolve(operations as Operations);
  };
  return targets.map((target) => ({ ...target, operate }));
}
