import { existsSync, mkdirSync, readdirSync, renameSync } from "node:fs";
import path from "node:path";
import { type Log, engineCache, fingerprint, makeOnce } from "./cache";
import { goBuild } from "./golang";
import type { Plugin } from "./plugins";

/** Where the sources of the understudies are. */
export const understudiesFolder = path.join(__dirname, "..", "rehearsal", "understudies");

/** The understudies there are: `language` is the Node.js language host, each other one a provider of that name. */
export function understudyNames(folder: string = understudiesFolder): string[] {
  return readdirSync(folder)
    .filter((name) => existsSync(path.join(folder, name, "main.go")))
    .sort();
}

/** All that the understudies are built from. */
function sources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.go$|go\.(mod|sum)$/.test(name) && !name.endsWith("_test.go"))
    .sort()
    .map((name) => path.join(folder, name));
}

/** Understudies that are built. */
export interface Understudies {
  /** The folder to have on PATH, with the language host alone. */
  readonly languageHostFolder: string;
  /** The provider that stands in for the plugin of that name. */
  readonly provider: (name: string) => string;
}

/** The understudies, built if need be. They say that they are of the versions of the plugins that they stand in for. */
export async function buildUnderstudies(plugins: readonly Plugin[], log: Log): Promise<Understudies> {
  const names = understudyNames();
  const versions = plugins.filter(({ name }) => names.includes(name));
  const variables = Object.fromEntries(versions.map(({ name, version }) => [`main.${name}Version`, version]));
  const key = fingerprint(sources(understudiesFolder), JSON.stringify(variables), process.platform, process.arch);
  const folder = path.join(engineCache(), `understudies-${key}`);
  const what = "the understudies";
  const packages = names.map((name) => `./${name}`);
  const languageHostFolder = path.join(folder, "bin");
  await makeOnce(folder, what, log, async (into) => {
    await goBuild({ what, module: understudiesFolder, packages, variables }, into, log);
    const bin = path.join(into, path.relative(folder, languageHostFolder));
    mkdirSync(bin);
    renameSync(path.join(into, "language"), path.join(bin, "pulumi-language-nodejs"));
  });
  return { languageHostFolder, provider: (name) => path.join(folder, name) };
}
