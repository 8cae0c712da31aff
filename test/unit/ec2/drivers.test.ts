import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createServer, type Server } from "node:http";
import { createServer as createTcpServer, type AddressInfo } from "node:net";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { ec2 } from "../../../drivers/ec2";
import { explainEc2 } from "../../../drivers/ec2/client";
import { hostKeyIn } from "../../../drivers/ec2/console";
import { makeSshKey, sshKeyOf, type SshKey } from "../../../drivers/ec2/openSshKey";
import type { HostKeyResult } from "../../../drivers/ec2/spec";
import { DriverError, Interrupted } from "../../../drivers/error";

const io = (signal = new AbortController().signal) => ({ progress: () => undefined, signal, project: "/" });

/** What the command provider hands to an update: the result before. */
async function withResultBefore<T>(before: object | string, run: () => Promise<T>): Promise<T> {
  process.env.PULUMI_COMMAND_STDOUT = typeof before === "string" ? before : JSON.stringify(before);
  try {
    return await run();
  } finally {
    delete process.env.PULUMI_COMMAND_STDOUT;
  }
}

describe("the stack's SSH key", () => {
  it("is one that OpenSSH reads, and its public half is that of the private one", () => {
    const folder = mkdtempSync(join(tmpdir(), "homeport-key-"));
    try {
      const { publicKey, privateKey } = makeSshKey("homeport-prod-key");
      writeFileSync(join(folder, "key"), privateKey, { mode: 0o600 });
      const { stdout, stderr } = spawnSync("ssh-keygen", ["-y", "-f", join(folder, "key")], { encoding: "utf8" });
      assert.equal(stdout.trim(), publicKey, stderr);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("is another one each time", () => {
    assert.notEqual(makeSshKey("a").privateKey, makeSshKey("a").privateKey);
  });

  it("has the form of OpenSSH's own file whatever its comment's length", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.string({ maxLength: 40 }), (seed, comment) => {
        const { privateKey } = sshKeyOf(Buffer.from(seed), Buffer.alloc(32, 7), comment);
        const blob = Buffer.from(privateKey.split("\n").slice(1, -2).join(""), "base64");
        const text = "openssh-key-v1\0";
        assert.equal(blob.subarray(0, text.length).toString(), text);
        // The private part comes last, behind its length, padded to the blocks of 8 bytes that "none" has.
        const publicLength = 4 + 11 + 4 + 32;
        const at = text.length + (4 + 4) + (4 + 4) + 4 + 4 + (4 + publicLength);
        const length = blob.readUInt32BE(at);
        assert.equal(length % 8, 0);
        assert.equal(blob.length, at + 4 + length);
        assert.ok(blob.subarray(at + 4, at + 8).equals(blob.subarray(at + 8, at + 12)));
      }),
      { numRuns: 50 },
    );
  });

  it("is made once: an update gives the same again", async () => {
    const first = (await ec2.key.apply({ comment: "a" }, io())) as SshKey;
    const again = await withResultBefore(first, () => ec2.key.apply({ comment: "b" }, io()));
    assert.deepEqual(again, first);
  });

  it("is made anew where the result before is no key", async () => {
    const made = (await withResultBefore("{}", () => ec2.key.apply({ comment: "a" }, io()))) as SshKey;
    assert.match(made.privateKey, /^-----BEGIN OPENSSH PRIVATE KEY-----\n/);
  });
});

/** As cloud-init prints them on Amazon Linux 2023, a message of the kernel in between. */
const printed = (key: string): string =>
  [
    "[    4.123456] cloud-init[1234]: Cloud-init v. 22.2.2 finished",
    "-----BEGIN SSH HOST KEY FINGERPRINTS-----",
    "256 SHA256:AAAA root@ip-10-0-0-5 (ED25519)",
    "-----END SSH HOST KEY FINGERPRINTS-----",
    "-----BEGIN SSH HOST KEY KEYS-----",
    "ecdsa-sha2-nistp256 AAAAE2VjZHNh root@ip-10-0-0-5",
    "[    4.2] random: crng init done",
    `ssh-ed25519 ${key} root@ip-10-0-0-5`,
    "-----END SSH HOST KEY KEYS-----",
    "ip-10-0-0-5 login: ",
  ].join("\r\n");

