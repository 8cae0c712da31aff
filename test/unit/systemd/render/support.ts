import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import type { Context } from "mocha";
import type { HostPlan } from "../../../../targets/systemd/plan";
import { renderStage } from "../../../../targets/systemd/render";

/** Content of the stage's files by path. */
export const staged = (plan: HostPlan): Map<string, string> =>
  new Map(renderStage(plan).files.map((file) => [file.path, file.content]));

/** Content of one file of the stage; fails where it isn't there. */
export function stagedFile(plan: HostPlan, path: string): string {
  const content = staged(plan).get(path);
  if (content === undefined) throw new Error(`The stage has no ${path}.`);
  return content;
}

/** What a host does with tokens, ports in the order of their appearance from 20000. */
export function replaceTokens(text: string, ports = new Map<string, number>()): string {
  const port = (key: string): number => {
    const known = ports.get(key) ?? 20_000 + ports.size;
    ports.set(key, known);
    return known;
  };
  return text
    .replace(/@@port:([^@]+)@@/g, (_, key: string) => String(port(key)))
    .replace(/@@disabled:[^@]+\/([ab])@@/g, (_, slot: string) => (slot === "a" ? "" : "disabled"))
    .replaceAll("@@container@@", "/usr/bin/podman")
    .replaceAll("@@redis@@", "/usr/bin/redis-server")
    .replaceAll("@@instance-connect@@", "")
    .replaceAll("@@ssh-port@@", "22");
}

/** A temporary folder for the time of a test. */
export function withFolder<T>(use: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "homeport-render-"));
  try {
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function write(path: string, content: string, mode = 0o600): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content, { mode });
}

/** Skips a test, saying why, where a program of the host's isn't on this machine. */
export function needs(context: Context, program: string): void {
  if (spawnSync("sh", ["-c", 'command -v "$1"', "sh", program]).status === 0) return;
  console.warn(
    `      skipped: ${program} isn't on this machine (Debian: apt-get install ${packages[program] ?? program})`,
  );
  context.skip();
}
/** Skips a test, saying why, for a user who can't have a network namespace. */
export function needsRoot(context: Context): void {
  if (process.getuid?.() === 0) return;
  console.warn("      skipped: only root can read a packet filter's rules");
  context.skip();
}
const packages: Readonly<Record<string, string>> = { nft: "nftables", "systemd-analyze": "systemd" };

/** Runs bash with a script on stdin and returns what it wrote. */
export const bash = (script: string, ...args: string[]): string =>
  execFileSync("bash", ["-s", "--", ...args], { input: script, encoding: "utf8", stdio: ["pipe", "pipe", "pipe"] });

/** Text with the characters that quoting is about more often than others; no NUL, which nothing can carry. */
export const nasty = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ...Array.from("\"'\\$%`;{}#=~!&|<>*?[]() \t\n\r"),
        "$$",
        "%%",
        "${HOME}",
        "%n",
        "\\x41",
        "\\n",
        "\\\n",
        "ä",
        "🚢",
        "\u0001",
        "\u007f",
      ),
      fc.string({ unit: "grapheme", maxLength: 4 }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join("").replaceAll("\0", ""));
