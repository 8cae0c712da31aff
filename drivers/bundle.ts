import { RunError } from "@pulumi/pulumi";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { textFolders } from "./text";

const project = join(__dirname, "..");

/** What a bundle was made of: by path the time and hash of each file, and the names in each folder of texts. */
export interface Stamp {
  /** Folder of the bundle's files, relative to `.homeport/driver`. */
  readonly bundle: string;
  readonly files: Readonly<Record<string, { readonly mtimeMs: number; readonly size: number; readonly hash: string }>>;
  readonly folders: Readonly<Record<string, string>>;
}

/** The stable way in, which command lines hold: the same path for every version of the code. */
export const entry = ".homeport/driver.cjs";
export const stampPath = ".homeport/driver/stamp.json";

/** Files that stand for everything in node_modules. */
export const lockFiles = ["package-lock.json", "node_modules/.package-lock.json"];

/**
 * The path of a bundle of the drivers, relative to the project, made anew where the code has changed. A few milliseconds
 * where it hasn't; may be called by several processes at once.
 * @throws RunError where it can't be built: the engine prints it without a stack trace
 */
export function ensureDriver(root = project): string {
  if (!isFresh(root)) rebuild(root);
  return entry;
}

/** Whether the bundle is there and none of its sources has changed since. */
export function isFresh(root: string): boolean {
  try {
    const stamp = JSON.parse(readFileSync(join(root, stampPath), "utf8")) as Stamp;
    statSync(join(root, ".homeport/driver", stamp.bundle, "main.cjs"));
    statSync(join(root, entry));
    return (
      Object.entries(stamp.folders).every(([folder, names]) => names === namesIn(root, folder)) &&
      Object.entries(stamp.files).every(([path, was]) => {
        const { mtimeMs, size } = statSync(join(root, path));
        if (mtimeMs === was.mtimeMs && size === was.size) return true;
        // A checkout or a copy gives files new times without another content.
        return size === was.size && hashOf(readFileSync(join(root, path))) === was.hash;
      })
    );
  } catch {
    return false;
  }
}

export const hashOf = (bytes: Buffer | string): string => createHash("sha256").update(bytes).digest("hex");

/** Names of the files in a folder of texts: a new one changes the bundle as much as a changed one. */
export const namesIn = (root: string, folder: string): string =>
  readdirSync(join(root, folder), { withFileTypes: true })
    .filter((one) => one.isFile() && !one.name.startsWith("."))
    .map((one) => one.name)
    .sort()
    .join(" ");

export const textFiles = (root: string): string[] =>
  textFolders.flatMap((folder) =>
    namesIn(root, folder)
      .split(" ")
      .map((name) => `${folder}/${name}`),
  );

/** In a process of its own, since esbuild's plugins need a turn of the event loop and callers can't wait for one. */
function rebuild(root: string): void {
  const made = spawnSync(process.execPath, ["-r", "ts-node/register", join(__dirname, "rebuild.ts"), root], {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  if (made.status === 0) return;
  const why = made.stderr.trim().split("\n").slice(-5).join(" ");
  throw new RunError(
    `The drivers could not be bundled.\n  where: ${entry}\n  why: ${why === "" ? "esbuild ended without a word" : why}\n` +
      "  fix: npm ci, then run the command again",
  );
}

/** Removes bundles that no run can be using any more: those older than a day. */
export function removeOld(root: string, kept: string): void {
  const folder = join(root, ".homeport/driver");
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const { mtimeMs } = statSync(path);
    if (name !== kept && name !== "stamp.json" && Date.now() - mtimeMs > 86_400_000) rmSync(path, { recursive: true });
  }
}
