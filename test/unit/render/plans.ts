import assert from "node:assert/strict";
import { resolve } from "node:path";
import { apps } from "../../../apps";
import type { ResolvedApp } from "../../../components/resolvedApp";
import { resolveStack } from "../../../components/resolveStack";
import { readSettings } from "../../../components/settings";
import { targets } from "../../../targets";
import type { GitSource } from "../../../drivers/source/types";
import { render } from "../../../targets/render";
import { buildPlan } from "../../../targets/render/buildPlan";
import type { RenderSpec } from "../../../targets/render/plan";
import { renderSettings, type RenderSettings } from "../../../targets/render/settings";
import { workingConfig } from "../../support/config";

const cwd = resolve(__dirname, "../../..");

type Changes = Parameters<typeof workingConfig>[0];

export const renderConfig = (changes: Changes = {}) =>
  workingConfig({
    "homeport:environment": "dev",
    "homeport:apps": '["hotrod"]',
    "hotrod:target": "render",
    "hotrod:source": "rehearsal/standins/hotrod",
    "hotrod:instances": '{"web":1}',
    "render:apiKey": { value: "rnd_testkeytestkeytestkey", secret: true },
    "render:region": "frankfurt",
    "render:ownBackups": '["hotrod"]',
    "hotrod:ports": undefined,
    "clausea:ports": undefined,
    ...changes,
  });

/** Render in place of whatever is listed under its name. */
export const withRender = [...targets.filter(({ name }) => name !== "render"), render];

/** The stack as resolved, its code as if it were a commit of a repository: tests have none to ask. */
export async function resolveOnRender(changes: Changes = {}) {
  const config = renderConfig(changes);
  const { apps: resolved, problems } = await resolveStack({ apps, targets: withRender, config, cwd });
  return { apps: resolved, problems, settings: readSettings("render", renderSettings, config).values };
}

/** An app whose code is a commit of a repository. */
export function ofRepository(app: ResolvedApp, version = "a1", directory?: string): ResolvedApp {
  const source: GitSource = {
    kind: "git",
    url: `git@github.com:acme/${app.declaration.name}.git`,
    ref: "main",
    ...(directory === undefined ? {} : { directory }),
  };
  const fingerprint = { id: version, describe: `main @ ${version}`, commit: version.padEnd(40, "0") };
  return {
    ...app,
    code: Object.fromEntries(Object.keys(app.code).map((service) => [service, { source, fingerprint }])),
  };
}

export function planFor(app: ResolvedApp, settings: RenderSettings): RenderSpec {
  const key = { accessKeyId: "AKIAEXAMPLE", secretAccessKey: "marker-s3-secret" };
  const made = app.declaration.buckets.map(({ name }) => [
    name,
    { bucket: `${name}-bucket`, region: "us-east-1", endpoint: "https://s3.example.com", key },
  ]);
  return buildPlan(app, settings, { buckets: Object.fromEntries(made) as never }, "marker-pepper");
}

/** The plan of one of the documented apps. */
export async function planOf(name: string, changes: Changes = {}, version = "a1"): Promise<RenderSpec> {
  const repository = { [`render:repositories`]: JSON.stringify({ [name]: `https://github.com/acme/${name}` }) };
  const { apps: resolved, problems, settings } = await resolveOnRender({ ...repository, ...changes });
  const others = problems.filter(({ where }) => !where.endsWith(".source"));
  assert.deepEqual(others, []);
  const app = resolved.find(({ declaration }) => declaration.name === name);
  assert.ok(app !== undefined);
  return planFor(ofRepository(app, version), settings);
}
