import assert from "node:assert/strict";
import { explainEnd, explainGone, worthRetrying, type SshEnd } from "../../../drivers/sshErrors";

const connection = {
  address: "192.0.2.7",
  port: 22,
  user: "deploy",
  hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFcQ8e5TwqVXJtgh9Y4gGwTcRrQ8gq7fXb0A5fQk0e1B",
};
const end = (stderr: string, more: Partial<SshEnd> = {}): SshEnd => ({ code: 255, started: false, stderr, ...more });

const changedKey = `@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
The fingerprint for the ED25519 key sent by the remote host is
SHA256:seenseenseenseenseenseenseenseenseenseensee.
Please contact your system administrator.
Host key verification failed.
`;

/** What OpenSSH and sudo print, what is made of it, and whether another try may help. */
const cases: readonly [stderr: string, what: RegExp, why: RegExp, fix: RegExp, again: boolean][] = [
  [
    "ssh: connect to host 192.0.2.7 port 22: Connection refused\r\n",
    /refuses SSH/,
    /nothing listens on port 22/,
    /sshd/,
    true,
  ],
  ["ssh: connect to host 192.0.2.7 port 22: Connection timed out", /can't be reached/, /timed out/, /firewall/, true],
  ["ssh: connect to host 192.0.2.7 port 22: No route to host", /can't be reached/, /No route/, /firewall/, true],
  ["Connection closed by 192.0.2.7 port 22", /can't be reached/, /closed/, /ssh -p 22/, true],
  ["kex_exchange_identification: read: Connection reset by peer", /can't be reached/, /reset/, /ssh -p 22/, true],
  [
    "ssh: Could not resolve hostname nowhere: Name or service not known",
    /name isn't known/,
    /nowhere/,
    /address/,
    false,
  ],
  [changedKey, /another key/, /seen SHA256:seensee\S+; nothing was sent/, /ssh-keyscan/, false],
  [
    "No RSA host key is known for homeport-host and you have requested strict checking.\nHost key verification failed.",
    /another key/,
    /seen one of kind RSA/,
    /ssh-keyscan/,
    false,
  ],
  [
    "deploy@192.0.2.7: Permission denied (publickey).",
    /doesn't let deploy in/,
    /none of the keys of your ssh agent/,
    /authorized_keys/,
    false,
  ],
  ["sudo: a password is required", /root without a password/, /password/, /NOPASSWD/, false],
  ["bash: line 1: exec: sudo: not found", /no sudo/, /not found/, /install sudo/, false],
  ["tar: cannot write: No space left on device", /disk is full/, /No space/, /free some space/, false],
  ["something that nobody has seen before", /didn't come about/, /nobody has seen/, /by hand/, false],
];

describe("how an SSH session failed", () => {
  for (const [stderr, what, why, fix, again] of cases) {
    it(`tells ${what.source}, where, why and what mends it`, () => {
      const { parts } = explainEnd(end(stderr), connection);
      assert.match(parts.what, what);
      assert.match(parts.why, why);
      assert.match(parts.fix, fix);
      assert.equal(parts.where, "deploy@192.0.2.7 port 22");
      assert.equal(worthRetrying(end(stderr)), again);
    });
  }

  it("says how a host that is gone for good is forgotten, where an app is to be taken off it", () => {
    const fix = (one: SshEnd): string => explainGone(one, connection).parts.fix;
    assert.match(fix(end("No route to host")), /firewall.*; if the host is gone for good: .*pulumi state delete URN/);
    assert.doesNotMatch(fix(end("", { started: true })), /state delete/);
  });

  it("never tries again what has begun", () => {
    assert.equal(worthRetrying(end("Connection reset by peer", { started: true })), false);
    assert.match(explainEnd(end("", { started: true, code: null }), connection).parts.what, /broke off/);
  });

  it("says that a private key can't be used, not that the host refuses it", () => {
    const { parts } = explainEnd(end('Error loading key "(stdin)": error in libcrypto', { code: 97 }), {
      ...connection,
      privateKey: "x",
    });
    assert.match(parts.what, /private key can't be used/);
  });
});
