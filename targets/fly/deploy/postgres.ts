import { DriverError } from "../../../drivers/error";
import { createOnce } from "../../../drivers/http";
import type { Fly } from "../api/fly";
import type { FlyAppPlan, FlyPostgresPlan } from "../plan";
import type { Run } from "./run";

/** A cluster as `/v1/postgres` answers it (fly-go, flaps_managed_postgres.go). */
export interface Cluster {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly region?: string;
  readonly plan?: string;
  readonly disk_size_gb?: number;
  readonly pg_major_version?: string | number;
  readonly endpoints?: { readonly primary?: Readonly<Record<"direct" | "pooler", Endpoint | undefined>> };
}
interface Endpoint {
  readonly host?: string;
  readonly port?: number;
}

/** Fly's own names for a cluster's first user and database. */
const user = "fly-user";
export const clusterDatabase = "fly-db";
const readySeconds = 15 * 60;

/** The token that stands for a database's URL in a plan. */
export const postgresToken = (name: string): string => `@@postgres:${name}@@`;

/** Puts the databases' URLs in the place of their tokens. */
export function withUrls(app: FlyAppPlan, urls: Readonly<Record<string, string>>): FlyAppPlan {
  const fill = (text: string) =>
    Object.entries(urls).reduce((out, [name, url]) => out.replaceAll(postgresToken(name), url), text);
  return {
    ...app,
    secrets: Object.fromEntries(Object.entries(app.secrets).map(([name, value]) => [name, fill(value)])),
  };
}

/** Makes the planned clusters, databases and extensions. @returns their URLs by name; secret */
export async function ensurePostgres(run: Run): Promise<Record<string, string>> {
  const urls: Record<string, string> = {};
  if (run.spec.postgres.length === 0) return urls;
  const clusters = await listClusters(run.fly);
  for (const plan of run.spec.postgres) urls[plan.name] = await ensureOne(run, plan, clusters);
  return urls;
}

/** The organization's clusters. */
export async function listClusters(fly: Fly): Promise<Cluster[]> {
  const query = { org_slug: fly.connection.org };
  const { data } = await fly.call<{ data?: Cluster[] | null }>("GET", "/postgres", { query });
  return (data ?? []).filter(({ status }) => status !== "deleted" && status !== "deleting");
}

const named = (clusters: readonly Cluster[], name: string) => clusters.find((cluster) => cluster.name === name);

async function ensureOne(run: Run, plan: FlyPostgresPlan, clusters: readonly Cluster[]): Promise<string> {
  const { fly, spec } = run;
  let cluster = named(clusters, plan.cluster);
  if (cluster?.status === "failed" || cluster?.status === "error") throw broken(plan, cluster);
  if (cluster === undefined) {
    await checkRegion(run, plan);
    const deadline = fly.deadline(300, `the Postgres cluster ${plan.cluster} to be created`);
    const body = {
      org_slug: spec.connection.org,
      name: plan.cluster,
      region: plan.region,
      plan: plan.plan,
      disk_size_gb: plan.diskGb,
      pg_major_version: "16",
    };
    cluster = await createOnce<Cluster>(fly.client, {
      deadline,
      create: async () => {
        const made = await fly.call<{ data?: Cluster } & Partial<Cluster>>("POST", "/postgres", { body, deadline });
        return made.data ?? (made as Cluster);
      },
      find: async () => named(await listClusters(fly), plan.cluster),
    });
    run.changed(`${plan.cluster}: Postgres cluster is created in ${plan.region} (${plan.plan})`);
  }
  tellDifference(run, plan, cluster);
  const ready = isUsable(cluster) ? cluster : await waitReady(run, cluster.id, plan);
  const path = `/postgres/${cluster.id}`;
  if (plan.database !== clusterDatabase) {
    await ensureNamed(run, `${path}/databases`, plan.database, `${plan.cluster}: database ${plan.database}`);
  }
  for (const extension of plan.extensions) {
    const where = `${path}/databases/${plan.database}/extensions`;
    await ensureNamed(run, where, extension, `${plan.cluster}: extension ${extension}`);
  }
  type Credentials = { data?: { username?: string; password?: string } };
  const { data } = await fly.call<Credentials>("GET", `${path}/users/${user}/credentials`);
  // Sessions, prepared statements and migrations work on the direct endpoint alone, whatever the pooler's mode.
  const endpoint = ready.endpoints?.primary?.direct ?? ready.endpoints?.primary?.pooler;
  if (data?.password === undefined || endpoint?.host === undefined) {
    throw new DriverError({
      what: "Fly doesn't tell how to reach the Postgres cluster.",
      where: `Postgres cluster ${plan.cluster} (${cluster.id})`,
      why: data?.password === undefined ? `there are no credentials of ${user}` : "it has no endpoint",
      fix: "fly mpg status, then pulumi up",
    });
  }
  run.hide(data.password);
  const login = `${encodeURIComponent(data.username ?? user)}:${encodeURIComponent(data.password)}`;
  const port = endpoint.port === undefined ? "" : `:${endpoint.port}`;
  return `postgresql://${login}@${endpoint.host}${port}/${plan.database}`;
}

