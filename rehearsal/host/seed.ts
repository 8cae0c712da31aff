import { randomBytes } from "node:crypto";
import { chmodSync, chownSync, existsSync, lchownSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Machine } from "./machine";
import { reachableNameservers } from "./network";
import { RehearsalError, must } from "./run";

/** A host's keys: the one it shows, and the one that opens it. */
export interface Keys {
  /** The host's public key as known_hosts has it, `ssh-ed25519 AAAA…`. */
  readonly hostKey: string;
  /** The private key for root and deploy, in OpenSSH's PEM form. */
  readonly privateKey: string;
}

const keyFile = (machine: Machine, kind: "host" | "client"): string => join(machine.folder, "keys", kind);

async function newKey(file: string): Promise<void> {
  if (existsSync(file)) return;
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  await must(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "rehearsal", "-f", file]);
}

function publicKey(file: string): string {
  return readFileSync(`${file}.pub`, "utf8").trim().split(" ").slice(0, 2).join(" ");
}

/** Reads the keys of a machine that has been seeded. */
export function readKeys(machine: Machine): Keys {
  return { hostKey: publicKey(keyFile(machine, "host")), privateKey: readFileSync(keyFile(machine, "client"), "utf8") };
}

/** The nameservers that this machine uses, without those that only it can ask. */
export function machineNameservers(): string[] {
  // With systemd-resolved, the first file names its stub on loopback and the second the real ones.
  const files = ["/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"].filter((file) => existsSync(file));
  return reachableNameservers(...files.map((file) => readFileSync(file, "utf8")));
}

interface SeedFile {
  readonly path: string;
  readonly text: string;
  readonly mode?: number;
  /** User and group id. Default: root. */
  readonly owner?: number;
}

function seedFiles(machine: Machine): SeedFile[] {
  const nameservers = machineNameservers();
  if (nameservers.length === 0) {
    throw new RehearsalError(
      "The rehearsal's hosts would have no nameserver: this machine's /etc/resolv.conf names loopback addresses only, which they can't reach. Add a `nameserver` line with another address.",
    );
  }
  const authorized = `${publicKey(keyFile(machine, "client"))} rehearsal\n`;
  return [
    { path: "etc/hostname", text: `${machine.name}\n` },
    {
      path: "etc/hosts",
      text: `127.0.0.1 localhost\n${machine.address} ${machine.name}\n::1 localhost ip6-localhost\n`,
    },
    { path: "etc/resolv.conf", text: nameservers.map((address) => `nameserver ${address}\n`).join("") },
    // Without one, systemd takes this for a first boot and enables every service by its preset.
    { path: "etc/machine-id", text: `${randomBytes(16).toString("hex")}\n`, mode: 0o444 },
    { path: "etc/ssh/ssh_host_ed25519_key", text: readFileSync(keyFile(machine, "host"), "utf8"), mode: 0o600 },
    { path: "etc/ssh/ssh_host_ed25519_key.pub", text: `${publicKey(keyFile(machine, "host"))}\n` },
    { path: "root/.ssh/authorized_keys", text: authorized, mode: 0o600 },
    { path: "home/deploy/.ssh/authorized_keys", text: authorized, mode: 0o600, owner: 1000 },
  ];
}

/** Makes the folders above a file; one that isn't in the machine's root yet, such as `.ssh`, is its owner's alone. */
function makeFolders(seed: string, file: SeedFile): void {
  const names = dirname(file.path).split("/");
  names.forEach((_, index) => {
    const path = names.slice(0, index + 1).join("/");
    const folder = join(seed, path);
    mkdirSync(folder, { recursive: true });
    const isPrivate = path === "root" || path.endsWith("/.ssh") || path === "home/deploy";
    chmodSync(folder, isPrivate ? 0o700 : 0o755);
    if (path.startsWith("home/deploy")) chownSync(folder, file.owner ?? 0, file.owner ?? 0);
  });
}

/** Writes what makes a copy of the root this machine: its name, address, keys and nameservers. Done once. */
export async function seed(machine: Machine): Promise<Keys> {
  if (existsSync(join(machine.folder, "disk", "seeded"))) return readKeys(machine);
  await newKey(keyFile(machine, "host"));
  await newKey(keyFile(machine, "client"));
  const folder = join(machine.folder, "seed");
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o755); // It becomes the mode of the guest's root folder.
  for (const file of seedFiles(machine)) {
    makeFolders(folder, file);
    const path = join(folder, file.path);
    writeFileSync(path, file.text);
    chmodSync(path, file.mode ?? 0o644);
    lchownSync(path, file.owner ?? 0, file.owner ?? 0);
  }
  return readKeys(machine);
}
