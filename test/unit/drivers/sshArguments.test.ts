import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { DriverError } from "../../../drivers/error";
import {
  fingerprintOf,
  knownHosts,
  plainHostKey,
  privateKeyText,
  sshArguments,
  withOwnAgent,
  type SshConnection,
} from "../../../drivers/sshArguments";
import { header, remoteCommand } from "../../../targets/systemd/loader";

const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFcQ8e5TwqVXJtgh9Y4gGwTcRrQ8gq7fXb0A5fQk0e1B";
const connection: SshConnection = { address: "host.example", port: 2222, user: "deploy", hostKey: key };

describe("the arguments of ssh", () => {
  it("hold nothing of the private key", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 8 }), (privateKey) => {
        const line = withOwnAgent(
          sshArguments({ ...connection, privateKey: `secret${privateKey}` }, "/tmp/known", "true"),
        );
        assert.ok(!JSON.stringify(line).includes(JSON.stringify(`secret${privateKey}`).slice(1, -1)));
      }),
    );
  });

  it("refuse every key but the configured one, ask nothing and share nothing with other sessions", () => {
    const text = sshArguments(connection, "/tmp/known", "true").join(" ");
    for (const option of [
      "StrictHostKeyChecking=yes",
      'UserKnownHostsFile="/tmp/known"',
      "GlobalKnownHostsFile=none",
      "BatchMode=yes",
    ])
      assert.ok(text.includes(option), option);
    for (const option of ["ControlPath=none", "ForwardAgent=no", "PermitLocalCommand=no", "UpdateHostKeys=no"])
      assert.ok(text.includes(option), option);
  });

  it("leave a person's own configuration in force, jump hosts too", () => {
    const line = sshArguments(connection, "/tmp/known", "true");
    assert.ok(!line.includes("-F"));
    assert.ok(!line.join(" ").includes("ProxyJump"));
  });

  it("can't be taken for options where the address looks like one", () => {
    const line = sshArguments({ ...connection, address: "-oProxyCommand=evil" }, "/tmp/known", "true");
    assert.deepEqual(line.slice(-3), ["--", "-oProxyCommand=evil", "true"]);
  });

  it("are understood by the ssh that is here", () => {
    const asked = execFileSync("ssh", ["-G", ...sshArguments(connection, "/tmp/known", "true")], { encoding: "utf8" });
    assert.match(asked, /^hostname host\.example$/m);
    assert.match(asked, /^port 2222$/m);
    assert.match(asked, /^stricthostkeychecking true$/m);
  });
});

describe("a host's key", () => {
  it("is found in whatever form it was copied", () => {
    for (const form of [
      key,
      `${key} root@host`,
      `host.example ${key}`,
      `[host.example]:2222 ${key} comment`,
      `  ${key}\n`,
    ])
      assert.equal(plainHostKey({ ...connection, hostKey: form }), key, form);
    assert.equal(knownHosts(connection), `homeport-host ${key}\n`);
  });

  it("is refused when it is none, with the command that shows it", () => {
    for (const form of ["", "SHA256:abc", "ssh-ed25519", "-----BEGIN OPENSSH PRIVATE KEY-----"])
      assert.throws(
        () => plainHostKey({ ...connection, hostKey: form }),
        (error) => error instanceof DriverError && /ssh-keyscan -t ed25519 host\.example/.test(error.message),
        form,
      );
  });

  it("has the fingerprint that ssh-keygen tells", () => {
    const folder = mkdtempSync(join(tmpdir(), "homeport-key-"));
    try {
      execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(folder, "key")]);
      const told = execFileSync("ssh-keygen", ["-lf", join(folder, "key.pub")], { encoding: "utf8" }).split(" ")[1];
      const hostKey = readFileSync(join(folder, "key.pub"), "utf8");
      assert.equal(fingerprintOf(plainHostKey({ ...connection, hostKey })), told);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("a private key", () => {
  it("is handed on with Unix line ends, whatever editor it went through", () => {
    for (const text of ["BEGIN\nEND", "BEGIN\r\nEND\r\n", "\nBEGIN\rEND\n\n"])
      assert.equal(privateKeyText(text), "BEGIN\nEND\n");
  });
});

describe("the remote command", () => {
  it("is one constant line for each kind of user, in quotes that every login shell reads alike", () => {
    assert.equal(remoteCommand("deploy"), remoteCommand("someone"));
    assert.match(remoteCommand("root"), /^exec bash -c '[^'\n]+'$/);
    assert.match(remoteCommand("deploy"), /^exec sudo -n env SSH_CONNECTION="\$SSH_CONNECTION" bash -c '[^'\n]+'$/);
  });

  it("is bash", () => {
    execFileSync("bash", ["-n", "-c", remoteCommand("root")]);
  });

  it("reads a header of one line", () => {
    assert.equal(header("apply", 1234, false, 1_700_000_000_999).toString(), "apply 1234 1700000000 0\n");
    assert.equal(header("delete", 1, true, 0).toString(), "delete 1 0 1\n");
  });
});
