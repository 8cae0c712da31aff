import { createHash } from "node:crypto";

/** What an instance's first boot is told. */
export interface FirstBoot {
  readonly user: string;
  /** The key pair's public key. */
  readonly key: string | null;
  readonly userData: string | null;
}

/**
 * The script that does as root what cloud-init does at an instance's first boot: the image's user with the key pair's key,
 * who may become root without a password, and nobody else; then the user data, if it is a script.
 */
export function firstBootScript({ user, key, userData }: FirstBoot): string {
  const script = userData?.startsWith("#!") === true ? Buffer.from(userData).toString("base64") : undefined;
  return `set -eu
id ${user} >/dev/null 2>&1 || useradd --create-home --shell /bin/bash ${user}
install -d -m 0700 -o ${user} -g ${user} /home/${user}/.ssh
cat >/home/${user}/.ssh/authorized_keys <<'KEY'
${key ?? ""}
KEY
chown ${user}: /home/${user}/.ssh/authorized_keys
chmod 0600 /home/${user}/.ssh/authorized_keys
echo '${user} ALL=(ALL) NOPASSWD:ALL' >/etc/sudoers.d/90-cloud-init-users
chmod 0440 /etc/sudoers.d/90-cloud-init-users
rm -f /root/.ssh/authorized_keys /home/deploy/.ssh/authorized_keys
${script === undefined ? "" : `echo ${script} | base64 -d >/var/lib/user-data\nchmod 0700 /var/lib/user-data\n/var/lib/user-data >/var/log/cloud-init-output.log 2>&1 || true\n`}`;
}

/** The SHA-256 fingerprint of a public key as ssh-keygen(1) shows it. */
function fingerprint(publicKey: string): string {
  const blob = Buffer.from(publicKey.split(" ")[1] ?? "", "base64");
  return `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;
}

/**
 * What the serial console shows at the end of an instance's first boot, CRLF and all: cloud-init's
 * tools/write-ssh-key-fingerprints logs the fingerprints and prints the keys themselves.
 */
export function consoleText(hostName: string, hostKey: string, at: Date): string {
  const tag = `<14>${at.toUTCString().slice(8, 11)} ${at.toUTCString().slice(5, 7)} ${at.toISOString().slice(11, 19)} cloud-init:`;
  return [
    `[    0.000000] Linux version 6.12 (${hostName})`,
    `[    4.218374] cloud-init[1412]: Cloud-init finished`,
    `${tag} #############################################################`,
    `${tag} -----BEGIN SSH HOST KEY FINGERPRINTS-----`,
    `${tag} 256 ${fingerprint(hostKey)} root@${hostName} (ED25519)`,
    `${tag} -----END SSH HOST KEY FINGERPRINTS-----`,
    `${tag} #############################################################`,
    "-----BEGIN SSH HOST KEY KEYS-----",
    `${hostKey} root@${hostName}`,
    "-----END SSH HOST KEY KEYS-----",
    "",
    `${hostName} login: `,
  ].join("\r\n");
}
