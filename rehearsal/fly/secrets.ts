import { createHash } from "node:crypto";
import { without } from "../platform/without";
import type { Handler, Request } from "./operation";
import type { App, Secret } from "./state";
import { appOf, refuse } from "./world";
import type { World } from "./world";

const target = ({ world, token, values }: Request): App => appOf(world, token, values["app_name"]!);

/** The secrets as a list tells of them: after a change, those of before for a while. */
const listed = (world: World, { secrets, secretsBefore }: App): Record<string, Secret> =>
  world.clock.now() < (secretsBefore?.until ?? 0) ? (secretsBefore?.secrets ?? {}) : secrets;

/** Sets and unsets secrets in one step, as one new version. Machines that run aren't touched. */
function change(request: Request, values: Readonly<Record<string, string | null>>): number {
  const { world } = request;
  const app = target(request);
  const now = new Date(world.clock.now()).toISOString();
  app.secretsBefore = { secrets: listed(world, app), until: world.clock.now() + world.timings.listed };
  app.secrets = { ...app.secrets };
  for (const [name, value] of Object.entries(values)) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw refuse(422, `invalid secret name: ${name}`);
    if (value === null) app.secrets = without(app.secrets, name);
    else
      app.secrets[name] = {
        value,
        // Salted, so that it tells a change and not the value.
        digest: createHash("sha256").update(`${app.id}\n${name}\n${value}`).digest("hex").slice(0, 16),
        createdAt: app.secrets[name]?.createdAt ?? now,
        updatedAt: now,
      };
  }
  app.secretsVersion += 1;
  world.store.save();
  return app.secretsVersion;
}

const view = (name: string, secret: Secret): Record<string, string> => ({
  name,
  digest: secret.digest,
  created_at: secret.createdAt,
  updated_at: secret.updatedAt,
});

function requireVersion({ query }: Request, app: App): void {
  const least = Number(query.get("min_version") ?? query.get("version") ?? 0);
  if (least > app.secretsVersion)
    throw refuse(412, `failed_precondition: version ${least} of the secrets isn't there yet`);
}

/** Values never come back to a deploy token, whatever is asked for. */
function noValues({ query }: Request): void {
  if (query.get("show_secrets") === "true") throw refuse(403, "show_secrets isn't permitted");
}

export const listSecrets: Handler = (request) => {
  const app = target(request);
  requireVersion(request, app);
  noValues(request);
  const known = listed(request.world, app);
  return { status: 200, body: { secrets: Object.entries(known).map(([name, secret]) => view(name, secret)) } };
};

export const getSecret: Handler = (request) => {
  const app = target(request);
  requireVersion(request, app);
  noValues(request);
  const name = request.values["secret_name"]!;
  const secret = app.secrets[name];
  if (secret === undefined) throw refuse(404, `secret not found: ${name}`);
  return { status: 200, body: view(name, secret) };
};

export const updateSecrets: Handler = (request) => {
  const { values } = request.body as { values: Record<string, string | null> };
  const version = change(request, values);
  const app = target(request);
  const secrets = Object.entries(app.secrets).filter(([name]) => name in values);
  return { status: 200, body: { secrets: secrets.map(([name, secret]) => view(name, secret)), version } };
};

export const setSecret: Handler = (request) => {
  const { value } = request.body as { value: string };
  const name = request.values["secret_name"]!;
  const version = change(request, { [name]: value });
  return { status: 201, body: { ...view(name, target(request).secrets[name]!), version } };
};

export const deleteSecret: Handler = (request) => ({
  status: 200,
  body: { version: change(request, { [request.values["secret_name"]!]: null }) },
});
