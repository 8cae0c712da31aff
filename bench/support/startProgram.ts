import { runtime } from "@pulumi/pulumi";
import { apps } from "../../apps";
import { deployStack } from "../../components/deploy";
import { targets } from "../../targets";
import { manyApps, manyAppsConfig } from "./manyApps";

/** Packages whose loading costs time, or which only a target should ask for. */
const heavy = [
  "@aws-sdk",
  "@smithy",
  "@pulumi/aws",
  "@pulumi/command",
  "@pulumi/random",
  "esbuild",
  "ignore",
  "croner",
];

/** What is loaded by now: packages of the list above, and the number of files of this project and of others. */
function loaded(): { packages: string[]; own: number; others: number } {
  const files = Object.keys(require.cache);
  const foreign = files.flatMap((file) => {
    const [, inside] = /.*\/node_modules\/(.*)/.exec(file) ?? [];
    return inside === undefined ? [] : [inside];
  });
  return {
    packages: heavy.filter((name) => foreign.some((file) => file.startsWith(`${name}/`))),
    own: files.length - foreign.length,
    others: foreign.length,
  };
}

/** Loads what the stack's program loads, then deploys one app to a host under mocks; prints what each has loaded. */
async function main(): Promise<void> {
  const started = { apps: apps.length, ...loaded() };
  if (process.argv.includes("open")) {
    await runtime.setMocks({
      newResource: ({ name, inputs }: runtime.MockResourceArgs) => ({ id: name, state: inputs as object }),
      call: () => ({}),
    });
    await deployStack({ apps: manyApps(1), targets, config: manyAppsConfig(1), cwd: process.cwd() });
    await runtime.disconnect();
  }
  process.stdout.write(JSON.stringify({ started, opened: loaded() }));
}

void main();
