import { createHash } from "node:crypto";
import { DriverError } from "./error";

/** How to reach a host over SSH. */
export interface SshConnection {
  readonly address: string;
  readonly port: number;
  readonly user: string;
  /** The host's public key, `ssh-ed25519 AAAA…`; a line of `ssh-keyscan` will do. Any other key is refused. */
  readonly hostKey: string;
  /** Secret. Without it the user's own ssh agent and key files are used. */
  readonly privateKey?: string;
}

/** The name under which the host's key is known to our own ssh; real names and ports don't matter to it then. */
const alias = "homeport-host";

/** `<type> <base64>` of a host key, however it was copied. */
export function plainHostKey({ address, hostKey }: SshConnection): string {
  const found = /(?:^|\s)((?:ssh-|ecdsa-|sk-)[\w@.-]+) ([A-Za-z0-9+/]+={0,3})(?:\s|$)/.exec(hostKey.trim());
  if (found === null) {
    throw new DriverError({
      what: "The host's key isn't an SSH public key.",
      where: address,
      why: `it begins with "${hostKey.trim().slice(0, 20)}", and should with ssh-ed25519, ssh-rsa or ecdsa-`,
      fix: `ssh-keyscan -t ed25519 ${address}, compare it with the host's own (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), and configure it`,
    });
  }
  return `${found[1]} ${found[2]}`;
}

/** A key's fingerprint as ssh shows it, `SHA256:…`. */
export function fingerprintOf(plainKey: string): string {
  const blob = Buffer.from(plainKey.split(" ")[1] ?? "", "base64");
  return `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;
}

/** The private known_hosts file: this one key, for this one host. */
export const knownHosts = (connection: SshConnection): string => `${alias} ${plainHostKey(connection)}\n`;

/**
 * Arguments of ssh(1). They hold no secret; what a person's own configuration says (jump hosts, ciphers) is in force, but
 * for what the safety and the form of the session rest on.
 */
export function sshArguments(connection: SshConnection, knownHostsFile: string, command: string): string[] {
  const { address, port, user } = connection;
  const own: Record<string, string> = {
    BatchMode: "yes",
    ConnectTimeout: "10",
    ConnectionAttempts: "1",
    ServerAliveInterval: "15",
    ServerAliveCountMax: "4",
    StrictHostKeyChecking: "yes",
    UserKnownHostsFile: `"${knownHostsFile}"`,
    GlobalKnownHostsFile: "none",
    KnownHostsCommand: "none",
    HostKeyAlias: alias,
    CheckHostIP: "no",
    UpdateHostKeys: "no",
    VerifyHostKeyDNS: "no",
    PreferredAuthentications: "publickey",
    ControlMaster: "no",
    ControlPath: "none",
    ClearAllForwardings: "yes",
    ForwardAgent: "no",
    RemoteCommand: "none",
    PermitLocalCommand: "no",
    EscapeChar: "none",
    LogLevel: "ERROR",
    ...(connection.privateKey === undefined ? {} : { IdentitiesOnly: "no" }),
  };
  const options = Object.entries(own).flatMap(([key, value]) => ["-o", `${key}=${value}`]);
  return ["-T", ...options, "-p", String(port), "-l", user, "--", address, command];
}

/** Run by ssh-agent(1), which has put its socket and number into the environment; ssh's arguments are its own. */
const underAgent = [
  "own=$SSH_AUTH_SOCK",
  'ssh-add -q - <&3 || { kill "$SSH_AGENT_PID"; exit 97; }',
  "exec 3<&- 4<&0",
  "SSH_AUTH_SOCK=$HOMEPORT_AUTH_SOCK; export SSH_AUTH_SOCK",
  // In the background, since a shell that waits in the foreground hears no signal.
  'ssh -o "IdentityAgent=$own" "$@" <&4 & ssh=$!',
  "exec 4<&-",
  "trap 'kill \"$ssh\"' TERM INT HUP",
  'wait "$ssh"; code=$?',
  'kill "$SSH_AGENT_PID"; exit "$code"',
].join("\n");

/**
 * Program and arguments that run ssh with a private key that is on no disk: an agent of our own is given the key by
 * descriptor 3 and ends with the session. The person's own agent stays in force for jump hosts.
 */
export const withOwnAgent = (arguments_: readonly string[]): [program: string, arguments_: string[]] => [
  "ssh-agent",
  ["sh", "-c", underAgent, "ssh", ...arguments_],
];

/** A private key as ssh-add takes it: Unix line ends, and one at its end. */
export const privateKeyText = (key: string): string => `${key.replace(/\r\n?/g, "\n").trim()}\n`;
