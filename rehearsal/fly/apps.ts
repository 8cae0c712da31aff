import { without } from "../platform/without";
import { removeMachine } from "./lifecycle";
import { authenticateOrg, type Handler } from "./operation";
import type { App } from "./state";
import { requireOrg, issueToken } from "./tokens";
import { appOf, durationMs, machinesOf, nextNumber, refuse } from "./world";
import type { World } from "./world";

interface CreateApp {
  readonly name: string;
  readonly org_slug: string;
  readonly network?: string;
  readonly idempotency_key?: string;
}

function view(world: World, app: App): Record<string, unknown> {
  const organization = world.state.organizations.find((one) => one.slug === app.org)!;
  const machines = machinesOf(world, app.name);
  return {
    id: app.id,
    internal_numeric_id: app.number,
    name: app.name,
    network: app.network,
    status: statusOf(world, app),
    machine_count: machines.length,
    volume_count: Object.values(world.state.volumes).filter(
      (volume) => volume.app === app.name && volume.state !== "destroyed",
    ).length,
    organization: { name: organization.name, slug: organization.slug, internal_numeric_id: organization.number },
    cname_target: `${app.id.slice(-8)}.fly.dev`,
  };
}

/** pending until the first machine is made, suspended while none runs. */
export function statusOf(world: World, app: App): string {
  const machines = machinesOf(world, app.name);
  if (machines.length === 0) return app.releases.length === 0 ? "pending" : "suspended";
  return machines.some((machine) => machine.state === "started") ? "deployed" : "suspended";
}

export const createApp: Handler = ({ world, token, body }) => {
  const wanted = body as CreateApp;
  requireOrg(world, token, wanted.org_slug);
  const { name, idempotency_key: key } = wanted;
  const known =
    key === undefined
      ? undefined
      : Object.values(world.state.apps).find((app) => app.idempotencyKey === key && app.org === wanted.org_slug);
  if (known !== undefined) {
    if (known.name === name) return { status: 201, body: { id: known.id, created_at: known.createdAt } };
    throw refuse(422, "idempotency_key was used for another app");
  }
  if (!/^[a-z0-9][a-z0-9-]{0,61}[a-z0-9]$/.test(name))
    throw refuse(422, "Validation failed: Name may only contain numbers, lowercase letters and dashes");
  if (world.state.takenNames.includes(name) || world.state.apps[name] !== undefined)
    throw refuse(422, "Validation failed: Name has already been taken", "name_taken");
  const now = world.clock.now();
  const number = nextNumber(world);
  world.state.apps[name] = {
    id: `app_${number.toString(36).padStart(10, "0")}`,
    number,
    name,
    org: wanted.org_slug,
    network: wanted.network ?? "default",
    createdAt: now,
    visibleAt: now + world.timings.appVisible,
    ...(key === undefined ? {} : { idempotencyKey: key }),
    secretsVersion: 1,
    secrets: {},
    addresses: [],
    certificates: {},
    releases: [],
  };
  world.store.save();
  return { status: 201, body: { id: world.state.apps[name].id, created_at: now } };
};

export const getApp: Handler = ({ world, token, values }) => ({
  status: 200,
  body: view(world, appOf(world, token, values["app_name"]!)),
});

export const listApps: Handler = ({ world, token, query }) => {
  const slug = authenticateOrg(world, token, query.get("org_slug") ?? undefined);
  const apps = Object.values(world.state.apps)
    .filter((app) => app.org === slug && world.clock.now() >= app.visibleAt)
    .map((app) => view(world, app));
  return { status: 200, body: { total_apps: apps.length, apps } };
};

export const deleteApp: Handler = async ({ world, token, values }) => {
  const app = appOf(world, token, values["app_name"]!);
  world.state.apps = without(world.state.apps, app.name);
  world.state.addOns = Object.fromEntries(
    Object.entries(world.state.addOns).filter(([, addOn]) => addOn.app !== app.name),
  );
  const machines = machinesOf(world, app.name);
  for (const volume of Object.values(world.state.volumes)) if (volume.app === app.name) volume.state = "destroyed";
  world.store.save();
  world.changes.emit("network");
  await Promise.all(machines.map((machine) => removeMachine(world, machine)));
  return { status: 202 };
};

export const createDeployToken: Handler = ({ world, token, values, body }) => {
  const app = appOf(world, token, values["app_name"]!);
  const { expiry } = (body ?? {}) as { expiry?: string };
  const made = issueToken(world, {
    org: app.org,
    app: app.name,
    ...(expiry === undefined ? {} : { expiresAt: world.clock.now() + durationMs(expiry, 0) }),
  });
  return { status: 200, body: { token: `FlyV1 ${made.token}` } };
};

export const getCurrentToken: Handler = ({ world, token }) => {
  const apps = Object.values(world.state.apps).filter(
    (app) => app.org === token.org && (token.app === undefined || token.app === app.name),
  );
  const organization = token.org;
  return {
    status: 200,
    body: {
      tokens: [
        {
          token_id: token.token.slice(4, 12),
          user: "rehearsal@example.com",
          org_slug: organization,
          organization,
          apps: token.app === undefined ? ["*"] : apps.map((app) => app.name),
        },
      ],
    },
  };
};
