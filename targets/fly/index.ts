import type { Problem } from "../../components/problems";
import type { ResolvedApp } from "../../components/resolvedApp";
import { appsWithHomes, readSettings, type StackConfig } from "../../components/settings";
import type { Operations, PlacedApp } from "../operations";
import type { Place, Target } from "../target";
import { checkFly, flyCapabilities } from "./check";
import { flySettings, type FlySettings } from "./settings";

/** Machines, volumes and databases of Fly.io. */
export const fly: Target = {
  name: "fly",
  about: "Fly.io",
  capabilities: flyCapabilities,
  settings: flySettings,

  check(apps: readonly ResolvedApp[], config: StackConfig): readonly Problem[] {
    return checkFly(apps, read(config), appsWithHomes(config));
  },

  async open(apps: readonly ResolvedApp[], config: StackConfig): Promise<Place> {
    const settings = read(config);
    const [{ FlyHome }, { openFlyImages }] = await Promise.all([import("./home"), import("./images")]);
    const build = await openFlyImages(apps, settings, config);
    return { home: (app) => new FlyHome(app, settings, build) };
  },

  async operate(app: PlacedApp, config: StackConfig): Promise<Operations> {
    return new (await import("./operations")).FlyOperations(app, read(config));
  },
};

function read(config: StackConfig): FlySettings {
  return readSettings("fly", flySettings, config).values;
}
