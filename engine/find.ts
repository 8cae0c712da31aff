import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  statSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { engineCache, fingerprint } from "./cache";
import { run } from "./process";

/** The oldest engine that speaks the protocol of the SDK in use as the tests expect it. */
export const oldestVersion = "3.150.0";

/** The entries of a PATH without the folders of our own cache, so that a shell that evaluated `env` isn't misread. */
export function foreignPath(searchPath: string, cache: string): string[] {
  return searchPath
    .split(path.delimiter)
    .filter((entry) => entry !== "" && entry !== cache && !entry.startsWith(cache + path.sep));
}

/** The first executable file of that name in the folders, or undefined. */
export function findExecutable(name: string, folders: readonly string[]): string | undefined {
  for (const folder of folders) {
    const file = path.resolve(folder, name);
    try {
      accessSync(file, constants.X_OK);
      if (statSync(file).isFile()) return file;
    } catch {
      continue;
    }
  }
  return undefined;
}

/** Compares two versions by their three numbers, ignoring a leading v and what follows a hyphen. */
export function isAtLeast(version: string, least: string): boolean {
  const numbers = (text: string): number[] =>
    (/(\d+)\.(\d+)(?:\.(\d+))?/.exec(text) ?? []).slice(1).map((n) => Number(n) || 0);
  const [have, want] = [numbers(version), numbers(least)];
  if (have.length === 0) return false;
  const at = have.findIndex((number, index) => number !== (want[index] ?? 0));
  return at === -1 || (have[at] ?? 0) > (want[at] ?? 0);
}

/** An engine that someone installed. */
export interface Installed {
  readonly pulumi: string;
  readonly version: string;
  /** Whether the official Node.js language host is beside it or on PATH. */
  readonly hasLanguageHost: boolean;
}

/** A usable engine on PATH, other than one that we built, or undefined. */
export async function findInstalled(searchPath: string): Promise<Installed | undefined> {
  const folders = foreignPath(searchPath, engineCache());
  const pulumi = findExecutable("pulumi", folders);
  if (pulumi === undefined) return undefined;
  const version = await versionOf(pulumi);
  if (!isAtLeast(version, oldestVersion)) return undefined;
  const beside = [path.dirname(realpathSync(pulumi)), ...folders];
  return { pulumi, version, hasLanguageHost: findExecutable("pulumi-language-nodejs", beside) !== undefined };
}

/** Asks the executable once and then remembers, as the question takes longer than everything else here. */
async function versionOf(pulumi: string): Promise<string> {
  const { size, mtimeMs } = statSync(pulumi);
  const note = path.join(engineCache(), `version-${fingerprint([], pulumi, String(size), String(mtimeMs))}`);
  if (existsSync(note)) return readFileSync(note, "utf8");
  const env = { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" };
  const { code, stdout } = await run(pulumi, ["version"], { timeout: 20_000, env });
  const version = stdout.trim().replace(/^v/, "");
  if (code === 0) {
    mkdirSync(path.dirname(note), { recursive: true });
    writeFileSync(note, version);
  }
  return version;
}
