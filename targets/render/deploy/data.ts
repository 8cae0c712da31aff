import { DriverError } from "../../../drivers/error";
import type { Database } from "../api/types";
import { token } from "../tokens";
import type { Found } from "./find";
import type { Place } from "./requests";
import type { Run } from "./run";
import { makeSingle } from "./single";

const availableSeconds = 900;
const broken = ["unavailable", "recovery_failed", "suspended"];

/** What databases came to: their connection strings by token, their ids by component. */
export interface Data {
  readonly values: Map<string, string>;
  readonly ids: Record<string, string>;
}

interface Kind {
  readonly path: "/postgres" | "/key-value";
  readonly token: "postgres" | "keyvalue";
  readonly find: (name: string) => Promise<Database | undefined>;
}

/** Makes the databases that lack, brings the others to their plan, and waits until all are available. */
export async function ensureData(run: Run, found: Found, place: Place): Promise<Data> {
  const { spec, render } = run;
  const data: Data = { values: new Map(), ids: {} };
  const postgres: Kind = {
    ...{ path: "/postgres", token: "postgres" },
    find: async (name) => (await render.postgres(place.ownerId, name))[0],
  };
  const keyValue: Kind = {
    ...{ path: "/key-value", token: "keyvalue" },
    find: async (name) => (await render.keyValues(place.ownerId, name))[0],
  };
  // Nobody reaches them from outside: the app's services don't need it.
  const common = { ...place, region: spec.region, ipAllowList: [] };
  await Promise.all([
    ...spec.postgres.map(async ({ part, name, plan, diskGb, version }) => {
      const has = found.postgres.get(name);
      const body = { ...common, name, plan, version, diskSizeGB: diskGb };
      // A disk never gets smaller.
      const grown = has !== undefined && diskGb > (has.diskSizeGB ?? diskGb) ? { diskSizeGB: diskGb } : {};
      const change = { ...(has === undefined || has.plan === plan ? {} : { plan }), ...grown, ...closed(has) };
      await ensure(run, postgres, { part, name, has, body, change }, data);
    }),
    ...spec.keyValues.map(async ({ part, name, plan }) => {
      const has = found.keyValues.get(name);
      // A queue mustn't lose entries when memory is short.
      const body = { ...common, name, plan, maxmemoryPolicy: "noeviction" };
      const change = { ...(has === undefined || has.plan === plan ? {} : { plan }), ...closed(has) };
      await ensure(run, keyValue, { part, name, has, body, change }, data);
    }),
  ]);
  return data;
}

/** What shuts a database that somebody may reach from outside: one that was taken over, or restored. */
const closed = (has: Database | undefined): { readonly ipAllowList?: [] } =>
  has === undefined || (has.ipAllowList ?? []).length === 0 ? {} : { ipAllowList: [] };

/** A change's fields as people call them. */
const words: Readonly<Record<string, string>> = { diskSizeGB: "size", ipAllowList: "access from outside" };

interface Wanted {
  readonly part: string;
  readonly name: string;
  readonly has: Database | undefined;
  readonly body: unknown;
  readonly change: object;
}

async function ensure(run: Run, kind: Kind, wanted: Wanted, data: Data): Promise<void> {
  const { render } = run;
  const { part, name, has, body, change } = wanted;
  const { path } = kind;
  const deadline = render.deadline(availableSeconds, `${name} to be available`);
  const { id } =
    has ??
    (await makeSingle(run, name, {
      create: () => render.call<Database>("POST", path, { body, deadline }),
      find: () => kind.find(name),
      deadline,
    }));
  if (has === undefined) run.changed(`${name}: made`);
  else if (Object.keys(change).length > 0) {
    await render.call("PATCH", `${path}/${id}`, { body: change, deadline, idempotent: true });
    run.changed(
      `${name}: ${Object.keys(change)
        .map((key) => words[key] ?? key)
        .join(", ")} changed`,
    );
  }
  if (has?.status !== "available" || Object.keys(change).length > 0) {
    await run.poll(deadline, async () => {
      const { status } = await render.call<Database>("GET", `${path}/${id}`, { deadline });
      if (broken.includes(status)) throw unavailable(name, status);
      return status === "available" ? true : undefined;
    });
  }
  const info = await render.call<{ internalConnectionString: string; password?: string }>(
    "GET",
    `${path}/${id}/connection-info`,
    { deadline },
  );
  render.client.hide(info.internalConnectionString);
  if (info.password !== undefined) render.client.hide(info.password);
  data.values.set(token(kind.token, part), info.internalConnectionString);
  data.ids[part] = id;
}

const unavailable = (name: string, status: string): DriverError =>
  new DriverError({
    what: `${name} doesn't become available.`,
    where: name,
    why: `Render says that it is ${status}`,
    fix: "look at it at dashboard.render.com (resume it, or restore it to a time), then pulumi up",
  });
