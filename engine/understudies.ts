import { existsSync, readdirSync, statSync } from "node:fs";
import { copyFile, link } from "node:fs/promises";
import path from "node:path";
import { bundleUnderstudy } from "./bundles";
import { type Log, engineCache, fingerprint, makeOnce } from "./cache";
import { goBuild } from "./golang";
import type { Plugin } from "./plugins";

/** Where the sources of the understudies are. */
export const understudiesFolder = path.join(__dirname, "..", "rehearsal", "understudies");

const namesWith = (folder: string, file: string): string[] =>
  readdirSync(folder)
    .filter((name) => existsSync(path.join(folder, name, file)))
    .sort();

/** The understudies there are: `language` is the Node.js language host, each other one a provider of that name. */
export const understudyNames = (folder: string = understudiesFolder): string[] =>
  [...namesWith(folder, "main.go"), ...namesWith(folder, "main.ts")].sort();

/** All that the understudies are built from. */
function sources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.go$|go\.(mod|sum)$/.test(name) && !name.endsWith("_test.go"))
    .sort()
    .map((name) => path.join(folder, name));
}

/** The executable that stands in for a plugin, built or bundled if need be. */
export async function understudyOf(plugin: Plugin, plugins: readonly Plugin[], log: Log): Promise<string> {
  const folder = path.join(understudiesFolder, plugin.name);
  const isBundled = existsSync(path.join(folder, "main.ts"));
  const into = isBundled ? await bundleUnderstudy(plugin, folder, log) : await buildUnderstudies(plugins, log);
  return path.join(into, plugin.name);
}

/**
 * The folder with one executable for each understudy that is written in Go, built if need be. They say that they are of the versions of the
 * plugins that they stand in for.
 */
export async function buildUnderstudies(plugins: readonly Plugin[], log: Log): Promise<string> {
  const names = namesWith(understudiesFolder, "main.go");
  const versions = plugins.filter(({ name }) => names.includes(name));
  const variables = Object.fromEntries(versions.map(({ name, version }) => [`main.${name}Version`, version]));
  const key = fingerprint(sources(understudiesFolder), JSON.stringify(variables), process.platform, process.arch);
  const folder = path.join(engineCache(), `understudies-${key}`);
  const what = "the understudies";
  const packages = names.map((name) => `./${name}`);
  await makeOnce(folder, what, log, (into) =>
    goBuild({ what, module: understudiesFolder, packages, variables }, into, log),
  );
  return folder;
}

/**
 * A folder with the CLI and the language host side by side. The engine warns at each call of a language host that it
 * finds elsewhere.
 * @returns the CLI in that folder
 */
export async function withLanguageHost(pulumi: string, understudies: string, log: Log): Promise<string> {
  const folder = path.join(
    engineCache(),
    `cli-${fingerprint([], pulumi, understudies, String(statSync(pulumi).mtimeMs))}`,
  );
  await makeOnce(folder, "the Pulumi CLI with its language host", log, async (into) => {
    await linkOrCopy(pulumi, path.join(into, "pulumi"));
    await linkOrCopy(path.join(understudies, "language"), path.join(into, "pulumi-language-nodejs"));
  });
  return path.join(folder, "pulumi");
}

/** Not a symbolic link: the engine looks beside the file that it really is. */
async function linkOrCopy(from: string, to: string): Promise<void> {
  await link(from, to).catch(() => copyFile(from, to));
}
