import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { must } from "../../rehearsal/host/run";
import type { RehearsedValue } from "../../rehearsal/stack";
import { requestsTo } from "./support/buckets";
import { mainPids } from "./support/hostFacts";
import { factsOf, statusOf } from "./support/http";
import { call, World } from "./support/world";

/** An ed25519 key in the form of `ssh-keyscan`. RFC 8709, section 4: the type, then the 32 bytes. */
function otherHostKey(): string {
  const { publicKey } = generateKeyPairSync("ed25519");
  const raw = Buffer.from(publicKey.export({ format: "jwk" }).x ?? "", "base64url");
  const field = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes]);
  return `ssh-ed25519 ${Buffer.concat([field(Buffer.from("ssh-ed25519")), field(raw)]).toString("base64")}`;
}

/** A private key that opens no host. */
async function otherPrivateKey(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "homeport-key-"));
  try {
    await must(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", join(folder, "key")]);
    return readFileSync(join(folder, "key"), "utf8");
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("An `up` that can't be done (catscan on one host with a disk of 3 GiB)", function () {
  this.timeout(600_000);
  let world: World;
  const hosts = (change: Record<string, unknown> = {}) => ({
    "vps:hosts": {
      json: { rehearsal: { address: world.host.address, user: "root", hostKey: world.host.hostKey, ...change } },
    },
  });
  type Values = Readonly<Record<string, RehearsedValue>>;
  /** Does something with other values in the stack, and puts back what was there. */
  const withValues = async <T>(values: Values, back: Values, work: () => Promise<T>): Promise<T> => {
    await world.stack.configure(values);
    try {
      return await work();
    } finally {
      await world.stack.configure(back);
    }
  };
  const logins = async (): Promise<number> => [...(await world.host.sshLog()).matchAll(/Accepted publickey/g)].length;

  before(async () => {
    world = await World.open({ apps: ["catscan"], host: { diskSize: 3 * 2 ** 30 } });
    await world.mustUp();
  });
  after(() => (world as World | undefined)?.close());

  it("two apps asking for one port: refused at preview, with both named and the command that mends it", async () => {
    const before = { logins: await logins(), requests: requestsTo(world.site).length };
    const values = {
      "homeport:apps": { json: ["catscan", "clausea"] },
      "clausea:ports": undefined,
      "clausea:source": "rehearsal/standins/clausea",
    };
    await withValues(values, { "homeport:apps": { json: ["catscan"] } }, async () => {
      for (const run of [() => world.stack.preview(), () => world.stack.up()]) {
        const { code, output } = await call(run);
        assert.notEqual(code, 0);
        assert.match(output, /catscan\.api and clausea\.api both ask for port 8000 on host "rehearsal"/);
        assert.match(output, /pulumi config set --path clausea:ports\.api 8001/);
        assert.doesNotMatch(output, /\bat .*:\d+:\d+|Unhandled/);
      }
    });
    assert.deepEqual({ logins: await logins(), requests: requestsTo(world.site).length }, before);
  });

  it("values that are missing: refused at preview, all of them at once", async () => {
    const back = {
      "catscan:GMAIL_CREDENTIALS": world.values["catscan:GMAIL_CREDENTIALS"],
      "s3:accessKeyId": world.s3.accessKeyId,
    };
    const none = { "catscan:GMAIL_CREDENTIALS": undefined, "s3:accessKeyId": undefined };
    const { code, output } = await withValues(none, back, () => call(() => world.stack.preview()));
    assert.notEqual(code, 0);
    assert.match(output, /pulumi config set --secret catscan:GMAIL_CREDENTIALS/);
    assert.match(output, /pulumi config set s3:accessKeyId/);
  });

  it("apps that the stack leaves out: told at preview, with what becomes of their data", async () => {
    const { code, output } = await call(() => world.stack.preview());
    assert.equal(code, 0, output);
    assert.match(output, /homeport:apps leaves out shopifly, hotrod, tileshop and clausea: .* their data is kept/);
  });

  it("another host key: refused before anything is sent", async () => {
    world.setVersion("catscan", "2.0.0");
    const before = await logins();
    const { code, output, seconds } = await withValues(hosts({ hostKey: otherHostKey() }), hosts(), () => world.up());
    assert.notEqual(code, 0);
    assert.match(output, /The host isn't the one that is configured: it showed another key/);
    assert.match(output, /why: expected SHA256:\S+, seen SHA256:\S+; nothing was sent to it/);
    assert.match(output, /fix: .*ssh-keyscan/);
    assert.ok(seconds < 30, `${seconds} s`);
    assert.equal(await logins(), before);
  });

  it("host unreachable: told within a minute", async () => {
    await world.host.unreachable(true);
    const { code, output, seconds } = await world.up().finally(() => world.host.unreachable(false));
    assert.notEqual(code, 0);
    assert.ok(seconds < 60, `${seconds} s`);
    assert.match(output, new RegExp(`(where|what|why):? .*${world.host.address}|${world.host.address}.*not`));
    assert.match(output, /fix: /);
  });

  it("disk full: told, and the version before serves on", async () => {
    await world.host.fillDisk(true);
    try {
      const pids = await mainPids(world.host, "catscan-prod");
      const { code, output } = await world.up();
      assert.notEqual(code, 0);
      assert.match(
        output,
        /The host's disk is full\.\n.*where: catscan-prod on one\n.*why: .*0 MiB free.*\n.*fix: free space/,
      );
      // Its health check writes to SQLite, which has no room either.
      assert.equal((await factsOf(world.url(8000))).version, "1.0.0");
      assert.deepEqual(await mainPids(world.host, "catscan-prod"), pids);
    } finally {
      await world.host.fillDisk(false);
    }
  });

  it("and works as soon as the disk has room", async () => {
    await world.mustUp();
    assert.equal((await factsOf(world.url(8000))).version, "2.0.0");
    assert.equal(await statusOf(world.url(8000, "/health")), 200);
  });

  it("no key that opens the host: told at once, with what to do", async () => {
    world.setVersion("catscan", "3.0.0");
    const other = { "vps:privateKey": { secret: await otherPrivateKey() } };
    const back = { "vps:privateKey": world.values["vps:privateKey"] };
    const { code, output, seconds } = await withValues(other, back, () => world.up());
    assert.notEqual(code, 0);
    assert.ok(seconds < 30, `${seconds} s`);
    assert.match(output, /fix: .*(authorized_keys|vps:privateKey)/);
  });
});
