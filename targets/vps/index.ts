import { readSettings, type StackConfig } from "../../components/settings";
import type { Problem } from "../../components/problems";
import type { ResolvedApp } from "../../components/resolvedApp";
import { checkSystemdApps, systemdCapabilities } from "../systemd/check";
import type { Host } from "../systemd/host";
import type { Operations, PlacedApp } from "../operations";
import type { Home, Target } from "../target";
import { checkHosts, hostFor, hostOf } from "./hosts";
import { vpsSettings, type VpsSettings } from "./settings";

/** Any machine with systemd that SSH reaches. */
export const vps: Target = {
  name: "vps",
  about: "any SSH host with systemd",
  capabilities: systemdCapabilities,
  settings: vpsSettings,

  check(apps: readonly ResolvedApp[], config: StackConfig): readonly Problem[] {
    const settings = read(config);
    const problems = apps.flatMap((app) => checkHosts(app, settings));
    const placed = apps.flatMap((app) => {
      const host = hostOf(app, settings);
      return host === undefined ? [] : [{ app, host }];
    });
    return [...problems, ...checkSystemdApps(placed)];
  },

  async open(app: ResolvedApp, config: StackConfig): Promise<Home> {
    const host: Host | undefined = hostOf(app, read(config));
    if (host === undefined) throw new Error(`${app.declaration.name} was opened on a host that the check refuses.`);
    const { SystemdHome } = await import("../systemd/home");
    return new SystemdHome(app, host);
  },

  async operate(app: PlacedApp, config: StackConfig): Promise<Operations> {
    const host = hostFor(app, read(config));
    return new (await import("../systemd/operations")).SystemdOperations(app, host);
  },
};

function read(config: StackConfig): VpsSettings {
  return readSettings("vps", vpsSettings, config).values;
}