describe("a host key on the console", () => {
  it("is the Ed25519 one, wherever it stands among the lines", () => {
    assert.equal(hostKeyIn(printed("AAAAC3Nz+/=")), "ssh-ed25519 AAAAC3Nz+/=");
    assert.equal(
      hostKeyIn(printed("AAAAC3Nz").replaceAll("ssh-ed25519", "ci-info: ssh-ed25519")),
      "ssh-ed25519 AAAAC3Nz",
    );
  });

  it("is that of the last boot which printed it whole", () => {
    const [whole] = printed("AAAAnew").split("-----END SSH HOST KEY KEYS");
    assert.equal(hostKeyIn(printed("AAAAold") + printed("AAAAnew")), "ssh-ed25519 AAAAnew");
    assert.equal(hostKeyIn(printed("AAAAold") + String(whole)), "ssh-ed25519 AAAAold");
  });

  it("is of another type where there is no Ed25519 one", () => {
    assert.equal(hostKeyIn(printed("x")), "ecdsa-sha2-nistp256 AAAAE2VjZHNh");
  });

  it("isn't taken from anywhere else on the console", () => {
    for (const text of ["", "ssh-ed25519 AAAAlogged root@x", "-----BEGIN SSH HOST KEY KEYS-----\nssh-ed25519 AAAA"]) {
      assert.equal(hostKeyIn(text), undefined);
    }
  });
});

