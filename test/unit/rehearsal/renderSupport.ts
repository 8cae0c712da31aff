import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type PaperBehaviour, PaperRuntime } from "../../../rehearsal/platform/paper";
import type { Container } from "../../../rehearsal/platform/runtime";
import { type RenderEmulator, type RenderOptions, startRender } from "../../../rehearsal/render/emulator";

/** An answer, read whole. What it holds is the tests' own matter. */
export interface Got<Body = Record<string, unknown>> {
  readonly status: number;
  readonly body: Body;
  readonly headers: Headers;
}

/** A service as answers have it, as far as tests look at it. */
export interface ServiceBody {
  readonly id: string;
  readonly name: string;
  readonly slug: string;
  readonly imagePath?: string;
  readonly serviceDetails: Readonly<Record<string, unknown>>;
}

/** Short enough for a test, long enough to be seen. */
export const timings = {
  ...{ listed: 30, queue: 10, build: 20, update: 15, probe: 5, healthy: 150, settle: 20, cancel: 5, restart: 10 },
  ...{ database: 30, domain: 20, cron: 20 },
};

/** Commands that run once end at once and well; what a test says of a container comes first. */
export const paper = (behaviour: (container: Container) => PaperBehaviour = () => ({})): PaperRuntime =>
  new PaperRuntime((container) => ({
    ...(container.id.startsWith("run-") ? { exit: { code: 0, afterMs: 3 } } : {}),
    ...behaviour(container),
  }));

/** An emulator with containers on paper, for one test, and calls to it by its key. */
export interface Bench {
  readonly render: RenderEmulator;
  readonly runtime: PaperRuntime;
  call<Body = Record<string, unknown>>(method: string, path: string, body?: unknown, key?: string): Promise<Got<Body>>;
  control<Body = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<Body>;
  /** Makes a service of an image, or of what `more` says. */
  service(name: string, more?: object): Promise<{ readonly id: string; readonly deploy: string }>;
  /** Waits until a deploy is through; returns how it ended. */
  settle(service: string, deploy: string): Promise<string>;
  /** Ends the emulator and starts another one on the same state. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** Opens a bench. Calls aren't limited unless a test says so. */
export async function openBench(options: Partial<RenderOptions> & { runtime?: PaperRuntime } = {}): Promise<Bench> {
  const folder = mkdtempSync(join(tmpdir(), "homeport-render-"));
  const runtime = options.runtime ?? paper();
  const start = (): Promise<RenderEmulator> =>
    startRender({
      file: join(folder, "state.json"),
      timings,
      ...options,
      runtime,
      settings: { rateLimits: false, ...options.settings },
    });
  let render = await start();
  const ask = async <Body>(method: string, url: string, body: unknown, key: string): Promise<Got<Body>> => {
    const response = await fetch(url, {
      method,
      headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const read = text === "" ? undefined : (JSON.parse(text) as unknown);
    return { status: response.status, body: read as Body, headers: response.headers };
  };
  const call: Bench["call"] = (method, path, body, key = render.token) =>
    ask(method, `${render.endpoint}/v1${path}`, body, key);
  return {
    get render() {
      return render;
    },
    runtime,
    call,
    control: async <Body>(method: string, path: string, body?: unknown) =>
      (await ask<Body>(method, `${render.endpoint}/rehearsal/${path}`, body, "")).body,
    service: async (name, more = {}) => {
      const made = await call<{ service: ServiceBody; deployId: string }>("POST", "/services", {
        type: "web_service",
        name,
        ownerId: render.ownerId,
        ...("repo" in more ? {} : { image: { imagePath: "nginx", ownerId: render.ownerId } }),
        serviceDetails: { runtime: "image" },
        ...more,
      });
      if (made.status !== 201) throw new Error(`the service can't be made: ${JSON.stringify(made.body)}`);
      return { id: made.body.service.id, deploy: made.body.deployId };
    },
    settle: async (service, deploy) => {
      const open = /created|queued|in_progress/;
      for (let tries = 0; tries < 300; tries++) {
        const { body } = await call<{ status: string }>("GET", `/services/${service}/deploys/${deploy}`);
        if (!open.test(body.status)) return body.status;
        await pause(10);
      }
      throw new Error(`the deploy ${deploy} doesn't end`);
    },
    restart: async () => {
      await render.close();
      render = await start();
    },
    close: async () => {
      await render.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Waits so many milliseconds. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Asks until the answer is true; throws after two seconds. */
export async function until(what: string, ask: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (await ask()) return;
    await pause(10);
  }
  throw new Error(`${what} didn't come about`);
}
