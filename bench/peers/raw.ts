import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { quote } from "../../components/values/shell";
import { must } from "../../rehearsal/host/run";
import type { Host } from "../../rehearsal/site";

/** Where the peer's own copy of the service listens on the host. */
export const rawPort = 18_000;

const unit = `[Unit]
Description=catscan, deployed by hand
[Service]
User=raw-catscan
WorkingDirectory=/opt/raw-catscan/app
Environment=PORT=${rawPort} CATSCAN_DB_PATH=/var/lib/raw-catscan/catscan.db CATSCAN_IMPORT_DIR=/var/lib/raw-catscan LOG_DIR=/var/lib/raw-catscan
StateDirectory=raw-catscan
ExecStart=/opt/raw-catscan/venv/bin/uvicorn api.main:app --host 0.0.0.0 --port ${rawPort}
[Install]
WantedBy=multi-user.target
`;

/** The least that changes an app on a host: a tar through ssh, a restart of its unit, and a look at its health. */
export class RawPeer {
  private constructor(
    private readonly host: Host,
    private readonly ssh: readonly [string, ...string[]],
    private readonly code: string,
  ) {}

  /** Makes the unit, its user and its packages, which no deploy of the peer's touches again. */
  static async open(host: Host, folder: string, code: string): Promise<RawPeer> {
    const peer = new RawPeer(host, sshCommand(host, join(folder, "raw")), code);
    await succeed(
      host,
      [
        "useradd --system raw-catscan",
        "mkdir -p /opt/raw-catscan/app",
        `cat >/etc/systemd/system/raw-catscan.service <<'END'\n${unit}END`,
        "systemctl daemon-reload && systemctl enable -q raw-catscan",
        "python3 -m venv /opt/raw-catscan/venv",
      ].join("\n"),
    );
    await peer.send();
    await succeed(host, "/opt/raw-catscan/venv/bin/pip install -q -r /opt/raw-catscan/app/requirements.txt");
    await peer.deploy();
    return peer;
  }

  /** @returns what `/version` answers once the new version is healthy */
  async deploy(): Promise<string> {
    const restart =
      `tar -xz -C /opt/raw-catscan/app && systemctl restart raw-catscan && ` +
      `until curl -fs -o /dev/null http://127.0.0.1:${rawPort}/health; do sleep 0.05; done && curl -fs http://127.0.0.1:${rawPort}/version`;
    return must(["bash", "-c", pipeline(this.ssh, this.code, restart)], { timeoutMs: 120_000 });
  }

  /** Lets others than the host itself ask the peer, until the packet filter is next loaded. */
  async expose(): Promise<string> {
    await succeed(this.host, `nft insert rule inet homeport input tcp dport ${rawPort} accept`);
    return `http://${this.host.address}:${rawPort}`;
  }

  private async send(): Promise<void> {
    await must(["bash", "-c", pipeline(this.ssh, this.code, "tar -xz -C /opt/raw-catscan/app")]);
  }
}

const pipeline = (ssh: readonly string[], code: string, command: string): string =>
  `set -o pipefail; tar -cz -C ${quote(code)} . | ${[...ssh, command].map(quote).join(" ")}`;

/** How OpenSSH reaches a host, with its key and the host's own in files of a private folder. */
export function sshCommand(host: Host, folder: string): [string, ...string[]] {
  const { key, knownHosts } = sshFiles(host, folder);
  return [
    "ssh",
    "-F",
    "none",
    "-i",
    key,
    "-o",
    `UserKnownHostsFile=${knownHosts}`,
    "-o",
    "IdentitiesOnly=yes",
    `root@${host.address}`,
  ];
}

export function sshFiles(host: Host, folder: string): { key: string; knownHosts: string } {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const key = join(folder, "key");
  const knownHosts = join(folder, "known_hosts");
  writeFileSync(key, host.privateKey, { mode: 0o600 });
  writeFileSync(knownHosts, `${host.address} ${host.hostKey}\n`);
  return { key, knownHosts };
}

async function succeed(host: Host, command: string): Promise<void> {
  const { code, stdout, stderr } = await host.exec(`set -e\n${command}`);
  if (code !== 0) throw new Error(`The peer can't be made ready: ${(stderr + stdout).trim().slice(-2000)}`);
}
