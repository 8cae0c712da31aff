import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { DriverError, Interrupted } from "../../../drivers/error";
import { runSession, type SessionOptions } from "../../../drivers/ssh";

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFcQ8e5TwqVXJtgh9Y4gGwTcRrQ8gq7fXb0A5fQk0e1B";

/** Sessions with a program of this machine in ssh's place: its last argument is run by bash, as sshd would. */
describe("an SSH session", () => {
  let folder: string;
  const path = process.env.PATH;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "homeport-ssh-test-"));
    fake('for last; do :; done; exec bash -c "$last"');
    process.env.PATH = `${folder}${delimiter}${path}`;
  });
  afterEach(() => {
    process.env.PATH = path;
    rmSync(folder, { recursive: true });
  });
  const fake = (text: string): void => {
    writeFileSync(join(folder, "ssh"), `#!/bin/bash\n${text}\n`);
    chmodSync(join(folder, "ssh"), 0o755);
  };
  const lines: string[] = [];
  const run = (command: string, options: Partial<SessionOptions> = {}) => {
    lines.length = 0;
    return runSession({
      connection: { address: "host", port: 22, user: "root", hostKey },
      command,
      input: () => Promise.resolve(Buffer.from("first line\n")),
      onFrame: (line) => void lines.push(`frame ${line}`),
      progress: (line) => void lines.push(line),
      signal: new AbortController().signal,
      retries: [1, 1],
      ...options,
    });
  };

  it("sends its input, hands frames on in order, and takes the rest for progress", async () => {
    const program =
      "echo @homeport READY; read -r line; echo @homeport GOT $line; echo hello; echo there >&2; sleep 0.1; echo @homeport RESULT";
    const end = await run(program);
    assert.deepEqual([end.code, end.started], [0, true]);
    assert.deepEqual(
      lines.filter((line) => line.startsWith("frame")),
      ["frame GOT first line", "frame RESULT"],
    );
    assert.deepEqual(lines.filter((line) => !line.startsWith("frame")).sort(), ["hello", "there"]);
  });

  it("sends what a frame asks for, larger than a pipe holds, and each byte of it", async () => {
    const size = 3_000_000;
    const end = await run(
      `echo @homeport READY; read -r line; echo @homeport NEED; head -c ${size} | md5sum | sed 's/^/@homeport SUM /'`,
      {
        onFrame: async (line, session) => {
          lines.push(line);
          if (line === "NEED") await session.send(Buffer.alloc(size, "homeport"));
        },
      },
    );
    assert.equal(end.code, 0);
    assert.match(lines.at(-1) ?? "", /^SUM [0-9a-f]{32}/);
    assert.ok(lines.at(-1)?.includes(createHash("md5").update(Buffer.alloc(size, "homeport")).digest("hex")));
  });

  it("hands a private key on by a pipe to an agent that ends with it, and leaves no file", async () => {
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(folder, "key")]);
    fake(
      'for o; do case $o in IdentityAgent=*) export SSH_AUTH_SOCK=${o#*=};; esac; done; echo @homeport READY; ssh-add -l | sed "s/^/@homeport /"; echo "@homeport $SSH_AGENT_PID"',
    );
    // A folder for files of this session alone: others may be under way on this machine.
    const own = mkdtempSync(join(folder, "tmp-"));
    const { TMPDIR } = process.env;
    process.env["TMPDIR"] = own;
    const privateKey = readFileSync(join(folder, "key"), "utf8");
    const end = await run("", { connection: { address: "host", port: 22, user: "root", hostKey, privateKey } }).finally(
      () => {
        if (TMPDIR === undefined) delete process.env["TMPDIR"];
        else process.env["TMPDIR"] = TMPDIR;
      },
    );
    assert.equal(end.code, 0, end.stderr);
    assert.match(lines[0] ?? "", /^frame 256 SHA256:\S+ .*ED25519/);
    const agent = Number(lines[1]?.replace("frame ", ""));
    await new Promise((done) => setTimeout(done, 100));
    assert.throws(() => {
      const state = readFileSync(`/proc/${agent}/stat`, "utf8");
      if (!/\) Z /.test(state)) return;
      throw new Error("ended, not yet waited for");
    }, "the agent outlived its session");
    assert.deepEqual(readdirSync(own), []);
  });

  it("ends with ssh's own status and at once, with a private key too", async () => {
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(folder, "key")]);
    fake("echo @homeport READY; exit 7");
    const began = Date.now();
    const privateKey = readFileSync(join(folder, "key"), "utf8");
    const end = await run("", { connection: { address: "host", port: 22, user: "root", hostKey, privateKey } });
    assert.equal(end.code, 7);
    // The agent looks for its session every 10 seconds only, and would hold the pipes until then.
    assert.ok(Date.now() - began < 5_000);
  });

  it("lets a session that has begun take its time", async () => {
    assert.equal((await run("echo @homeport READY; sleep 0.6", { deadline: 300 })).code, 0);
  });

  it("says that a private key is none", async () => {
    const connection = { address: "host", port: 22, user: "root", hostKey, privateKey: "nonsense" };
    await assert.rejects(run("true", { connection }), /private key can't be used/);
  });

  it("tries again a bounded number of times, and tells the last failure", async () => {
    fake(`echo x >>${folder}/tries; echo 'ssh: connect to host host port 22: Connection refused' >&2; exit 255`);
    await assert.rejects(run("true"), (error) => error instanceof DriverError && /refuses SSH/.test(error.message));
    assert.equal(readFileSync(join(folder, "tries"), "utf8"), "x\nx\nx\n");
    assert.equal(lines.filter((line) => line.includes("Trying again")).length, 2);
  });

  it("doesn't try again when the host's key is another", async () => {
    fake(`echo x >>${folder}/tries; echo 'Host key verification failed.' >&2; exit 255`);
    await assert.rejects(run("true"), /another key/);
    assert.equal(readFileSync(join(folder, "tries"), "utf8"), "x\n");
  });

  it("gives up a connection that never comes to a session", async () => {
    const began = Date.now();
    await assert.rejects(run("sleep 30", { deadline: 200, retries: [] }), /can't be reached/);
    assert.ok(Date.now() - began < 5_000);
  });

  it("ends when it is told to, and ssh with it", async () => {
    const abort = new AbortController();
    fake(`echo $$ >${folder}/pid; echo @homeport READY; exec sleep 30`);
    setTimeout(() => {
      abort.abort();
    }, 300);
    await assert.rejects(run("", { signal: abort.signal }), Interrupted);
    const pid = Number(readFileSync(join(folder, "pid"), "utf8"));
    assert.throws(() => process.kill(pid, 0), /ESRCH/);
  });

  it("fails with what a frame's handler threw, or the input", async () => {
    const boom = new Error("boom");
    const broken = { onFrame: () => Promise.reject(boom) };
    await assert.rejects(run("echo @homeport READY; echo @homeport NEED; sleep 30", broken), boom);
    await assert.rejects(run("echo @homeport READY; sleep 30", { input: () => Promise.reject(boom) }), boom);
  });

  it("says so where there is no ssh", async () => {
    process.env.PATH = "/nowhere";
    await assert.rejects(run("true"), /OpenSSH client could not be started[^]*apt-get install openssh-client/);
  });
});
