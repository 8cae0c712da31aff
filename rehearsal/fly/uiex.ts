import { matchPath } from "../platform/contract";
import type { Answer, Call } from "../platform/http";
import { addRelease, changeRelease, type NewRelease, type ReleaseChange } from "./graphqlChanges";
import type { Release, Token } from "./state";
import { authenticate } from "./tokens";
import { appOf, refuse } from "./world";
import type { World } from "./world";

const viewRelease = (release: Release): Record<string, unknown> => ({
  id: release.id,
  version: release.version,
  stable: release.status === "complete",
  in_progress: release.status === "running",
  status: release.status,
  strategy: release.strategy,
  user: "rehearsal@example.com",
  created_at: release.createdAt,
  image_ref: release.image,
});

/** DeploymentStrategy of flyctl, internal/uiex/releases.go. */
const strategies = ["BLUEGREEN", "CANARY", "IMMEDIATE", "ROLLING", "ROLLING_ONE", "SIMPLE"];

/** A body that has exactly these fields: flyctl leaves none out, and `null` is an object to it. */
function checkBody(body: unknown, fields: Readonly<Record<string, string>>): void {
  const given = (body ?? {}) as Readonly<Record<string, unknown>>;
  const wrong = [...new Set([...Object.keys(given), ...Object.keys(fields)])].filter(
    (name) => typeof given[name] !== fields[name],
  );
  if (wrong.length > 0) throw refuse(422, `wrong or missing: ${wrong.join(", ")}`);
}

type Route = (world: World, token: Token, call: Call, values: Record<string, string>) => Answer;

const logs: Route = (world, token, { query }, values) => {
  const app = appOf(world, token, values["app"]!);
  const instance = query.get("instance");
  const region = query.get("region");
  const lines = world.logs
    .of(app.name, Number(query.get("next_token") ?? 0))
    .filter((line) => (instance ?? line.machine) === line.machine && (region ?? line.region) === line.region);
  const data = lines.map(({ id, timestamp, message, level, machine, region: place }) => ({
    id: String(id),
    type: "log",
    attributes: { timestamp, message, level, instance: machine, region: place, meta: {} },
  }));
  return {
    status: 200,
    body: { data, meta: { next_token: String(lines.at(-1)?.id ?? query.get("next_token") ?? "") } },
  };
};

/**
 * What of https://api.fly.io/api/v1 the rehearsal answers. Nothing of it is documented: paths and fields are those that
 * flyctl and fly-go use (internal/uiex/releases.go and organizations.go, resource_logs.go).
 */
const routes: Readonly<Record<string, Route>> = {
  "GET /api/v1/apps/{app}/logs": logs,
  "GET /api/v1/apps/{app}/releases": (world, token, { query }, values) => {
    const { releases } = appOf(world, token, values["app"]!);
    return { status: 200, body: { releases: releases.slice(0, Number(query.get("limit") ?? 25)).map(viewRelease) } };
  },
  "GET /api/v1/apps/{app}/releases/current": (world, token, _call, values) => {
    const [release] = appOf(world, token, values["app"]!).releases;
    if (release === undefined) throw refuse(404, "no release");
    return { status: 200, body: viewRelease(release) };
  },
  "POST /api/v1/releases": (world, token, { body }) => {
    checkBody(body, {
      app_name: "string",
      build_id: "number",
      definition: "object",
      image: "string",
      strategy: "string",
    });
    const { app_name: name, ...wanted } = body as { app_name: string } & NewRelease;
    if (!strategies.includes(wanted.strategy)) throw refuse(422, `strategy is not one of ${strategies.join(", ")}`);
    const app = appOf(world, token, name);
    return { status: 201, body: { release: viewRelease(addRelease(world, app, wanted)) } };
  },
  "PATCH /api/v1/releases/{id}": (world, token, { body }, values) => {
    checkBody(body, { status: "string", metadata: "object" });
    const change = body as ReleaseChange;
    return { status: 200, body: viewRelease(changeRelease(world, token, values["id"]!, change)) };
  },
  "GET /api/v1/organizations": (world, token) => ({
    status: 200,
    body: {
      organizations: world.state.organizations
        .filter((one) => one.slug === token.org)
        .map(({ id, slug, name, number }) => ({ id, slug, raw_slug: slug, name, internal_numeric_id: number })),
    },
  }),
};

/** Answers the undocumented REST calls of api.fly.io. */
export function answerUiex(world: World, call: Call): Answer {
  const token = authenticate(world, call.headers.authorization);
  for (const [name, route] of Object.entries(routes)) {
    const [method, template = ""] = name.split(" ");
    const values = matchPath(template, call.path);
    if (method === call.method && values !== undefined) return route(world, token, call, values);
  }
  throw refuse(404, `no such path: ${call.method} ${call.path}`);
}
