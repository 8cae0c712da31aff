import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { cacheFolder, withLock } from "./cache";
import type { Log } from "./run";
import { RehearsalError, run } from "./run";

/** A program that the rehearsal runs on this machine, and the Debian or Ubuntu package that brings it. */
interface Tool {
  readonly file: string;
  readonly package: string;
}

const hostTools: readonly Tool[] = [
  { file: "mmdebstrap", package: "mmdebstrap" },
  { file: "systemd-nspawn", package: "systemd-container" },
  { file: "ip", package: "iproute2" },
  { file: "nft", package: "nftables" },
  { file: "ssh-keygen", package: "openssh-client" },
  { file: "nsenter", package: "util-linux" },
  { file: "/usr/share/keyrings/debian-archive-keyring.gpg", package: "debian-archive-keyring" },
  { file: "/etc/ssl/certs/ca-certificates.crt", package: "ca-certificates" },
];

/** Whether a program is on PATH, or a file with a full path exists. */
export function present(file: string, path = process.env["PATH"] ?? ""): boolean {
  if (file.startsWith("/")) return existsSync(file);
  return path.split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, file), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Throws unless this process is root: namespaces, mounts and machines need it. */
export function requireRoot(): void {
  if (process.getuid?.() === 0) return;
  throw new RehearsalError(
    "The rehearsal boots machines in network namespaces of their own, which only root may do, and you aren't root. " +
      "Run the same command with `sudo -E`, or in a virtual machine or container where you are root.",
  );
}

/** Installs the missing ones of these Debian or Ubuntu packages by apt. */
export async function aptInstall(packages: readonly string[], log: Log): Promise<void> {
  const names = [...new Set(packages)];
  if (!present("apt-get")) {
    throw new RehearsalError(
      `The rehearsal needs ${names.join(", ")}, and this machine has no apt-get to install them by. Install them, then run the same command again.`,
    );
  }
  await withLock(join(cacheFolder(), "apt.lock"), async () => {
    log(`installing ${names.join(", ")} by apt`);
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    const lockWait = "DPkg::Lock::Timeout=180";
    // A third party's list that can't be read doesn't matter as long as these packages are found.
    await run(["apt-get", "update", "-qq"], { env });
    const installed = await run(
      ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "-o", lockWait, ...names],
      { env },
    );
    if (installed.code === 0) return;
    const said = installed.stderr.trim().split("\n").slice(-5).join("\n");
    throw new RehearsalError(
      `apt can't install ${names.join(", ")}, which the rehearsal needs:\n${said}\nMend that, then try \`apt-get install ${names.join(" ")}\`.`,
    );
  });
}

/** Installs by apt what this machine lacks for booting hosts. */
export async function ensureTools(log: Log): Promise<void> {
  requireRoot();
  const missing = hostTools.filter((tool) => !present(tool.file));
  if (missing.length > 0)
    await aptInstall(
      missing.map((tool) => tool.package),
      log,
    );
}
