import { readSettings, type StackConfig } from "../../components/settings";
import type { Problem } from "../../components/problems";
import type { ResolvedApp } from "../../components/resolvedApp";
import { checkArchives, checkSystemdApps, systemdCapabilities } from "../systemd/check";
import type { Operations, PlacedApp } from "../operations";
import type { Place, Target } from "../target";
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
    return [...problems, ...checkSystemdApps(placed), ...apps.flatMap(checkArchives)];
  },

  async open(_apps: readonly ResolvedApp[], config: StackConfig): Promise<Place> {
    const settings = read(config);
    const [{ SystemdHome }, { archiveByKey }] = await Promise.all([
      import("../systemd/home"),
      import("../systemd/archiveByKey"),
    ]);
    return {
      home: (app) => {
        const host = hostOf(app, settings);
        if (host === undefined) throw new Error(`${app.declaration.name} was opened on a host that the check refuses.`);
        return new SystemdHome(app, { name: host.name, host, bucket: archiveByKey });
      },
    };
  },

  async operate(app: PlacedApp, config: StackConfig): Promise<Operations> {
    const host = hostFor(app, read(config));
    return new (await import("../systemd/operations")).SystemdOperations(app, host);
  },
};

function read(config: StackConfig): VpsSettings {
  return readSettings("vps", vpsSettings, config).values;
}
