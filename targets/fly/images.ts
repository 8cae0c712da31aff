import * as command from "@pulumi/command";
import { secret } from "@pulumi/pulumi";
import type { ResolvedApp } from "../../components/resolvedApp";
import type { StackConfig } from "../../components/settings";
import { hostName } from "../../components/values/names";
import { driverCommand } from "../../drivers/command";
import { openImages, type BuildImage } from "../containers/images";
import { bareToken } from "./api/connection";
import type { FlyClaim } from "./claim";
import { mainName, partNames } from "./names";
import { connectionOf, type FlySettings } from "./settings";

/** Fly's image registry: an app's repository has the app's name (fly.io/docs/blueprints/using-the-fly-docker-registry). */
const registry = "registry.fly.io";

/**
 * Prepares the images of apps on Fly. All of an app's images lie in the repository of its main app, which has to be there before
 * the first push: the registry doesn't know other names.
 */
export function openFlyImages(
  apps: readonly ResolvedApp[],
  settings: FlySettings,
  config: StackConfig,
): Promise<BuildImage> {
  return openImages(apps, config, (parent, app) => {
    const name = mainName(app, settings);
    const connection = connectionOf(settings);
    const id = hostName(app.declaration.name, app.stack);
    const spec: FlyClaim = { connection, id, name, others: partNames(app, settings) };
    const claim = new command.local.Command(
      `${app.declaration.name}-claim`,
      { ...driverCommand("fly", "claim"), stdin: secret(JSON.stringify(spec)) },
      { parent },
    );
    return {
      repository: `${registry}/${name}`,
      username: "x",
      password: bareToken(connection.token),
      after: [claim],
    };
  });
}
