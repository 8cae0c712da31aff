import * as pulumi from "@pulumi/pulumi";
import { resolve } from "node:path";
import { deployStack } from "../components/deploy";
import { targets } from "../targets";
import { manyApps, manyAppsConfig } from "./support/manyApps";

/** Deploys so many apps under Pulumi's mocks, in a process of its own; prints `{ apps, seconds, resources, commands, peakMib }`. */
async function main(count: number): Promise<void> {
  let resources = 0;
  let commands = 0;
  await pulumi.runtime.setMocks({
    newResource: ({ type, name, inputs }: pulumi.runtime.MockResourceArgs) => {
      resources++;
      if (type === "command:local:Command") commands++;
      return { id: `${name}-id`, state: { ...(inputs as object), result: "generated", stdout: "{}" } };
    },
    call: ({ token }: pulumi.runtime.MockCallArgs) => {
      throw new Error(`No mock answers ${token}.`);
    },
  });
  const started = process.hrtime.bigint();
  const outputs = await deployStack({
    apps: manyApps(count),
    targets,
    config: manyAppsConfig(count),
    cwd: resolve(__dirname, ".."),
  });
  await Promise.all(Object.values(outputs).map((output) => new Promise((done) => output.apply(done))));
  await pulumi.runtime.disconnect();
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  const peakMib = process.resourceUsage().maxRSS / 1024;
  process.stdout.write(JSON.stringify({ apps: count, seconds, resources, commands, peakMib }) + "\n");
}

void main(Number(process.argv[2] ?? 10));
