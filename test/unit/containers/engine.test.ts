import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer as createHttp, type Server } from "node:http";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { engineProblem, findEngine } from "../../../targets/containers/engine";
import { workingConfig } from "../../support/config";

describe("the Docker Engine that images are built by", () => {
  const servers: { close(): unknown }[] = [];
  const folder = mkdtempSync(join(tmpdir(), "homeport-engine-"));
  after(() => {
    for (const server of servers) server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const listen = (server: Server | ReturnType<typeof createServer>, at: string | number): Promise<number> => {
    servers.push(server);
    return new Promise((resolve) => {
      const listening = (): void => {
        resolve((server.address() as AddressInfo).port);
      };
      if (typeof at === "string") server.listen(at, listening);
      else server.listen(at, "127.0.0.1", listening);
    });
  };
  const answering = () => createHttp((_request, response) => response.writeHead(400).end());
  const find = (host: string) => findEngine(workingConfig({ "docker:host": host }), {});

  it("is found where anything answers, by TCP or a socket", async () => {
    const port = await listen(answering(), 0);
    await listen(answering(), join(folder, "docker.sock"));
    for (const host of [`tcp://127.0.0.1:${port}`, `unix://${folder}/docker.sock`]) {
      assert.deepEqual(await find(host), { host, absent: undefined });
    }
  });

  it("is taken to be there where it speaks TLS alone", async () => {
    const port = await listen(
      createServer((socket) => socket.end("\x15\x03\x01\x00\x02\x02\x16")),
      0,
    );
    assert.equal((await find(`tcp://127.0.0.1:${port}`)).absent, undefined);
  });

  it("is left to the provider where only that knows the way", async () => {
    assert.equal((await find("ssh://me@build.example.com")).absent, undefined);
  });

  it("isn't there where nothing listens", async () => {
    const gone = createServer();
    const port = await listen(gone, 0);
    await new Promise((resolve) => gone.close(resolve));
    assert.match((await find(`tcp://127.0.0.1:${port}`)).absent ?? "", /ECONNREFUSED/);
    assert.match((await find(`unix://${folder}/none.sock`)).absent ?? "", /ENOENT/);
  });

  it("is looked for where DOCKER_HOST says, unless the stack says otherwise", async () => {
    const env = { DOCKER_HOST: "unix:///nowhere/docker.sock" };
    assert.equal((await findEngine(workingConfig(), env)).host, env.DOCKER_HOST);
    const config = workingConfig({ "docker:host": "ssh://me@build.example.com" });
    assert.equal((await findEngine(config, env)).host, "ssh://me@build.example.com");
  });

  it("is missed in words that say which, for what, and what to do", () => {
    const problem = engineProblem({ host: "tcp://192.0.2.1:2375", absent: "connect ECONNREFUSED" }, ["hotrod"]);
    assert.equal(problem.where, "docker:host");
    assert.equal(problem.what, "No Docker Engine answers at tcp://192.0.2.1:2375: connect ECONNREFUSED.");
    assert.match(problem.why ?? "", /images of hotrod/);
    const denied = engineProblem({ host: undefined, absent: "connect EACCES /var/run/docker.sock" }, ["hotrod"]);
    assert.match(denied.fix, /usermod -aG docker/);
  });
});