describe("reading a host key", () => {
  let server: Server;
  /** Answers to the calls one after the other; the last one again and again. */
  let answers: { readonly status?: number; readonly body: string }[];
  let calls: URLSearchParams[];
  before((done) => {
    server = createServer((request, response) => {
      let body = "";
      request.on("data", (chunk) => (body += String(chunk)));
      request.on("end", () => {
        const call = new URLSearchParams(body);
        // What is looked at before the console: no instance besides the asked one.
        if (/^Describe(Instances|Addresses)$/.test(call.get("Action") ?? "")) {
          response.writeHead(200, { "content-type": "text/xml" }).end("<Response/>");
          return;
        }
        calls.push(call);
        const answer = answers.length > 1 ? answers.shift() : answers[0];
        response.writeHead(answer?.status ?? 200, { "content-type": "text/xml" }).end(answer?.body);
      });
    }).listen(0, "127.0.0.1", done);
  });
  after((done) => {
    server.closeAllConnections();
    server.close(done);
  });
  beforeEach(() => {
    calls = [];
  });

  const output = (text: string) => ({
    body:
      `<GetConsoleOutputResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><instanceId>i-1</instanceId>` +
      `<output>${Buffer.from(text).toString("base64")}</output></GetConsoleOutputResponse>`,
  });
  const refusal = (code: string, status = 400) => ({
    status,
    body: `<Response><Errors><Error><Code>${code}</Code><Message>${code} it is</Message></Error></Errors></Response>`,
  });
  const spec = (more: object = {}) => ({
    connection: {
      region: "eu-central-1",
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      accessKey: "AKIAEXAMPLE",
      secretKey: "marker-secret-key",
    },
    instanceId: "i-1",
    host: "main",
    stack: "prod",
    generation: 1,
    ...more,
  });
  const read = (more: object = {}, signal?: AbortSignal) =>
    ec2.hostKey.apply(spec(more), io(signal)) as Promise<HostKeyResult>;

  it("asks for the live console of the instance", async () => {
    answers = [output(printed("AAAAkey"))];
    assert.deepEqual(await read(), { instanceId: "i-1", hostKey: "ssh-ed25519 AAAAkey" });
    assert.deepEqual(
      calls.map((call) => [call.get("Action"), call.get("InstanceId"), call.get("Latest")]),
      [["GetConsoleOutput", "i-1", "true"]],
    );
  });

  it("makes no call for an instance whose key is known, and one for another", async () => {
    answers = [output(printed("AAAAkey"))];
    const before = { instanceId: "i-1", hostKey: "ssh-ed25519 AAAAbefore" };
    assert.deepEqual(await withResultBefore(before, read), before);
    assert.equal(calls.length, 0);
    const other = await withResultBefore({ ...before, instanceId: "i-0" }, read);
    assert.equal(other.hostKey, "ssh-ed25519 AAAAkey");
  });

  it("waits until the machine has booted", async function () {
    this.timeout(10_000);
    answers = [output(""), output(printed("AAAAkey"))];
    assert.equal((await read()).hostKey, "ssh-ed25519 AAAAkey");
    assert.equal(calls.length, 2);
  });

  it("takes the console as AWS last saved it, where there is no live one", async function () {
    this.timeout(10_000);
    answers = [refusal("UnsupportedOperation"), output(printed("AAAAkey"))];
    assert.equal((await read()).hostKey, "ssh-ed25519 AAAAkey");
    assert.equal(calls[1]?.get("Latest"), null);
  });

  it("goes on after AWS has throttled it or failed", async function () {
    this.timeout(10_000);
    answers = [refusal("RequestLimitExceeded", 503), refusal("InternalError", 500), output(printed("AAAAkey"))];
    assert.equal((await read()).hostKey, "ssh-ed25519 AAAAkey");
  });

  const failing: [string, object, { status?: number; body: string }, RegExp][] = [
    [
      "says what an empty console may mean",
      { deadlineSeconds: -1 },
      output(""),
      /didn't print[^]*console stayed empty[^]*get-console-output/,
    ],
    [
      "says where the key can be told",
      { deadlineSeconds: -1 },
      output("boot"),
      /no SSH HOST KEY KEYS[^]*ec2:instances\.main\.hostKey/,
    ],
    ["says that the instance is gone", {}, refusal("InvalidInstanceID.NotFound"), /isn't there[^]*pulumi refresh/],
    [
      "says that a right is missing",
      {},
      refusal("UnauthorizedOperation", 403),
      /may not do this[^]*UnauthorizedOperation it is/,
    ],
    ["says that AWS doesn't take the credentials", {}, refusal("AuthFailure", 401), /credentials that it takes/],
  ];
  for (const [what, more, answer, pattern] of failing) {
    it(what, async () => {
      answers = [answer];
      await assert.rejects(read(more), (error) => {
        assert.ok(error instanceof DriverError, String(error));
        assert.match(error.message, pattern);
        assert.doesNotMatch(error.message, /marker-secret-key/);
        return true;
      });
    });
  }

  it("says that AWS can't be reached", () => {
    const fault = Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:1"), { code: "ECONNREFUSED" });
    assert.match(String(explainEc2(fault, "main")), /couldn't be reached[^]*aws:endpoints/);
  });

  it("ends when it is told to", async () => {
    answers = [output("")];
    const abort = new AbortController();
    setTimeout(() => {
      abort.abort();
    }, 100);
    await assert.rejects(read({}, abort.signal), Interrupted);
  });

  describe("waits for SSH", () => {
    const listen = async (greeting: string, after = 0): Promise<{ port: number; close: () => void }> => {
      const ssh = createTcpServer((socket) => socket.end(greeting));
      await new Promise<void>((done) => ssh.listen(0, "127.0.0.1", done));
      const { port } = ssh.address() as AddressInfo;
      if (after === 0) return { port, close: () => ssh.close() };
      await new Promise((done) => ssh.close(done));
      const timer = setTimeout(() => ssh.listen(port, "127.0.0.1"), after);
      return {
        port,
        close: () => {
          clearTimeout(timer);
          ssh.close();
        },
      };
    };
    const known = { instanceId: "i-1", hostKey: "ssh-ed25519 AAAAbefore" };
    const waits = async (port: number, answerSeconds: number): Promise<{ told: string[]; result: unknown }> => {
      const told: string[] = [];
      const withTold = { ...io(), progress: (line: string) => void told.push(line) };
      const wish = spec({ address: "127.0.0.1", port, answerSeconds });
      return { result: await withResultBefore(known, () => ec2.hostKey.apply(wish, withTold)), told };
    };

    it("of a machine that was just started", async () => {
      const ssh = await listen("SSH-2.0-OpenSSH_9.2\r\n", 300);
      try {
        assert.deepEqual(await waits(ssh.port, 10), { result: known, told: [] });
      } finally {
        ssh.close();
      }
    });

    it("and goes on where nothing answers here, as ssh may know another way", async () => {
      const other = await listen("HTTP/1.1 400\r\n");
      try {
        const { result, told } = await waits(other.port, 0);
        assert.deepEqual(result, known);
        assert.deepEqual(told, ["main: SSH doesn't answer at 127.0.0.1 from here yet"]);
      } finally {
        other.close();
      }
    });
  });

  it("leaves nothing to delete", async () => {
    assert.equal(await ec2.hostKey.delete(spec(), io()), undefined);
    assert.equal(await ec2.key.delete({}, io()), undefined);
    assert.equal(calls.length, 0);
  });
});
