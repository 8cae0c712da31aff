import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { randomUUID } from "node:crypto";
import { homedir } from "node:os";
import path from "node:path";
import { type Log, engineCache } from "./cache";
import { run } from "./process";
import { understudyNames, understudyOf } from "./understudies";

/** A resource plugin that the program's packages need. */
export interface Plugin {
  readonly name: string;
  /** Without a leading v. */
  readonly version: string;
}

/** A plugin in a private home, and who made it. */
export interface PreparedPlugin extends Plugin {
  readonly origin: "official" | "understudy";
}

/** The plugins that the installed @pulumi packages ask for, as the language host finds them. */
export function requiredPlugins(project: string): Plugin[] {
  const scope = path.join(project, "node_modules", "@pulumi");
  if (!existsSync(scope)) return [];
  return readdirSync(scope).flatMap((folder) => {
    const file = path.join(scope, folder, "package.json");
    if (!existsSync(file)) return [];
    const { version, pulumi } = JSON.parse(readFileSync(file, "utf8")) as {
      version: string;
      pulumi?: { resource?: boolean; name?: string; version?: string };
    };
    if (pulumi?.resource !== true) return [];
    return [{ name: pulumi.name ?? folder, version: (pulumi.version ?? version).replace(/^v/, "") }];
  });
}

const folderOf = (home: string, { name, version }: Plugin): string =>
  path.join(home, "plugins", `resource-${name}-v${version}`);

const binaryOf = (folder: string, { name }: Plugin): string => path.join(folder, `pulumi-resource-${name}`);

/** An understudy is a link into our cache, so that it is never taken for an official plugin. */
function linkOf(home: string, plugin: Plugin): string | undefined {
  const binary = binaryOf(folderOf(home, plugin), plugin);
  return existsSync(binary) && lstatSync(binary).isSymbolicLink() ? readlinkSync(binary) : undefined;
}

const isOfficial = (home: string, plugin: Plugin): boolean =>
  existsSync(folderOf(home, plugin)) && linkOf(home, plugin) === undefined;

/** Puts a plugin's folder in place in one step; where another process was first, its folder stays. */
function place(home: string, plugin: Plugin, fill: (folder: string) => void): void {
  const folder = folderOf(home, plugin);
  const temporary = path.join(home, `tmp-${randomUUID()}`);
  mkdirSync(path.dirname(folder), { recursive: true });
  mkdirSync(temporary);
  try {
    fill(temporary);
    if (linkOf(home, plugin) !== undefined) rmSync(folder, { recursive: true, force: true });
    if (!existsSync(folder)) renameSync(temporary, folder);
  } catch (error) {
    if (!existsSync(binaryOf(folder, plugin))) throw error;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** Where the user's own engine keeps its plugins. We read it and never write it. */
function usersHome(): string {
  const own = process.env["PULUMI_HOME"];
  const isOurs = own?.startsWith(engineCache() + path.sep) === true;
  return own === undefined || own === "" || isOurs ? path.join(homedir(), ".pulumi") : own;
}

/** What is needed to make plugins ready. */
export interface Preparation {
  /** The private home that the plugins go to. */
  readonly home: string;
  readonly plugins: readonly Plugin[];
  readonly pulumi: string;
  /** Asked only when something is missing. */
  readonly isReachable: () => Promise<boolean>;
  readonly log: Log;
}

/**
 * Makes plugins ready in a private home: an official one that is there or in the user's home, else one downloaded, else
 * the understudy. One that is none of these is left to the engine, which says so if a program uses it.
 */
export async function preparePlugins(preparation: Preparation): Promise<PreparedPlugin[]> {
  const { home, plugins, log } = preparation;
  const prepared: PreparedPlugin[] = [];
  const missing: Plugin[] = [];
  for (const plugin of plugins) {
    const users = folderOf(usersHome(), plugin);
    if (!isOfficial(home, plugin) && usersHome() !== home && existsSync(binaryOf(users, plugin))) {
      place(home, plugin, (folder) => {
        cpSync(users, folder, { recursive: true });
      });
    }
    if (isOfficial(home, plugin)) prepared.push({ ...plugin, origin: "official" });
    else missing.push(plugin);
  }
  const known = understudyNames();
  const isNew = (plugin: Plugin): boolean => !known.includes(plugin.name) || linkOf(home, plugin) === undefined;
  if (missing.some(isNew) && (await preparation.isReachable())) await download(preparation, missing);
  for (const plugin of missing) {
    if (isOfficial(home, plugin)) {
      prepared.push({ ...plugin, origin: "official" });
    } else if (known.includes(plugin.name)) {
      const binary = await understudyOf(plugin, plugins, log);
      if (linkOf(home, plugin) !== binary) {
        place(home, plugin, (into) => {
          symlinkSync(binary, binaryOf(into, plugin));
        });
      }
      prepared.push({ ...plugin, origin: "understudy" });
    } else {
      log(`plugin ${plugin.name} ${plugin.version}: neither the official one nor an understudy is to be had`);
    }
  }
  return prepared;
}

async function download({ home, pulumi, log }: Preparation, plugins: readonly Plugin[]): Promise<void> {
  const env = { ...process.env, PULUMI_HOME: home, PULUMI_SKIP_UPDATE_CHECK: "true" };
  for (const plugin of plugins) {
    log(`plugin ${plugin.name} ${plugin.version}: downloading`);
    const args = ["plugin", "install", "resource", plugin.name, plugin.version, "--exact"];
    // The engine takes a link's folder for an installed plugin, so it has to go first.
    if (linkOf(home, plugin) !== undefined) rmSync(folderOf(home, plugin), { recursive: true, force: true });
    const { code } = await run(pulumi, args, { env, timeout: 120_000 });
    if (code !== 0) rmSync(folderOf(home, plugin), { recursive: true, force: true });
  }
}