/** Neither a cluster's size nor its disk can be changed by Fly's API; what is declared isn't left unsaid for that. */
function tellDifference(run: Run, plan: FlyPostgresPlan, { plan: size, disk_size_gb: disk }: Cluster): void {
  const other = [
    ...(size !== undefined && size.toLowerCase() !== plan.plan.toLowerCase() ? [`size ${size}, not ${plan.plan}`] : []),
    ...(disk !== undefined && disk < plan.diskGb ? [`a disk of ${disk} GB, not ${plan.diskGb}`] : []),
  ];
  if (other.length > 0)
    run.tell(`${plan.cluster}: has ${other.join(" and ")}; a person changes that at fly.io/dashboard`);
}

/** The list tells of a ready cluster all that is needed. */
const isUsable = ({ status, endpoints }: Cluster): boolean =>
  status === "ready" && (endpoints?.primary?.direct?.host ?? endpoints?.primary?.pooler?.host) !== undefined;

async function waitReady(run: Run, id: string, plan: FlyPostgresPlan): Promise<Cluster> {
  const deadline = run.fly.deadline(readySeconds, `the Postgres cluster ${plan.cluster} to become ready`);
  for (let wait = 1000; ; wait = Math.min(10_000, wait * 1.5)) {
    // Just after it was made it may not be known everywhere.
    const answer = await run.fly.client.request("GET", `/v1/postgres/${id}`, { deadline, accept: [404] });
    const cluster = (answer.body as { data?: Cluster } | undefined)?.data;
    if (cluster?.status === "ready") return cluster;
    if (cluster?.status === "failed" || cluster?.status === "error") throw broken(plan, cluster);
    if (!(await run.pause(wait, deadline))) {
      throw new DriverError({
        what: "The Postgres cluster didn't become ready.",
        where: `Postgres cluster ${plan.cluster} (${id})`,
        why: `its status is ${cluster?.status ?? "unknown"} after ${deadline.seconds} s at most`,
        fix: `fly mpg status ${id}; pulumi up goes on waiting`,
      });
    }
  }
}

/** It doesn't get ready any more, and waiting for it would end no deploy. It may hold data, so that a person takes it away. */
const broken = (plan: FlyPostgresPlan, { id, status }: Cluster): DriverError =>
  new DriverError({
    what: "Fly couldn't make the Postgres cluster, or it broke.",
    where: `Postgres cluster ${plan.cluster} (${id})`,
    why: `its status is ${status}, from which it doesn't come back by itself`,
    fix:
      `a new one: fly mpg destroy ${id}, then pulumi up makes another. One that has held data: ask Fly's support first, or use ` +
      `the cluster of a backup, pulumi config set --path 'fly:postgresClusters["APP-DATABASE"]' NAME`,
  });

/** Not every region of Fly has Managed Postgres, and its refusal doesn't say which have. */
async function checkRegion(run: Run, plan: FlyPostgresPlan): Promise<void> {
  type Regions = { regions?: readonly { readonly code?: string; readonly mpg_available?: boolean }[] | null };
  const { regions } = await run.fly.call<Regions>("GET", "/platform/regions");
  const here = (regions ?? []).find(({ code }) => code === plan.region);
  // A region that isn't told of, or doesn't say: then Fly's own answer counts.
  if (here?.mpg_available !== false) return;
  const having = (regions ?? []).flatMap(({ code, mpg_available }) =>
    mpg_available === true && code !== undefined ? [code] : [],
  );
  throw new DriverError({
    what: `The region ${plan.region} has no Managed Postgres.`,
    where: `Postgres cluster ${plan.cluster}`,
    why: `Fly has it in ${having.join(", ")}`,
    fix: "pulumi config set --path fly:postgresRegions.APP REGION, one near the app's own; then pulumi up",
  });
}

/** A database or an extension, by name. */
async function ensureNamed(run: Run, path: string, name: string, told: string): Promise<void> {
  const has = async () => {
    const { data } = await run.fly.call<{ data?: ({ name?: string } | string)[] | null }>("GET", path);
    return (data ?? []).some((one) => (typeof one === "string" ? one : one.name) === name);
  };
  if (await has()) return;
  const deadline = run.fly.deadline(60, told);
  await createOnce<unknown>(run.fly.client, {
    deadline,
    create: () => run.fly.call("POST", path, { body: { name }, deadline, accept: [409] }),
    find: async () => ((await has()) ? true : undefined),
  });
  run.changed(`${told} is made`);
}

/** Deletes the clusters where the spec says so; they stay otherwise, billed, and it says that. */
export async function deletePostgres(run: Run): Promise<void> {
  if (run.spec.postgres.length === 0) return;
  const clusters = await listClusters(run.fly);
  for (const { cluster: name } of run.spec.postgres) {
    const cluster = named(clusters, name);
    if (cluster === undefined) continue;
    if (run.spec.onDelete === "delete data") {
      await run.fly.call("DELETE", `/postgres/${cluster.id}`, { accept: [404] });
      run.changed(`${name}: Postgres cluster deleted`);
    } else run.tell(`${name}: the Postgres cluster stays; fly mpg destroy ${cluster.id} deletes it`);
  }
}
