import type { Problem } from "../../components/problems";
import type { ResolvedApp } from "../../components/resolvedApp";
import { appsWithHomes, readSettings, type StackConfig } from "../../components/settings";
import { warnUnalerted } from "../containers/checkAlerts";
import type { Operations, PlacedApp } from "../operations";
import type { Place, Target } from "../target";
import { checkRailway, railwayCapabilities } from "./check";
import { railwaySettings, type RailwaySettings } from "./settings";

/** Services of Railway, built from repositories at GitHub or from published images. */
export const railway: Target = {
  name: "railway",
  about: "Railway",
  capabilities: railwayCapabilities,
  settings: railwaySettings,

  check(apps: readonly ResolvedApp[], config: StackConfig): readonly Problem[] {
    return checkRailway(apps, read(config), appsWithHomes(config));
  },

  async open(apps: readonly ResolvedApp[], config: StackConfig): Promise<Place> {
    const settings = read(config);
    await warnUnalerted(apps, {
      name: "Railway",
      instead: "the project's own webhooks at railway.com (Settings, Webhooks)",
    });
    const { RailwayHome } = await import("./home");
    return { home: (app) => new RailwayHome(app, settings) };
  },

  async operate(app: PlacedApp, config: StackConfig): Promise<Operations> {
    return new (await import("./operations")).RailwayOperations(app, read(config));
  },
};

function read(config: StackConfig): RailwaySettings {
  return readSettings("railway", railwaySettings, config).values;
}
