import assert from "node:assert/strict";
import { resolve } from "node:path";
import { apps } from "../../../apps";
import type { ResolvedApp } from "../../../components/resolvedApp";
import { resolveStack } from "../../../components/resolveStack";
import { readSettings } from "../../../components/settings";
import { targets } from "../../../targets";
import { fly } from "../../../targets/fly";
import { buildPlan } from "../../../targets/fly/buildPlan";
import type { FlySpec } from "../../../targets/fly/plan";
import { flySettings, type FlySettings } from "../../../targets/fly/settings";
import { workingConfig } from "../../support/config";

const cwd = resolve(__dirname, "../../..");

export const flyConfig = (changes: Parameters<typeof workingConfig>[0] = {}) =>
  workingConfig({
    "homeport:environment": "live",
    "homeport:apps": '["hotrod","tileshop"]',
    "hotrod:target": "fly",
    "tileshop:target": "fly",
    "fly:apiToken": { value: "FlyV1 fm2_testtokentesttoken", secret: true },
    "fly:region": "fra",
    "hotrod:ports": undefined,
    "clausea:ports": undefined,
    ...changes,
  });

export async function resolveOnFly(changes: Parameters<typeof workingConfig>[0] = {}) {
  const config = flyConfig(changes);
  const here = [...targets.filter(({ name }) => name !== "fly"), fly];
  const { apps: resolved, problems } = await resolveStack({ apps, targets: here, config, cwd });
  return { apps: resolved, problems, settings: readSettings("fly", flySettings, config).values };
}

/** The plan of one of the documented apps, with images of this version. */
export async function planOf(
  name: string,
  version = "1",
  changes: Parameters<typeof workingConfig>[0] = {},
): Promise<FlySpec> {
  const { apps: resolved, problems, settings } = await resolveOnFly(changes);
  assert.deepEqual(problems, []);
  const app = resolved.find(({ declaration }) => declaration.name === name);
  assert.ok(app !== undefined);
  return planFor(app, settings, version);
}

export function planFor(app: ResolvedApp, settings: FlySettings, version: string): FlySpec {
  const { services, databases, buckets } = app.declaration;
  const digest = version.padEnd(64, "0");
  const images = Object.fromEntries(
    services.map(({ name }) => [name, `registry.fly.io/${app.declaration.name}:v@sha256:${digest}`]),
  );
  const key = { accessKeyId: "AKIAEXAMPLE", secretAccessKey: "marker-s3-secret" };
  return buildPlan(
    app,
    settings,
    {
      images,
      passwords: Object.fromEntries(databases.map(({ name }) => [name, `marker-password-${name}`])),
      buckets: Object.fromEntries(
        buckets.map(({ name }) => [
          name,
          { bucket: `${name}-bucket`, region: "us-east-1", endpoint: "https://s3.example.com", key },
        ]),
      ),
    },
    "marker-pepper",
    () => "// the scheduler",
  );
}
