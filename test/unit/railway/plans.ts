import assert from "node:assert/strict";
import { resolve } from "node:path";
import { apps } from "../../../apps";
import type { App } from "../../../components/app";
import { resolveStack } from "../../../components/resolveStack";
import { readSettings } from "../../../components/settings";
import { targets } from "../../../targets";
import { buildPlan } from "../../../targets/railway/buildPlan";
import type { RailwaySpec } from "../../../targets/railway/plan";
import { railwaySettings } from "../../../targets/railway/settings";
import { forApps, workingConfig } from "../../support/config";

const cwd = resolve(__dirname, "../../..");
export type Changes = Parameters<typeof workingConfig>[0];

/** The stack's configuration with clausea alone, on Railway, from a repository that Railway calls acme/clausea. */
export const railwayConfig = (repository: string, changes: Changes = {}) =>
  workingConfig({
    "homeport:environment": "live",
    "homeport:apps": '["clausea"]',
    "clausea:target": "railway",
    "clausea:source": `git+file://${repository}#main`,
    "clausea:ports": undefined,
    "hotrod:ports": undefined,
    "railway:apiToken": { value: "00000000-0000-0000-0000-00000000beef", secret: true },
    "railway:repositories": '{"clausea":"acme/clausea"}',
    ...changes,
  });

export async function resolveOnRailway(repository: string, changes: Changes = {}, declared: readonly App[] = apps) {
  const config = railwayConfig(repository, changes);
  const { apps: resolved, problems } = await resolveStack({
    apps: declared,
    targets,
    config: forApps(config, declared),
    cwd,
  });
  return { apps: resolved, problems, settings: readSettings("railway", railwaySettings, config).values };
}

/** The plan of the stack's one app. */
export async function planOf(
  repository: string,
  changes: Changes = {},
  declared: readonly App[] = apps,
): Promise<RailwaySpec> {
  const { apps: resolved, problems, settings } = await resolveOnRailway(repository, changes, declared);
  assert.deepEqual(problems, []);
  const [app] = resolved;
  assert.ok(app !== undefined);
  const { databases, buckets } = app.declaration;
  const key = { accessKeyId: "AKIAEXAMPLE", secretAccessKey: "marker-s3-secret" };
  const made = {
    passwords: Object.fromEntries(databases.map(({ name }) => [name, `marker-password-${name}`])),
    buckets: Object.fromEntries(
      buckets.map(({ name }) => [name, { bucket: `${name}-bucket`, region: "us-east-1", key }]),
    ),
  };
  return buildPlan(app, settings, made, "marker-pepper");
}
