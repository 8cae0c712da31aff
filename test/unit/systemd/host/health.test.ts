import assert from "node:assert/strict";
import { createServer, type Server } from "node:net";
import type { AddressInfo } from "node:net";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { BashHost } from "./bashHost";

describe("the host's health checks", () => {
  let host: BashHost;
  const servers: Server[] = [];
  beforeEach(() => {
    host = new BashHost();
  });
  afterEach(() => {
    host.remove();
    for (const server of servers.splice(0)) server.close();
  });
  /** A server that gives each connection this text, whatever it asks. */
  const serve = (text: string, asked: string[] = []): Promise<number> =>
    new Promise((done) => {
      const server = createServer((socket) => {
        let request = "";
        socket.on("data", (data) => {
          request += data.toString();
          if (!request.endsWith("\r\n\r\n")) return;
          asked.push(request);
          socket.end(text);
        });
        socket.on("error", () => undefined);
      });
      servers.push(server);
      server.listen(0, "127.0.0.1", () => {
        done((server.address() as AddressInfo).port);
      });
    });
  const check = async (port: number, path = "/health"): Promise<string> =>
    (
      await host.run(
        `SERVICE=([api:health]=${path}); if healthy api ${port}; then echo well >&4; else echo "$WHY" >&4; fi`,
      )
    ).out.trim();

  it("take any 2xx for health, and nothing else", async () => {
    const asked: string[] = [];
    assert.equal(await check(await serve("HTTP/1.1 204 No Content\r\n\r\n", asked)), "well");
    assert.match(asked[0] ?? "", /^GET \/health HTTP\/1\.1\r\nHost: localhost\r\n/);
    assert.equal(await check(await serve("HTTP/1.0 200 OK\r\n\r\n")), "well");
    assert.equal(await check(await serve("HTTP/1.1 302 Found\r\n\r\n")), "it answers 302 to /health");
    assert.equal(await check(await serve("HTTP/1.1 503 Busy\r\n\r\n")), "it answers 503 to /health");
    assert.equal(await check(await serve("hello\r\n")), "it gives no HTTP answer to /health");
  });

  it("tell that nothing listens", async () => {
    assert.match(await check(1), /nothing listens on its port \(\$PORT, 1\) yet/);
  });

  it("are content with a port where there is no path", async () => {
    assert.equal(await check(await serve("anything\r\n"), ""), "well");
    assert.match(await check(1, ""), /nothing listens/);
  });

  const waiting = `SERVICES=(api) NEW_SLOT=([api]=b)
look_at() { ACTIVE[shop-test-api-b@1.service]=\${STATE:-active} RESTARTS[shop-test-api-b@1.service]=\${CRASHES:-0}; }
systemctl() { echo 3; }
`;
  const service = (more: string): string =>
    `SERVICE=([api:health]=/health [api:instances]=1 [api:start-timeout]=1 ${more})\n`;

  it("wait until it is ready", async () => {
    const port = await serve("HTTP/1.1 200 OK\r\n\r\n");
    const { code, progress } = await host.run(`${waiting}${service("")}PORT=([api/b/1]=${port}); wait_healthy api`);
    assert.equal(code, 0);
    assert.match(progress, /api slot b is healthy after 0\.\d s/);
  });

  it("give up after its time, with the last answer", async () => {
    const port = await serve("HTTP/1.1 500 No\r\n\r\n");
    const { out } = await host.run(
      `${waiting}${service("")}PORT=([api/b/1]=${port}); wait_healthy api || echo "$FAILED_SERVICE: $WHY" >&4`,
    );
    assert.equal(out, "api: it answers 500 to /health, 1 s after its start\n");
  });

  it("give up at once when its process has ended or begun again", async () => {
    for (const env of [{ STATE: "failed" }, { CRASHES: "1" }]) {
      const began = Date.now();
      const text = `${waiting}${service("")}SERVICE[api:start-timeout]=60; PORT=([api/b/1]=1); wait_healthy api || echo "$WHY" >&4`;
      assert.equal((await host.run(text, env as Record<string, string>)).out, "it ended by itself (3, status 3)\n");
      assert.ok(Date.now() - began < 5_000);
    }
  });

  it("read what systemd says of many units in one call, in whatever order its lines come", async () => {
    const text = `systemctl() { printf '%s\\n' NRestarts=2 Id=a.service ActiveState=active SubState=running '' ActiveState=activating SubState=auto-restart NRestarts=1 Id=b.service; }
look_at a.service b.service; echo "\${ACTIVE[a.service]} \${RESTARTS[a.service]} \${ACTIVE[b.service]} \${RESTARTS[b.service]}" >&4`;
    assert.equal((await host.run(text)).out, "active 2 failed 1\n");
  });

  it("choose the lowest Python that will do", async () => {
    const { chmodSync } = await import("node:fs");
    for (const name of ["python3.9", "python3.11", "python3.13", "python3.13-config"]) {
      host.write(`usr/bin/${name}`, "");
      chmodSync(join(host.root, "usr/bin", name), 0o755);
    }
    const text = `for wanted in 3.9 3.10 3.12 3.14; do lowest_python $wanted && echo "\${REPLY##*/}" >&4 || echo none >&4; done`;
    assert.equal((await host.run(text)).out, "python3.9\npython3.11\npython3.13\nnone\n");
  });

  it("find out how a Python source describes what it needs", async () => {
    const kinds = `kind() { python_kind $STAGE/src "$1"; echo "$REPLY" >&4; }\n`;
    host.write("stage/src/app.py", "");
    assert.equal((await host.run(`${kinds}kind auto`)).out, "none\n");
    host.write("stage/src/pyproject.toml", "[project]\n");
    assert.equal(
      (await host.run(`${kinds}kind auto; is_package $STAGE/src || echo no package >&4`)).out,
      "pyproject.toml\nno package\n",
    );
    host.write("stage/src/requirements.txt", "");
    host.write("stage/src/pyproject.toml", "[build-system]\n");
    assert.equal(
      (await host.run(`${kinds}kind auto; is_package $STAGE/src && echo package >&4`)).out,
      "requirements.txt\npackage\n",
    );
    host.write("stage/src/uv.lock", "");
    assert.equal((await host.run(`${kinds}kind auto; kind requirements.txt`)).out, "uv.lock\nrequirements.txt\n");
    const { out } = await host.run(`${kinds}rm $STAGE/src/uv.lock; kind uv.lock`);
    assert.match(out, /The source has no uv\.lock/);
    assert.ok(readFileSync(join(host.stage, "src/app.py")).length === 0);
  });
});
