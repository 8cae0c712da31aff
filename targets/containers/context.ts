import { randomUUID } from "node:crypto";
import { chmodSync, createWriteStream, existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import type { ResolvedApp } from "../../components/resolvedApp";
import { pack } from "../../drivers/source";
import { locked } from "../../drivers/source/lock";
import { Spool } from "../../drivers/source/spool";
import { readTar, type TarMember } from "../../drivers/source/untar";

/** A service's code, as the stack resolved it. */
export type Code = ResolvedApp["code"][string];

/**
 * Where contexts lie, relative to the project: `.homeport/contexts`, or where HOMEPORT_CONTEXTS says, for stacks of one name that
 * are deployed from one checkout to several backends.
 */
function contextsFolder(project: string, env: NodeJS.ProcessEnv = process.env): string {
  const own = env["HOMEPORT_CONTEXTS"];
  return own === undefined || own === "" ? ".homeport/contexts" : relative(project, resolve(project, own));
}

const waitMs = 300_000;
const leftBehindMs = 86_400_000;

/**
 * Puts a source's files where an image is built from them, and returns that folder, relative to the project. The folder's path
 * becomes part of the stack's state, so it tells neither the commit nor where the checkout or a cache lies; what is in it is
 * replaced as a whole when the source has changed.
 * @param name of the context within the stack
 * @throws SourceError
 */
export async function stageContext(project: string, stack: string, name: string, code: Code): Promise<string> {
  const context = `${contextsFolder(project)}/${stack}/${name}`;
  const folder = join(project, context);
  mkdirSync(dirname(folder), { recursive: true, mode: 0o700 });
  await locked(`${folder}.lock`, waitMs, async () => {
    if (!isStaged(folder, code)) await stage(project, folder, code);
  });
  return context;
}

/** Beside the folder, as everything in it is the context's. */
const noteOf = (folder: string): string => `${folder}.id`;

function isStaged(folder: string, { fingerprint }: Code): boolean {
  return existsSync(folder) && existsSync(noteOf(folder)) && readFileSync(noteOf(folder), "utf8") === fingerprint.id;
}

async function stage(project: string, folder: string, { source, fingerprint }: Code): Promise<void> {
  removeLeftBehind(folder);
  const part = `${folder}.part-${randomUUID().slice(0, 8)}`;
  const content = new Spool();
  const archive = new Spool();
  const packed = await pack(source, fingerprint, { cwd: project });
  try {
    for await (const chunk of packed.stream()) archive.append(chunk as Buffer);
    const members = await readTar(archive, content, fingerprint.describe);
    mkdirSync(part, { mode: 0o755 });
    for (const [path, member] of members) await write(join(part, path), member, content);
    rmSync(noteOf(folder), { force: true });
    rmSync(folder, { recursive: true, force: true });
    renameSync(part, folder);
    writeFileSync(noteOf(folder), fingerprint.id);
  } finally {
    rmSync(part, { recursive: true, force: true });
    await Promise.all([content.dispose(), archive.dispose(), packed.dispose()]);
  }
}

async function write(path: string, member: TarMember, content: Spool): Promise<void> {
  mkdirSync(member.type === "dir" ? path : dirname(path), { recursive: true });
  if (member.type === "dir") return;
  if (member.type === "link") {
    symlinkSync(member.target, path);
    return;
  }
  await pipeline(content.read(member.offset, member.size), createWriteStream(path, { flags: "wx" }));
  // Modes are part of what an image is made of: they mustn't depend on this user's umask.
  chmodSync(path, member.type === "exec" ? 0o755 : 0o644);
}

/** What runs left that were killed. */
function removeLeftBehind(folder: string): void {
  for (const entry of readdirSync(dirname(folder))) {
    const path = join(dirname(folder), entry);
    if (!entry.includes(".part-") || Date.now() - statSync(path).mtimeMs < leftBehindMs) continue;
    rmSync(path, { recursive: true, force: true });
  }
}
