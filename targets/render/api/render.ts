import type { DriverIo } from "../../../drivers/driver";
import { Client, Deadline, hasStatus, type CallOptions, type World } from "../../../drivers/http";
import type { RenderConnection } from "./connection";
import { explainRender } from "./explain";
import { renderLimit } from "./limits";
import type { Database, Deploy, Domain, Event, LogPage, Named, Owner, Project, Run, Service } from "./types";

/** The most that a list gives at once. */
const pageSize = 100;
const callSeconds = 180;

type Query = NonNullable<CallOptions["query"]>;

/** Render's API: each call once, typed, within a deadline. */
export class Render {
  readonly client: Client;

  constructor(
    connection: RenderConnection,
    io: Pick<DriverIo, "progress" | "signal">,
    secrets: readonly string[],
    world?: World,
  ) {
    this.client = new Client({
      base: `${connection.apiUrl}/v1`,
      headers: { authorization: `Bearer ${connection.apiKey}` },
      secrets: [connection.apiKey, ...secrets],
      limit: renderLimit,
      requestIdHeader: "render-request-id",
      // Its 429s have no Retry-After; the header has the seconds that are left.
      retryAfterHeader: "ratelimit-reset",
      explain: explainRender,
      progress: io.progress,
      signal: io.signal,
      ...(world === undefined ? {} : { world }),
    });
  }

  deadline(seconds: number, what: string): Deadline {
    return Deadline.after(seconds, what, this.client.world);
  }

  async call<T>(method: string, path: string, more: Partial<CallOptions> = {}): Promise<T> {
    const deadline = more.deadline ?? this.deadline(callSeconds, `${method} ${path}`);
    return (await this.client.request(method, path, { ...more, deadline })).body as T;
  }

  /** Something by its id; undefined where it isn't there. */
  async find<T>(path: string): Promise<T | undefined> {
    try {
      return await this.call<T>("GET", path);
    } catch (error) {
      if (hasStatus(error, 404, 410)) return undefined;
      throw error;
    }
  }

  /** Ends something; what is gone already is no error. */
  async remove(path: string): Promise<void> {
    await this.client.request("DELETE", path, {
      deadline: this.deadline(callSeconds, `DELETE ${path}`),
      accept: [404, 410],
    });
  }

  /** All of a list. Each row of a page has the item under its kind's name. */
  async list<T>(path: string, kind: string, query: Query = {}): Promise<T[]> {
    const all: T[] = [];
    for (let cursor: string | undefined; ;) {
      const rows = await this.call<({ readonly cursor: string } & Record<string, unknown>)[]>("GET", path, {
        query: { ...query, limit: pageSize, cursor },
      });
      all.push(...rows.map((row) => row[kind] as T));
      cursor = rows.at(-1)?.cursor;
      if (rows.length < pageSize || cursor === undefined) return all;
    }
  }

  owners(): Promise<Owner[]> {
    return this.list<Owner>("/owners", "owner");
  }

  /** Services by name or environment; previews of pull requests aren't among them. */
  async services(ownerId: string, by: { readonly name?: string; readonly environmentId?: string }): Promise<Service[]> {
    const all = await this.list<Service>("/services", "service", { ownerId, includePreviews: false, ...by });
    return all.filter(({ serviceDetails }) => serviceDetails.parentServer === undefined);
  }

  postgres(ownerId: string, name: string): Promise<Database[]> {
    return this.list<Database>("/postgres", "postgres", { ownerId, name });
  }

  keyValues(ownerId: string, name: string): Promise<Database[]> {
    return this.list<Database>("/key-value", "keyValue", { ownerId, name });
  }

  projects(ownerId: string, name: string): Promise<Project[]> {
    return this.list<Project>("/projects", "project", { ownerId, name });
  }

  environments(projectId: string, name: string): Promise<Named[]> {
    return this.list<Named>("/environments", "environment", { projectId, name });
  }

  async variables(serviceId: string): Promise<Record<string, string>> {
    const rows = await this.list<{ key: string; value: string }>(`/services/${serviceId}/env-vars`, "envVar");
    return Object.fromEntries(rows.map(({ key, value }) => [key, value]));
  }

  async files(serviceId: string): Promise<Record<string, string>> {
    const rows = await this.list<{ name: string; content: string }>(
      `/services/${serviceId}/secret-files`,
      "secretFile",
    );
    return Object.fromEntries(rows.map(({ name, content }) => [name, content]));
  }

  /** The newest deploys, newest first. */
  async deploys(serviceId: string, limit: number, status?: string): Promise<Deploy[]> {
    const rows = await this.call<{ deploy: Deploy }[]>("GET", `/services/${serviceId}/deploys`, {
      query: { limit, status },
    });
    return rows.map(({ deploy }) => deploy);
  }

  deploy(serviceId: string, id: string, deadline: Deadline): Promise<Deploy> {
    return this.call<Deploy>("GET", `/services/${serviceId}/deploys/${id}`, { deadline });
  }

  domains(serviceId: string): Promise<Domain[]> {
    return this.list<Domain>(`/services/${serviceId}/custom-domains`, "customDomain");
  }

  jobs(serviceId: string): Promise<Run[]> {
    return this.list<Run>(`/services/${serviceId}/jobs`, "job");
  }

  /** What happened to a service, newest first. */
  async events(serviceId: string, of: { readonly type?: string; readonly since?: Date } = {}): Promise<Event[]> {
    const rows = await this.call<{ event: Event }[]>("GET", `/services/${serviceId}/events`, {
      query: { type: of.type, startTime: of.since?.toISOString(), limit: 20 },
    });
    return rows.map(({ event }) => event);
  }

  logs(query: Query): Promise<LogPage> {
    return this.call<LogPage>("GET", "/logs", { query });
  }
}
