import { join } from "node:path";
import { bootHost } from "../host/host";
import { serveNames } from "../platform/dns";
import { ensureBaseImages } from "../platform/images";
import { PodmanRuntime } from "../platform/podman";
import { type PlatformProcess, runPlatform } from "../platform/process";
import { Repositories } from "../platform/repositories";
import { builder } from "./builds";
import { startRender } from "./emulator";
import { lookUp } from "./names";

async function main(given: PlatformProcess): Promise<void> {
  const { folder, address, port, machine, network, tools, nameservers } = given;
  const host = await bootHost({ machine, network });
  const runtime = new PodmanRuntime({
    host,
    machine,
    init: tools.init,
    nameserver: address,
    pullFrom: () => undefined,
  });
  await Promise.all([runtime.prepare(), ensureBaseImages(host)]);
  const repositories = new Repositories(join(folder, "repositories"));
  const render = await startRender({
    file: join(folder, "state.json"),
    runtime,
    host: address,
    port,
    settings: {
      commit: (repo, branch, commit) =>
        commit === undefined ? repositories.head(repo, branch) : repositories.find(repo, commit),
      build: builder(host, repositories),
    },
    extras: { repository: (name, from, branch) => repositories.commit(name, from, branch) },
  });
  await serveNames(address, (name) => lookUp(render.world, name), nameservers);
  process.stdout.write(`listening on ${render.endpoint}\n`);
}

if (require.main === module) runPlatform(main);
