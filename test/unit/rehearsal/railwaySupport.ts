import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type PaperBehaviour, PaperRuntime } from "../../../rehearsal/platform/paper";
import type { Container } from "../../../rehearsal/platform/runtime";
import { type RailwayEmulator, type RailwayOptions, startRailway } from "../../../rehearsal/railway/emulator";

/** An answer of GraphQL, read whole. */
export interface Got<T = unknown> {
  readonly status: number;
  readonly data: T;
  readonly errors: readonly { readonly message: string }[] | undefined;
  readonly headers: Headers;
}

/** Short enough for a test, long enough to be seen. */
const timings = {
  ...{ queue: 10, build: 10, deploy: 10, check: 10, restart: 10, remove: 10 },
  ...{ workflowVisible: 150, workflow: 300, certificate: 500, volumeGap: 0 },
};

/** An emulator with containers on paper, for one test, and calls to it as its account, in one project. */
export class Bench {
  projectId = "";
  environmentId = "";
  /** How containers behave. Default: steps before the start end well, all else runs until it is stopped. */
  behave: (container: Container) => PaperBehaviour = () => ({});

  private constructor(
    readonly folder: string,
    public railway: RailwayEmulator,
    readonly runtime: PaperRuntime,
    private readonly start: () => Promise<RailwayEmulator>,
  ) {}

  /** Calls aren't limited unless a test says so. */
  static async open(options: Partial<RailwayOptions> = {}): Promise<Bench> {
    const folder = mkdtempSync(join(tmpdir(), "homeport-railway-"));
    const holder: { bench?: Bench } = {};
    const runtime = new PaperRuntime(
      (container) => {
        const own = holder.bench?.behave(container) ?? {};
        const isStep = /-pre\d+$/.test(container.id);
        return isStep && own.exit === undefined ? { ...own, exit: { code: 0, afterMs: 5 } } : own;
      },
      (image) => !image.includes("missing"),
    );
    const begin = (): Promise<RailwayEmulator> =>
      startRailway({
        file: join(folder, "state.json"),
        ...options,
        timings: { ...timings, ...options.timings },
        runtime,
        settings: { rateLimits: false, healthcheckMs: 3_000, sweepMs: 10, ...options.settings },
      });
    const bench = new Bench(folder, await begin(), runtime, begin);
    holder.bench = bench;
    const { projectCreate } = await bench.must<{
      projectCreate: { id: string; environments: { edges: { node: { id: string } }[] } };
    }>(
      "mutation($input: ProjectCreateInput!) { projectCreate(input: $input) { id environments { edges { node { id } } } } }",
      { input: { name: "shop", workspaceId: bench.railway.workspaceId } },
    );
    bench.projectId = projectCreate.id;
    bench.environmentId = projectCreate.environments.edges[0]!.node.id;
    return bench;
  }

  async close(): Promise<void> {
    await this.railway.close();
    rmSync(this.folder, { recursive: true });
  }

  /** Ends the emulator and starts another one on the same state. */
  async restart(): Promise<void> {
    await this.railway.close();
    this.railway = await this.start();
  }

  get account(): Record<string, string> {
    return { authorization: `Bearer ${this.railway.token}` };
  }

