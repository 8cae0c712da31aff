import { resolveStack } from "../components/resolveStack";
import { readSettings } from "../components/settings";
import { blueprint as text } from "../targets/render/blueprint";
import { checkRender } from "../targets/render/check";
import { renderSettings } from "../targets/render/settings";
import type { Context } from "./context";
import { ConfigProblems } from "./errors";

/** Prints an app as a `render.yaml`, wherever the stack puts it. */
export async function blueprint(context: Context): Promise<number> {
  const { declaration } = await context.app();
  const { config } = await context.stack();
  const { name } = declaration;
  const { apps, targets, choice } = context;
  const only = apps.filter((one) => one.name === name);
  const { apps: resolved, problems } = await resolveStack({ apps: only, targets, config, cwd: choice.cwd });
  const [app] = resolved;
  if (app === undefined) throw new ConfigProblems(config.stack, problems);
  const settings = readSettings("render", renderSettings, config).values;
  // Nothing is asked of Render, so that no key is needed.
  const known = apps.map((one) => one.name);
  const lacking = checkRender([app], settings, known).filter(({ where }) => where !== "render:apiKey");
  if (lacking.length > 0) throw new ConfigProblems(config.stack, lacking);
  process.stdout.write(text(app, settings));
  return 0;
}
