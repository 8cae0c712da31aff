import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A Debian release that hosts can run. */
export type Suite = "trixie" | "bookworm";

/** What a root is made from. Everything that decides its contents is in here, as its hash names it in the cache. */
export interface Recipe {
  readonly suite: Suite;
  readonly packages: readonly string[];
  /** Lines for apt's sources, with the mirror asked for. None: mmdebstrap's own, Debian's default mirror. */
  readonly sources: readonly string[];
  /** Programs to put into the new root, by their full paths. */
  readonly programs: Readonly<Record<string, string>>;
  /** Runs in the new root by `sh -eu` once the packages are there. */
  readonly customize: string;
  /** PEM certificates that this machine trusts and Debian doesn't: registries may be seen through a local CA. */
  readonly certificates: readonly string[];
}

const common = [
  ...["systemd", "systemd-sysv", "libpam-systemd", "dbus", "openssh-server", "sudo", "procps", "iproute2", "nftables"],
  ...["ca-certificates", "curl", "gzip", "git", "gnupg", "logrotate", "tzdata", "awscli", "python3", "python3-venv"],
  ...["nodejs", "npm", "sqlite3", "postgresql", "pgbouncer", "redis-server", "haproxy", "podman"],
  ...["jq", "socat", "xfsprogs"],
];

/** bookworm has no pgvector for its Postgres 15. */
const bySuite: Record<Suite, readonly string[]> = {
  trixie: [...common, "postgresql-17-pgvector"],
  bookworm: common,
};

const bundle = "/etc/ssl/certs/ca-certificates.crt";

/** The variables by which the usual clients find a CA bundle. */
const trust = ["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "PIP_CERT", "REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE"]
  .map((name) => `${name}=${bundle}`)
  .join(" ");

const runtime = "/usr/local/libexec/crun-without-limits";

/** No service but sshd starts by itself: what runs is what was deployed. */
const customize = `\
systemctl disable postgresql pgbouncer redis-server haproxy apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer fstrim.timer
for unit in netavark-dhcp-proxy.socket netavark-dhcp-proxy.service podman.socket podman.service podman-auto-update.timer \\
  podman-auto-update.service podman-restart.service; do
  systemctl disable "$unit" 2>/dev/null || true
done
systemctl enable ssh
useradd --create-home --shell /bin/bash --uid 1000 deploy
echo 'deploy ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/deploy
chmod 0440 /etc/sudoers.d/deploy
rm -f /etc/ssh/ssh_host_* /etc/hostname /etc/resolv.conf
systemctl disable sshd-keygen.service 2>/dev/null || true
cat >/etc/ssh/sshd_config.d/rehearsal.conf <<'END'
HostKey /etc/ssh/ssh_host_ed25519_key
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
END
mkdir -p /var/log/journal /etc/systemd/system.conf.d /etc/containers/containers.conf.d
printf '%s\\n' ${trust} >>/etc/environment
printf '[Manager]\\nDefaultEnvironment=%s\\n' '${trust}' >/etc/systemd/system.conf.d/trust.conf
printf '[global]\\ncert = ${bundle}\\n' >/etc/pip.conf
printf 'cafile=${bundle}\\n' >/etc/npmrc
cat >/etc/containers/containers.conf.d/rehearsal.conf <<'END'
[engine]
runtime = "rehearsal"
[engine.runtimes]
rehearsal = ["${runtime}"]
END
update-ca-certificates
`;

/** The recipe of a host's root. `mirror` is a Debian mirror, if not the default one; `certificates` are extra CAs to trust. */
export function recipe(suite: Suite, mirror: string | undefined, certificates: readonly string[]): Recipe {
  return {
    suite,
    packages: bySuite[suite],
    sources: mirror === undefined ? [] : sourcesOf(suite, mirror),
    programs: { [runtime]: readFileSync(join(__dirname, "crun-without-limits.py"), "utf8") },
    customize,
    certificates,
  };
}

function sourcesOf(suite: Suite, mirror: string): string[] {
  const security = mirror.replace(/debian\/?$/, "debian-security");
  return [
    `deb ${mirror} ${suite} main`,
    `deb ${mirror} ${suite}-updates main`,
    `deb ${security} ${suite}-security main`,
  ];
}

/** The name of a recipe's root in the cache. */
export function rootName(made: Recipe): string {
  return `${made.suite}-${createHash("sha256").update(JSON.stringify(made)).digest("hex").slice(0, 12)}`;
}

/** The certificates of a PEM bundle. */
export function certificates(pem: string): string[] {
  return pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}
