import { DriverError } from "./error";
import { fingerprintOf, plainHostKey, type SshConnection } from "./sshArguments";

/** How an ssh client ended. */
export interface SshEnd {
  /** Null where a signal ended it. */
  readonly code: number | null;
  /** The last of what it and the remote program wrote to stderr. */
  readonly stderr: string;
  /** Whether the remote program was there: then the connection isn't what failed. */
  readonly started: boolean;
}

/** Whether another try may help: nothing was decided about the host's key or ours, and nothing has begun there. */
export function worthRetrying({ started, stderr }: SshEnd): boolean {
  return (
    !started &&
    /connection (refused|timed out|reset|closed)|operation timed out|no route to host|network is unreachable|banner exchange|kex_exchange/i.test(
      stderr,
    ) &&
    !/host key verification failed|permission denied/i.test(stderr)
  );
}

/** What a person is told when a session didn't come to a result. */
export function explainEnd(end: SshEnd, connection: SshConnection): DriverError {
  const { address, port, user } = connection;
  const where = `${user}@${address} port ${port}`;
  const cause = lastLine(end.stderr) ?? (end.code === null ? "ssh was killed" : `ssh ended with status ${end.code}`);
  const tell = (what: string, why: string, fix: string): DriverError => new DriverError({ what, where, why, fix });
  const has = (pattern: RegExp): boolean => pattern.test(end.stderr);

  if (has(/no space left on device/i)) {
    return tell("The host's disk is full.", cause, `ssh ${user}@${address} df -h, free some space, then deploy again`);
  }
  if (end.started) {
    return tell(
      "The session with the host broke off.",
      end.stderr.trim() === "" ? "the connection was lost or the remote program was killed" : cause,
      "deploy again: what was begun is taken up or undone, and what ran before runs on",
    );
  }
  if (has(/host key verification failed|host identification has changed|no .* host key is known/i)) {
    return tell(
      "The host isn't the one that is configured: it showed another key.",
      keyWhy(end.stderr, connection),
      keyFix(connection),
    );
  }
  if (has(/no matching host key type/i)) {
    return tell("The host has no key of the configured kind.", cause, keyFix(connection));
  }
  if (end.code === 97 || has(/error in libcrypto|invalid format|incorrect passphrase|Error loading key/i)) {
    return tell(
      "The SSH private key can't be used.",
      `ssh-add said: ${cause}`,
      "configure an OpenSSH private key without a passphrase, whole from its BEGIN to its END line",
    );
  }
  if (has(/permission denied|too many authentication failures/i)) {
    return tell(
      `The host doesn't let ${user} in.`,
      connection.privateKey === undefined
        ? "it took none of the keys of your ssh agent and ~/.ssh"
        : "it doesn't take the configured private key",
      `add the key's public half to ~${user}/.ssh/authorized_keys on the host, or configure another user or key`,
    );
  }
  if (has(/sudo: .*(password|terminal)|a password is required/i)) {
    return tell(
      `${user} may not become root without a password.`,
      cause,
      `put "${user} ALL=(ALL) NOPASSWD: ALL" into /etc/sudoers.d/homeport on the host, or connect as root`,
    );
  }
  if (has(/sudo: (command )?not found/i)) {
    return tell(`${user} isn't root, and the host has no sudo.`, cause, "install sudo on the host, or connect as root");
  }
  if (has(/could not resolve|name or service not known|nodename nor servname/i)) {
    return tell("The host's name isn't known.", cause, "correct the host's address in the stack's configuration");
  }
  if (has(/connection refused/i)) {
    return tell(
      "The host refuses SSH connections.",
      `nothing listens on port ${port}`,
      "start sshd on it, or configure the right port",
    );
  }
  if (worthRetrying(end)) {
    return tell(
      "The host can't be reached.",
      cause,
      `see that it runs and that its firewall lets you in: ssh -p ${port} ${user}@${address}`,
    );
  }
  return tell(
    "The session with the host didn't come about.",
    cause,
    `try it by hand: ssh -p ${port} ${user}@${address}`,
  );
}

/** The same failure where an app is to be taken off a host that may have ceased to be, and its stack goes on without it. */
export function explainGone(end: SshEnd, connection: SshConnection): DriverError {
  const error = explainEnd(end, connection);
  if (end.started) return error;
  const forget = "if the host is gone for good: pulumi stack --show-urns, then pulumi state delete URN of this command";
  return new DriverError({ ...error.parts, fix: `${error.parts.fix}; ${forget}` });
}

function keyWhy(stderr: string, connection: SshConnection): string {
  const expected = fingerprintOf(plainHostKey(connection));
  const seen = /(SHA256:[A-Za-z0-9+/]+)/.exec(stderr)?.[1];
  const kind = /no (\S+) host key is known/i.exec(stderr)?.[1];
  return `expected ${expected}, seen ${seen ?? (kind === undefined ? "another" : `one of kind ${kind}`)}; nothing was sent to it`;
}

const keyFix = ({ address, port }: SshConnection): string =>
  `if the host was set up anew, compare ssh-keyscan -p ${port} ${address} with its own key and configure it; if not, somebody may be in between`;

function lastLine(text: string): string | undefined {
  // A stack trace or a banner of ssh is framed by lines that say nothing.
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => /[a-z]/i.test(line))
    .at(-1);
}
