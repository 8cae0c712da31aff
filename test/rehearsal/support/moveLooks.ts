import type { Fly, Host, Railway, Render } from "../../../rehearsal/site";
import { flyCalls } from "./flyCalls";
import { onHost, type AppName } from "./world";

/** An app's services and timers on a host, and its containers. */
export async function onMachine(host: Pick<Host, "exec">, app: AppName): Promise<string[]> {
  const units = `systemctl list-units --plain --no-legend '${app}-prod-*' | cut -d' ' -f1`;
  const shown = await onHost(host, `${units}; podman ps --format '{{.Names}}' | grep '^${app}-prod-' || true`);
  return shown.split("\n").filter((line) => line !== "");
}

/** The machines of all of an app's apps of Fly. */
export async function machinesOfFly(fly: Fly, app: AppName): Promise<string[]> {
  const calls = flyCalls(fly);
  const { apps } = await calls.call<{ apps: { name: string }[] }>("GET", "/apps?org_slug=personal");
  const own = apps.filter(({ name }) => name.startsWith(`${app}-prod`));
  const machines = await Promise.all(
    own.map(async ({ name }) => ((await calls.machines(name)) ?? []).map(({ id, state }) => `${name} ${id} ${state}`)),
  );
  return machines.flat();
}

/** The services of an app's project of Railway: one that is gone leaves at most its volume. */
export async function servicesOfRailway({ endpoint, token }: Railway, app: AppName): Promise<string[]> {
  interface Edges<T> {
    readonly edges: readonly { readonly node: T }[];
  }
  interface Project {
    readonly name: string;
    readonly services: Edges<{ readonly name: string }>;
  }
  const query = "{ projects(first: 50) { edges { node { name services { edges { node { name } } } } } } }";
  const { data } = await ask<{ data: { projects: Edges<Project> } }>(endpoint, token, { query });
  return data.projects.edges
    .filter(({ node }) => node.name === app)
    .flatMap(({ node }) => node.services.edges.map((one) => one.node.name));
}

/** An app's services of Render that aren't suspended. */
export async function servicesOfRender({ endpoint, token }: Render, app: AppName): Promise<string[]> {
  interface Listed {
    readonly service: { readonly name: string; readonly suspended: string };
  }
  const all = await ask<Listed[]>(`${endpoint}/v1/services?limit=100`, token);
  return all
    .filter(({ service }) => service.name.startsWith(`${app}-prod`) && service.suspended !== "suspended")
    .map(({ service }) => service.name);
}

async function ask<T>(url: string, token: string, body?: object): Promise<T> {
  const answer = await fetch(url, {
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${url} answers ${answer.status}: ${text}`);
  return JSON.parse(text) as T;
}
