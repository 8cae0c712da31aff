import { chmod, copyFile } from "node:fs/promises";
import { readdirSync } from "node:fs";
import path from "node:path";
import type { Plugin as EsbuildPlugin } from "esbuild";
import { type Log, engineCache, fingerprint, makeOnce } from "./cache";
import type { Plugin } from "./plugins";

const rehearsal = path.join(__dirname, "..", "rehearsal");

/** What an understudy reads beside its code, and what of the project its code is made of besides its own folder. */
const besides = ["aws-lint/lint.py", "s3/requirements.txt"].map((name) => path.join(rehearsal, name));
const shared = ["aws-lint", "host", "s3"].map((name) => path.join(rehearsal, name));

const sources = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .sort()
    .map((name) => path.join(folder, name));

/**
 * The folder with the executable of an understudy that is written in TypeScript, bundled if need be: as one file with
 * what it always needs, and one for each client of AWS, loaded when it is used.
 * @param folder of its sources, with main.ts
 */
export async function bundleUnderstudy(plugin: Plugin, folder: string, log: Log): Promise<string> {
  const files = [folder, ...shared].flatMap(sources);
  const lock = path.join(rehearsal, "..", "package-lock.json");
  const key = fingerprint([...files, ...besides, lock, __filename], plugin.version, process.execPath);
  const made = path.join(engineCache(), `understudy-${plugin.name}-${key}`);
  const what = `the understudy of ${plugin.name}`;
  await makeOnce(made, what, log, async (into) => {
    log(`${what}: bundling`);
    await bundle(plugin, path.join(folder, "main.ts"), into);
    for (const file of besides) await copyFile(file, path.join(into, path.basename(file)));
  });
  return made;
}

async function bundle(plugin: Plugin, entry: string, into: string): Promise<void> {
  const { build } = await import("esbuild");
  const executable = path.join(into, plugin.name);
  const clients = new Map<string, string>();
  const common = {
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    minify: true,
    legalComments: "none",
    logLevel: "silent",
  } as const;
  await build({
    ...common,
    entryPoints: [entry],
    outfile: executable,
    // The node that runs us, whatever PATH the engine has.
    banner: { js: `#!${process.execPath}` },
    define: { "process.env.HOMEPORT_UNDERSTUDY_VERSION": JSON.stringify(plugin.version) },
    // By require(), which takes the clients' files as they are.
    supported: { "dynamic-import": false },
    plugins: [separate(clients)],
  });
  for (const [name, file] of clients) {
    const contents = `module.exports = require(${JSON.stringify(name)})`;
    await build({ ...common, stdin: { contents, resolveDir: path.dirname(entry) }, outfile: path.join(into, file) });
  }
  await chmod(executable, 0o755);
}

/** Leaves packages that are imported dynamically out of the bundle, and notes them to be bundled by themselves. */
function separate(clients: Map<string, string>): EsbuildPlugin {
  return {
    name: "clients",
    setup(builder) {
      builder.onResolve({ filter: /^@aws-sdk\/client-/ }, ({ kind, path: name }) => {
        if (kind !== "dynamic-import") return undefined;
        const file = `${path.basename(name)}.cjs`;
        clients.set(name, file);
        return { path: `./${file}`, external: true };
      });
    },
  };
}
