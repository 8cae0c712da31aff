import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Host } from "../../../rehearsal/site";
import type { RehearsedStack, RehearsedValue } from "../../../rehearsal/stack";
import { onHost } from "./world";

/** A secret of the stack as it could come to light somewhere, and whose it is. */
export interface Marker {
  readonly of: string;
  readonly text: string;
}

/** The secrets that a stack is given; of a key, a JSON document or a URL, the parts that are secret by themselves. */
export function givenSecrets(values: Readonly<Record<string, RehearsedValue>>): Marker[] {
  return Object.entries(values).flatMap(([of, value]) =>
    typeof value === "object" && "secret" in value ? partsOf(value.secret).map((text) => ({ of, text })) : [],
  );
}

function partsOf(secret: string): string[] {
  // The lines before these hold what all keys have, and the public half.
  if (secret.includes("PRIVATE KEY")) return secret.split("\n").slice(3, 5);
  const inJson = secret.startsWith("{") ? /[\w-]{24,}/.exec(secret) : undefined;
  const inUrl = /(?<=:)[\w-]{24}(?=@)/.exec(secret);
  return [inJson?.[0] ?? inUrl?.[0] ?? secret];
}

interface Exported {
  readonly deployment: {
    readonly resources: readonly {
      readonly type: string;
      readonly urn: string;
      readonly outputs?: { result?: unknown };
    }[];
  };
}

/** The passwords that the stack made for its databases. */
export async function madePasswords(stack: RehearsedStack): Promise<Marker[]> {
  const { stdout } = await stack.pulumi(["stack", "export", "--show-secrets"]);
  const { resources } = (JSON.parse(stdout) as Exported).deployment;
  return resources
    .filter(({ type }) => type === "random:index/randomPassword:RandomPassword")
    .map(({ urn, outputs }) => {
      const result = outputs?.result as { plaintext?: string } | string | undefined;
      const text = typeof result === "object" ? (JSON.parse(result.plaintext ?? '""') as string) : (result ?? "");
      return { of: urn.split("::").at(-1) ?? urn, text };
    });
}

/** Whose secrets stand in some text. */
export const secretsIn = (text: string, markers: readonly Marker[]): string[] =>
  markers.filter((marker) => text.includes(marker.text)).map((marker) => marker.of);

/** Files below a folder of this machine that hold a secret in readable form. */
export function filesWith(folder: string, markers: readonly Marker[], skipped: RegExp): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).flatMap((name) => {
    const path = join(folder, name);
    if (skipped.test(name) || !existsSync(path) || !statSync(path).isFile()) return [];
    return secretsIn(readFileSync(path, "latin1"), markers).map((of) => `${name} holds ${of}`);
  });
}

/** Whose secrets the host's journal holds. */
export async function secretsInJournal(host: Host, markers: readonly Marker[]): Promise<string[]> {
  return secretsIn(await onHost(host, "journalctl --no-pager --output=cat"), markers);
}

/** Files of the host that hold a secret and that anybody on it may read: asked as `nobody`, who has no rights at all. */
export async function readableFilesWith(host: Host, markers: readonly Marker[]): Promise<string[]> {
  const search = `
    list=$(mktemp -p /root) && cat >"$list"
    setpriv --reuid=65534 --regid=65534 --clear-groups find / -xdev \\( -path /proc -o -path /sys \\) -prune -o -type f -readable -size -4M -print0 2>/dev/null |
      xargs -0 grep -lFf "$list" 2>/dev/null
    find /run /tmp /dev/shm -type f -perm -o=r -size -4M -print0 2>/dev/null |
      setpriv --reuid=65534 --regid=65534 --clear-groups xargs -0 sh -c 'for f; do [ ! -r "$f" ] || printf "%s\\0" "$f"; done' sh |
      xargs -0r grep -lFf "$list" 2>/dev/null
    rm -f "$list"`;
  const found = await onHost(host, search, markers.map((marker) => `${marker.text}\n`).join(""));
  return [...new Set(found.split("\n").filter((line) => line !== ""))].sort();
}
