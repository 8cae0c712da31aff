import { existsSync, mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { type Log, engineCache, fingerprint, makeOnce } from "./cache";
import { findInstalled, foreignPath } from "./find";
import { goBuild, pinnedVersion } from "./golang";
import { installOfficial, isReachable } from "./installer";
import { type PreparedPlugin, preparePlugins, requiredPlugins } from "./plugins";
import { buildUnderstudies, withLanguageHost } from "./understudies";

export { EngineError } from "./error";
export type { PreparedPlugin } from "./plugins";

/** A Pulumi engine that is ready to run programs of this project. */
export interface Engine {
  /** The absolute path of the CLI. */
  readonly pulumi: string;
  /** Without a leading v. */
  readonly version: string;
  /** Found on PATH, installed by the official installer, or built from its Go module. */
  readonly origin: "path" | "installer" | "built";
  /** Who made the Node.js language host. */
  readonly languageHost: "official" | "understudy";
  /** The plugins of the private home. Empty where the engine uses the home of its user, and sees to its plugins itself. */
  readonly plugins: readonly PreparedPlugin[];
  /** What to add to the environment of each call of the CLI. Empty where nothing of ours is needed. */
  readonly env: Readonly<Record<string, string>>;
}

/** How an engine is made ready. */
export interface EngineOptions {
  /** Takes the progress, line by line. Standard error unless given. */
  readonly log?: Log;
  /**
   * A private PULUMI_HOME to make and use, as rehearsals do. Without it, an installed engine uses the home of its user,
   * and one that we built has a home in the cache.
   */
  readonly home?: string;
}

const project = path.join(__dirname, "..");
const cliModule = "github.com/pulumi/pulumi/pkg/v3";
const versionVariable = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version";

interface Cli {
  readonly pulumi: string;
  readonly version: string;
  readonly origin: Engine["origin"];
  readonly hasLanguageHost: boolean;
}

/**
 * Finds an engine, or installs or builds one, and makes its language host and plugins ready. Takes a few milliseconds
 * once all of it is cached.
 * @throws EngineError where none can be had, saying what is missing and what mends it
 */
export async function ensureEngine(options: EngineOptions = {}): Promise<Engine> {
  const log = options.log ?? ((line: string): void => void process.stderr.write(`${line}\n`));
  let reachable: Promise<boolean> | undefined;
  const isReachableOnce = (): Promise<boolean> => (reachable ??= isReachable());
  const cli = await findCli(isReachableOnce, log);
  if (cli.hasLanguageHost && cli.origin === "path" && options.home === undefined) {
    return { ...described(cli), languageHost: "official", plugins: [], env: {} };
  }
  const required = requiredPlugins(project);
  const home = path.resolve(options.home ?? path.join(engineCache(), "home"));
  mkdirSync(home, { recursive: true });
  const preparation = { home, plugins: required, pulumi: cli.pulumi, isReachable: isReachableOnce, log };
  const plugins = await preparePlugins(preparation);
  const pulumi = cli.hasLanguageHost
    ? cli.pulumi
    : await withLanguageHost(cli.pulumi, await buildUnderstudies(required, log), log);
  const env: Record<string, string> = { PULUMI_HOME: home, PULUMI_SKIP_UPDATE_CHECK: "true" };
  if (cli.origin !== "path" || pulumi !== cli.pulumi) {
    const others = foreignPath(process.env["PATH"] ?? "", engineCache());
    env["PATH"] = [path.dirname(pulumi), ...others].join(path.delimiter);
  }
  // Else a missing plugin is looked for five times before the engine says that it is missing.
  if (cli.origin === "built") env["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] = "true";
  return { ...described(cli), pulumi, languageHost: cli.hasLanguageHost ? "official" : "understudy", plugins, env };
}

const described = ({ pulumi, version, origin }: Cli): Pick<Engine, "pulumi" | "version" | "origin"> => ({
  pulumi,
  version,
  origin,
});

async function findCli(reachable: () => Promise<boolean>, log: Log): Promise<Cli> {
  const installed = await findInstalled(process.env["PATH"] ?? "");
  if (installed !== undefined) return { ...installed, origin: "path" };
  const version = pinnedVersion(readFileSync(path.join(__dirname, "go.mod"), "utf8"), cliModule) ?? "";
  const official = path.join(engineCache(), `official-${version}`);
  const manifest = ["go.mod", "go.sum"].map((name) => path.join(__dirname, name));
  const built = path.join(engineCache(), `${version}-${fingerprint(manifest, process.platform, process.arch)}`);
  if (!existsSync(official) && !existsSync(built)) {
    const isInstalled = (await reachable()) && (await installOfficial(official, version, project, log));
    if (!isInstalled) await buildCli(built, version, log);
  }
  const origin = existsSync(official) ? "installer" : "built";
  const pulumi = path.join(origin === "installer" ? official : built, "bin", "pulumi");
  return { pulumi, version, origin, hasLanguageHost: origin === "installer" };
}

async function buildCli(folder: string, version: string, log: Log): Promise<void> {
  const what = `the Pulumi CLI ${version}`;
  const variables = { [versionVariable]: `v${version}` };
  const build = { what, module: __dirname, packages: [`${cliModule}/cmd/pulumi`], variables };
  await makeOnce(folder, what, log, (into) => goBuild(build, path.join(into, "bin"), log));
}