  async ask<T = unknown>(query: string, variables: object = {}, headers = this.account): Promise<Got<T>> {
    const answer = await fetch(this.railway.endpoint, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = (await answer.json()) as Pick<Got<T>, "data" | "errors">;
    return { status: answer.status, data, errors, headers: answer.headers };
  }

  async must<T>(query: string, variables: object = {}, headers = this.account): Promise<T> {
    const { data, errors } = await this.ask<T>(query, variables, headers);
    assert.equal(errors, undefined, `${query}: ${JSON.stringify(errors)}`);
    return data;
  }

  /** What is said against a call. */
  async refused(query: string, variables: object = {}, headers = this.account): Promise<string> {
    const { errors } = await this.ask(query, variables, headers);
    assert.ok(errors !== undefined, `${query} is to be refused`);
    return errors.map(({ message }) => message).join("; ");
  }

  /** Changes one thing by a mutation that gives a scalar. */
  async change<T = boolean>(
    field: string,
    args: Readonly<Record<string, readonly [type: string, value: unknown]>>,
  ): Promise<T> {
    const declared = Object.entries(args).map(([name, [type]]) => `$${name}: ${type}`);
    const passed = Object.keys(args).map((name) => `${name}: $${name}`);
    const variables = Object.fromEntries(Object.entries(args).map(([name, [, value]]) => [name, value]));
    const query = `mutation(${declared.join(", ")}) { ${field}(${passed.join(", ")}) }`;
    return (await this.must<Record<string, T>>(query, variables))[field]!;
  }

  async service(name: string, input: object = {}, environmentId = this.environmentId): Promise<string> {
    const made = await this.must<{ serviceCreate: { id: string } }>(
      "mutation($input: ServiceCreateInput!) { serviceCreate(input: $input) { id } }",
      { input: { projectId: this.projectId, environmentId, name, ...input } },
    );
    return made.serviceCreate.id;
  }

  set(serviceId: string, input: object): Promise<boolean> {
    return this.change("serviceInstanceUpdate", {
      serviceId: ["String!", serviceId],
      environmentId: ["String", this.environmentId],
      input: ["ServiceInstanceUpdateInput!", input],
    });
  }

  variables(serviceId: string | undefined, variables: object, more: object = { skipDeploys: true }): Promise<boolean> {
    const { projectId, environmentId } = this;
    return this.change("variableCollectionUpsert", {
      input: ["VariableCollectionUpsertInput!", { projectId, environmentId, serviceId, variables, ...more }],
    });
  }

  deploy(serviceId: string, commitSha?: string): Promise<string> {
    return this.change<string>("serviceInstanceDeployV2", {
      serviceId: ["String!", serviceId],
      environmentId: ["String!", this.environmentId],
      commitSha: ["String", commitSha],
    });
  }

  commitPatch(patch: object, environmentId = this.environmentId): Promise<string> {
    return this.change<string>("environmentPatchCommit", {
      environmentId: ["String!", environmentId],
      patch: ["EnvironmentConfig", patch],
    });
  }

  async status(id: string): Promise<string> {
    const query = "query($id: String!) { deployment(id: $id) { status } }";
    return (await this.must<{ deployment: { status: string } }>(query, { id })).deployment.status;
  }

  /** A deployment's status once it is one of these. */
  async reach(id: string, ...wanted: readonly string[]): Promise<string> {
    const goal = wanted.length === 0 ? ["SUCCESS", "FAILED", "CRASHED", "REMOVED"] : wanted;
    let status = "";
    await until(`${id} as ${goal.join(" or ")}`, async () => goal.includes((status = await this.status(id))));
    return status;
  }

  async logs(id: string): Promise<string> {
    const query =
      "query($id: String!) { buildLogs(deploymentId: $id) { message } deploymentLogs(deploymentId: $id) { message } }";
    const all = await this.must<Record<string, { message: string }[]>>(query, { id });
    return Object.values(all)
      .flat()
      .map(({ message }) => message)
      .join("\n");
  }

  /** A service's deployments, newest first. */
  async deployments(
    serviceId: string,
    environmentId = this.environmentId,
  ): Promise<{ id: string; status: string; canRollback: boolean }[]> {
    const query =
      "query($input: DeploymentListInput!) { deployments(input: $input) { edges { node { id status canRollback } } } }";
    const { deployments } = await this.must<{
      deployments: { edges: { node: { id: string; status: string; canRollback: boolean } }[] };
    }>(query, { input: { projectId: this.projectId, environmentId, serviceId } });
    return deployments.edges.map(({ node }) => node);
  }

  /** A service's variables, with references resolved or not. */
  async read(serviceId: string | undefined, unrendered = false): Promise<Record<string, string>> {
    const query =
      "query($p: String!, $e: String!, $s: String, $u: Boolean) { variables(projectId: $p, environmentId: $e, serviceId: $s, unrendered: $u) }";
    const place = { p: this.projectId, e: this.environmentId, s: serviceId, u: unrendered };
    return (await this.must<{ variables: Record<string, string> }>(query, place)).variables;
  }

  /** Commits files to a repository, as a push does. */
  push(name: string, files: Readonly<Record<string, string>>): Promise<string> {
    const folder = join(this.folder, "pushed", name);
    rmSync(folder, { recursive: true, force: true });
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), content);
    }
    return this.railway.repository(name, folder);
  }

  async control(method: string, path: string, body?: unknown): Promise<unknown> {
    const answer = await fetch(`${this.railway.url}/rehearsal/${path}`, {
      method,
      headers: { "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return answer.json();
  }
}

/** Waits so many milliseconds. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Asks until the answer is true; throws after five seconds. */
export async function until(what: string, ask: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if (await ask()) return;
    await pause(10);
  }
  throw new Error(`${what} didn't come about`);
}
