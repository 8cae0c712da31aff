import assert from "node:assert/strict";
import { type Server, createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { PaperRuntime } from "../../../rehearsal/platform/paper";
import { type Bench, openBench, pause, until } from "./flySupport";

/** A program as a machine's would be: says its name, slowly if asked to, and speaks an upgraded protocol. */
function program(name: string): Promise<Server> {
  const server = createServer((incoming, response) => {
    const answer = (): void => {
      response.setHeader("x-proto", String(incoming.headers["x-forwarded-proto"]));
      response.end(name);
    };
    if (incoming.url === "/health") response.writeHead(200).end();
    else if (incoming.url === "/slow") setTimeout(answer, 150);
    else answer();
  });
  server.on("upgrade", (_incoming, socket) => {
    socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    socket.on("data", (data: Buffer) => socket.write(`${name} heard ${data.toString()}`));
  });
  return new Promise((resolve) =>
    server.listen(0, "127.0.0.1", () => {
      resolve(server);
    }),
  );
}

describe("the emulator of Fly.io's proxy", () => {
  let bench: Bench;
  const servers = new Map<string, Server>();
  before(async () => {
    for (const name of ["a", "b", "c"]) servers.set(name, await program(name));
  });
  after(() => {
    for (const server of servers.values()) {
      server.close();
      server.closeAllConnections();
    }
  });
  beforeEach(async () => {
    const runtime = new PaperRuntime(({ env }) => {
      const address = servers.get(env["NAME"] ?? "")?.address() as AddressInfo | undefined;
      const port = address?.port ?? 1; // Nothing listens on port 1.
      return { listens: { 8080: { host: "127.0.0.1", port } } };
    });
    bench = await openBench({ runtime });
    await bench.app("web");
  });
  afterEach(() => bench.close());

  const service = {
    protocol: "tcp",
    internal_port: 8080,
    ports: [
      { port: 80, handlers: ["http"], force_https: true },
      { port: 443, handlers: ["tls", "http"] },
    ],
    checks: [{ type: "http", path: "/health" }],
  };
  const machine = (name: string, more: object = {}, rest: object = {}): Promise<string> =>
    bench.machine("web", { env: { NAME: name }, services: [{ ...service, ...more }] }, rest);
  const edge = async (port = 443): Promise<string> => {
    await until("the listener", () => bench.fly.world.state.edges[`web:${port}`] !== undefined);
    return `http://127.0.0.1:${bench.fly.world.state.edges[`web:${port}`]!}`;
  };
  const ask = async (path = "/"): Promise<string> => (await fetch(`${await edge()}${path}`)).text();
  const heard = async (times: number): Promise<string[]> => {
    const all = new Set<string>();
    for (let index = 0; index < times; index++) all.add(await ask());
    return [...all].sort();
  };

  it("spreads requests over machines that are started, uncordoned and healthy", async () => {
    const first = await machine("a");
    await machine("b");
    await bench.control("POST", "faults", { kind: "unhealthy" });
    await machine("c");
    const slow = await Promise.all([...Array<undefined>(6)].map(() => ask("/slow")));
    assert.deepEqual([...new Set(slow)].sort(), ["a", "b"]);
    await bench.call("POST", `/apps/web/machines/${first}/cordon`);
    assert.deepEqual(await heard(5), ["b"]);
    await bench.call("POST", `/apps/web/machines/${first}/uncordon`);
    assert.deepEqual([...new Set(await Promise.all([ask("/slow"), ask("/slow")]))].sort(), ["a", "b"]);
  });

  it("goes to the machine that a request asks for, if it has to or can", async () => {
    const first = await machine("a");
    await machine("b");
    const to = async (header: string): Promise<string[]> =>
      Promise.all(
        [...Array<undefined>(4)].map(async () => (await fetch(await edge(), { headers: { [header]: first } })).text()),
      );
    assert.deepEqual(new Set(await to("fly-force-instance-id")), new Set(["a"]));
    assert.deepEqual(new Set(await to("fly-prefer-instance-id")), new Set(["a"]));
    await bench.call("POST", `/apps/web/machines/${first}/cordon`);
    assert.deepEqual(new Set(await to("fly-prefer-instance-id")), new Set(["b"]));
  });

  it("loses no request while a machine is cordoned, drained and replaced", async () => {
    const first = await machine("a");
    await machine("b");
    await edge();
    let isOver = false;
    const failures: unknown[] = [];
    let count = 0;
    const load = [...Array<undefined>(8)].map(async (_, index) => {
      while (!isOver) {
        const answer = await fetch(`${await edge()}${index === 0 ? "/slow" : "/"}`).catch((error: unknown) => error);
        count += 1;
        if (!(answer instanceof Response) || answer.status !== 200) failures.push(answer);
        else await answer.text();
      }
    });
    const path = `/apps/web/machines/${first}`;
    await bench.call("POST", `${path}/cordon`);
    await until("the drain", () => (bench.fly.world.load.get(first) ?? 0) === 0);
    const config = { image: "a:2", env: { NAME: "c" }, services: [service] };
    const { body } = await bench.call("POST", path, { config });
    await bench.call("GET", `${path}/wait?instance_id=${body.instance_id}`);
    await bench.call("POST", `${path}/uncordon`);
    isOver = true;
    await Promise.all(load);
    assert.deepEqual(failures, []);
    assert.ok(count > 8, `${count} requests`);
    assert.deepEqual([...new Set(await Promise.all([ask("/slow"), ask("/slow")]))].sort(), ["b", "c"]);
  });

  it("tries another machine where a connection is refused", async () => {
    await bench.machine("web", { env: { NAME: "nobody" }, services: [{ ...service, checks: [] }] });
    await machine("a");
    const answers = await Promise.all([...Array<undefined>(6)].map(() => ask("/slow")));
    assert.deepEqual([...new Set(answers)], ["a"]);
  });

  it("keeps to hard limits, and lets requests wait", async () => {
    await machine("a", { concurrency: { type: "requests", soft_limit: 1, hard_limit: 2 } });
    const began = performance.now();
    await Promise.all([...Array<undefined>(4)].map(() => ask("/slow")));
    assert.ok(performance.now() - began >= 290, "two rounds of two");
  });

  it("starts a stopped machine for a request, and stops idle ones down to the floor", async () => {
    const scaled = {
      autostart: true,
      autostop: "stop",
      min_machines_running: 1,
      concurrency: { soft_limit: 1, hard_limit: 9 },
    };
    const ids = [await machine("a", scaled), await machine("b", scaled)];
    const states = async (): Promise<string[]> => Promise.all(ids.map((id) => bench.state("web", id)));
    await until("the idle machine's stop", async () => (await states()).sort().join() === "started,stopped");
    await pause(100);
    assert.equal((await states()).sort().join(), "started,stopped", "one is the floor");
    const answers = Promise.all([...Array<undefined>(5)].map(() => ask("/slow")));
    await until("the second machine", async () => (await states()).join() === "started,started");
    assert.equal((await answers).length, 5);
    const off = await machine("c", { autostop: "off" });
    await pause(150);
    assert.equal(await bench.state("web", off), "started");
  });

  it("passes upgraded connections through, and sends plain HTTP to HTTPS where that is asked for", async () => {
    await machine("a");
    const url = new URL(await edge());
    const text = await new Promise<string>((resolve, reject) => {
      const asked = request({
        host: url.hostname,
        port: url.port,
        headers: { connection: "Upgrade", upgrade: "websocket" },
      });
      asked.on("upgrade", (_answer, socket) => {
        socket.once("data", (data: Buffer) => {
          resolve(data.toString());
          socket.destroy();
        });
        socket.write("ping");
      });
      asked.on("error", reject);
      asked.end();
    });
    assert.equal(text, "a heard ping");
    const plain = await fetch(`${await edge(80)}/path?x=1`, { redirect: "manual" });
    assert.deepEqual([plain.status, plain.headers.get("location")], [301, "https://web.fly.dev/path?x=1"]);
    assert.equal((await fetch(await edge())).headers.get("x-proto"), "https");
  });
});
