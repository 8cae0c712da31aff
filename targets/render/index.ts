import type { Problem } from "../../components/problems";
import type { ResolvedApp } from "../../components/resolvedApp";
import { appsWithHomes, readSettings, type StackConfig } from "../../components/settings";
import { warnUnalerted } from "../containers/checkAlerts";
import type { Operations, PlacedApp } from "../operations";
import type { Place, Target } from "../target";
import { checkRender, renderCapabilities, toldCreates } from "./check";
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

  async open(apps: readonly ResolvedApp[], config: StackConfig): Promise<Place> {
    const settings = read(config);
    const { RenderHome } = await import("./home");
    await warn(apps);
    return { home: (app) => new RenderHome(app, settings) };
  },

  async operate(app: PlacedApp, config: StackConfig): Promise<Operations> {
    return new (await import("./operations")).RenderOperations(app, read(config));
  },
};

/** What is no reason to stop, told at each preview and deploy. */
async function warn(apps: readonly ResolvedApp[]): Promise<void> {
  // Loaded here, as the command line loads targets without Pulumi's SDK.
  const { log } = await import("@pulumi/pulumi");
  for (const line of toldCreates(apps)) await log.warn(line);
  await warnUnalerted(apps, {
    name: "Render",
    instead:
      "its notifications (dashboard.render.com, Integrations, Notifications), which tell of failed deploys and jobs",
  });
}

function read(config: StackConfig): RenderSettings {
  return readSettings("render", renderSettings, config).values;
}
