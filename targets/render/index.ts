import type { Problem } from "../../components/problems";
import type { ResolvedApp } from "../../components/resolvedApp";
import { appsWithHomes, readSettings, type StackConfig } from "../../components/settings";
import type { Operations, PlacedApp } from "../operations";
import type { Place, Target } from "../target";
import { checkRender, renderCapabilities } from "./check";
import { renderSettings, type RenderSettings } from "./settings";

/** Services, cron jobs and databases of Render. */
export const render: Target = {
  name: "render",
  about: "Render",
  capabilities: renderCapabilities,
  settings: renderSettings,

  check(apps: readonly ResolvedApp[], config: StackConfig): readonly Problem[] {
    return checkRender(apps, read(config), appsWithHomes(config));
  },

  async open(_apps: readonly ResolvedApp[], config: StackConfig): Promise<Place> {
    const settings = read(config);
    const { RenderHome } = await import("./home");
    return { home: (app) => new RenderHome(app, settings) };
  },

  async operate(app: PlacedApp, config: StackConfig): Promise<Operations> {
    return new (await import("./operations")).RenderOperations(app, read(config));
  },
};

function read(config: StackConfig): RenderSettings {
  return readSettings("render", renderSettings, config).values;
}
