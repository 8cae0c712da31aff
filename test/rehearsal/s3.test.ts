import type { S3Client } from "@aws-sdk/client-s3";
import * as sdk from "@aws-sdk/client-s3";
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { BucketSpec } from "../../drivers/s3";
import { applyBucket, deleteBucket } from "../../drivers/s3";
import type { S3Connection } from "../../drivers/s3/spec";
import { openStore } from "../../drivers/s3/store";
import type { S3 } from "../../rehearsal/site";
import { planEmulator, startMoto } from "../../rehearsal/s3/moto";
import type { Relay } from "./s3Relay";
import { startRelay } from "./s3Relay";

describe("the S3 driver at moto", function () {
  this.timeout(120_000);
  const folder = mkdtempSync(join(tmpdir(), "homeport-s3-"));
  let store: S3;
  let relay: Relay;
  let client: S3Client;
  const said: string[] = [];
  const io = { progress: (line: string) => void said.push(line) };

  before(async () => {
    const unit = `homeport-test-${randomBytes(4).toString("hex")}`;
    store = await startMoto(await planEmulator(unit, "127.0.0.1", folder), () => undefined);
    const { endpoint, region, accessKeyId, secretAccessKey } = store;
    client = new sdk.S3Client({
      endpoint,
      region,
      forcePathStyle: true,
      credentials: { accessKeyId, secretAccessKey },
    });
  });
  after(async () => {
    client.destroy();
    await store.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    relay = await startRelay(store.endpoint);
    said.length = 0;
  });
  afterEach(() => relay.close());

  function spec(wish: Partial<BucketSpec["bucket"]> = {}, connection: Partial<S3Connection> = {}): BucketSpec {
    const { region, accessKeyId, secretAccessKey } = store;
    const name = `test-${randomBytes(6).toString("hex")}`;
    return {
      connection: { endpoint: relay.url, forcePathStyle: true, region, accessKeyId, secretAccessKey, ...connection },
      bucket: {
        name,
        adopt: false,
        tags: { "homeport:app": "shop" },
        coldAfterDays: 30,
        onDelete: "delete if empty",
        ...wish,
      },
    };
  }
  /** Everything that a bucket was asked to be, as the emulator has it. */
  async function look(wanted: BucketSpec) {
    const plain = await openStore({ ...wanted, connection: { ...wanted.connection, endpoint: store.endpoint } });
    try {
      return await plain.read();
    } finally {
      plain.close();
    }
  }
  const changing = (): string[] => relay.seen.filter((one) => one.changes).map((one) => one.line);
  const buckets = async (): Promise<string[]> =>
    ((await client.send(new sdk.ListBucketsCommand())).Buckets ?? []).map(({ Name = "" }) => Name);

  const program = `const { applyBucket } = require(${JSON.stringify(resolve(__dirname, "../../drivers/s3"))});
    let text = "";
    process.stdin.on("data", (part) => (text += part)).on("end", () => applyBucket(JSON.parse(text), { progress() {} }));`;
  /** Applies a spec in a process of its own. */
  function applyApart(wanted: BucketSpec, env: NodeJS.ProcessEnv = {}) {
    const child = spawn(process.execPath, ["-r", "ts-node/register", "-e", program], {
      stdio: ["pipe", "ignore", "ignore"],
      env: { ...process.env, ...env },
    });
    child.stdin.on("error", () => undefined);
    child.stdin.end(JSON.stringify(wanted));
    return child;
  }

  it("makes a bucket closed, encrypted, versioned and cold after 30 days, and then leaves it alone", async () => {
    const wanted = spec();
    const { changes, arn } = await applyBucket(wanted, io);
    assert.equal(arn, `arn:aws:s3:::${wanted.bucket.name}`);
    assert.equal(changes[0], "created");
    const state = await look(wanted);
    assert.deepEqual(state.tags, { "homeport:app": "shop" });
    assert.deepEqual(state.publicAccess, {
      BlockPublicAcls: true,
      IgnorePublicAcls: true,
      BlockPublicPolicy: true,
      RestrictPublicBuckets: true,
    });
    assert.deepEqual(
      [state.encryption, state.versioning, state.ownership],
      ["AES256", "Enabled", "BucketOwnerEnforced"],
    );
    assert.ok(typeof state.lifecycle === "object");
    const cold = state.lifecycle.find((rule) => rule.ID === "homeport-cold");
    assert.deepEqual(cold?.Transitions, [{ Days: 30, StorageClass: "STANDARD_IA" }]);
    assert.ok(state.lifecycle.every((rule) => rule.Expiration === undefined));

    relay.seen = [];
    assert.deepEqual((await applyBucket(wanted, io)).changes, []);
    assert.deepEqual(changing(), []);
    assert.ok(!JSON.stringify(said).includes(store.secretAccessKey));
  });

  it("converges after a busy answer or a lost one at any call", async function () {
    this.timeout(300_000);
    const wanted = spec();
    await applyBucket(wanted, io);
    const calls = relay.seen.length;
    assert.ok(calls > 12);
    for (const fate of ["slow down", "lose answer"] as const) {
      for (let at = 0; at < calls; at++) {
        const again = spec();
        relay.seen = [];
        relay.fate = (index) => (index === at ? fate : "pass");
        await applyBucket(again, io);
        relay.fate = () => "pass";
        relay.seen = [];
        assert.deepEqual((await applyBucket(again, io)).changes, [], `${fate} at call ${at}`);
        assert.deepEqual(await look(again), await look(wanted));
      }
    }
  });

  it("converges after a kill -9 at any call", async function () {
    this.timeout(300_000);
    const wanted = spec();
    await applyBucket(wanted, io);
    const calls = relay.seen.length;
    const before = (await buckets()).length;
    for (let at = 0; at < calls; at++) {
      const again = spec();
      const child = applyApart(again);
      relay.seen = [];
      relay.passed = (index) => {
        if (index === at) child.kill("SIGKILL");
      };
      const signal = await new Promise((done) =>
        child.once("close", (_code, by) => {
          done(by);
        }),
      );
      assert.equal(signal, "SIGKILL", `the run ended before call ${at}`);
      relay.passed = () => undefined;
      await applyBucket(again, io);
      assert.deepEqual((await applyBucket(again, io)).changes, [], `killed at call ${at}`);
      assert.deepEqual(await look(again), await look(wanted));
    }
    assert.equal((await buckets()).length, before + calls);
  });

  it("asks for TLS by policy where the store speaks it", async () => {
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
    const made = ["-newkey", "rsa:2048", "-nodes", "-days", "1", "-keyout", key, "-out", cert];
    execFileSync("openssl", ["req", "-x509", ...made, ...subject], { stdio: "ignore" });
    const secure = await startRelay(store.endpoint, {
      key: readFileSync(key, "utf8"),
      cert: readFileSync(cert, "utf8"),
    });
    try {
      const wanted = spec({}, { endpoint: secure.url });
      const child = applyApart(wanted, { NODE_EXTRA_CA_CERTS: cert });
      assert.equal(await new Promise((done) => child.once("close", done)), 0);
      const { policy } = await look(wanted);
      assert.ok(typeof policy === "object");
      const [statement] = policy.Statement;
      assert.deepEqual([statement?.["Sid"], statement?.["Effect"]], ["HomeportTlsOnly", "Deny"]);
      await assert.rejects(applyBucket(wanted, io), /doesn't answer \(.*SELF_SIGNED/);
    } finally {
      await secure.close();
    }
  });

  it("takes a bucket of the user's as it is and keeps what is in it", async () => {
    const wanted = spec({ adopt: true });
    const Bucket = wanted.bucket.name;
    await assert.rejects(applyBucket(wanted, io), /There is no bucket .*\n.*\n.*existing one/);
    await client.send(new sdk.CreateBucketCommand({ Bucket }));
    await client.send(new sdk.PutObjectCommand({ Bucket, Key: "old.csv", Body: "x" }));
    await client.send(
      new sdk.PutBucketTaggingCommand({ Bucket, Tagging: { TagSet: [{ Key: "team", Value: "data" }] } }),
    );
    const Statement = [
      { Sid: "Theirs", Effect: "Deny", Principal: "*", Action: "s3:DeleteBucket", Resource: `arn:aws:s3:::${Bucket}` },
    ];
    await client.send(
      new sdk.PutBucketPolicyCommand({ Bucket, Policy: JSON.stringify({ Version: "2012-10-17", Statement }) }),
    );
    const Rules = [{ ID: "logs", Status: "Enabled" as const, Filter: { Prefix: "logs/" }, Expiration: { Days: 7 } }];
    await client.send(new sdk.PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules } }));

    await applyBucket(wanted, io);
    const state = await look(wanted);
    assert.deepEqual(state.tags, { team: "data", "homeport:app": "shop" });
    assert.ok(typeof state.policy === "object" && state.policy.Statement[0]?.["Sid"] === "Theirs");
    assert.ok(typeof state.lifecycle === "object");
    assert.deepEqual(state.lifecycle.map((rule) => rule.ID).sort(), [
      "homeport-cold",
      "homeport-incomplete-uploads",
      "logs",
    ]);
    assert.deepEqual((await applyBucket(wanted, io)).changes, []);
    assert.deepEqual(await deleteBucket(wanted, io), { deleted: false });
    assert.ok((await buckets()).includes(Bucket));
  });

  it("leaves another app's bucket and a stranger's full one alone", async () => {
    const theirs = spec({ tags: { "homeport:app": "other" } });
    await applyBucket(theirs, io);
    relay.seen = [];
    const mine = spec({ name: theirs.bucket.name });
    await assert.rejects(applyBucket(mine, io), /isn't this app's.*\n.*\n.*homeport:app is "other", not "shop"/);
    const full = spec();
    await client.send(new sdk.CreateBucketCommand({ Bucket: full.bucket.name }));
    await client.send(new sdk.PutObjectCommand({ Bucket: full.bucket.name, Key: "x", Body: "x" }));
    await assert.rejects(applyBucket(full, io), /holds objects and carries no tag.*\n.*<app>:buckets/);
    assert.deepEqual(changing(), []);
  });

  it("deletes an empty bucket of its own, twice if need be, and none that holds something", async () => {
    const wanted = spec();
    const Bucket = wanted.bucket.name;
    await applyBucket(wanted, io);
    await client.send(new sdk.PutObjectCommand({ Bucket, Key: "x", Body: "x" }));
    await client.send(new sdk.DeleteObjectCommand({ Bucket, Key: "x" }));
    assert.deepEqual(await deleteBucket(wanted, io), { deleted: false });
    assert.match(said.at(-1) ?? "", /kept, as it holds objects/);
    const empty = spec();
    await applyBucket(empty, io);
    assert.deepEqual(await deleteBucket(empty, io), { deleted: true });
    assert.deepEqual(await deleteBucket(empty, io), { deleted: true });
    assert.ok(!(await buckets()).includes(empty.bucket.name));
    const kept = spec({ onDelete: "keep" });
    await applyBucket(kept, io);
    assert.deepEqual(await deleteBucket(kept, io), { deleted: false });
    assert.ok((await buckets()).includes(kept.bucket.name));
  });

  it("refuses a store that can't close a bucket, before anything is in it, and does without a cold class", async () => {
    relay.fate = (_index, line) => (/publicAccessBlock|lifecycle/.test(line) ? "not implemented" : "pass");
    await assert.rejects(
      applyBucket(spec(), io),
      /can't keep the bucket .* safe.*\n.*\n.*doesn't know: public access block/,
    );
    const { warnings, changes } = await applyBucket(spec({}, { lacks: ["public access block"] }), io);
    assert.match(warnings.join("\n"), /no lifecycle: done without/);
    assert.ok(changes.includes("versioning turned on"));
  });

  it("says within bounded time what is wrong with a store that doesn't answer or stays busy", async () => {
    relay.fate = () => "slow down";
    await assert.rejects(applyBucket(spec(), io), /could not be looked at.*\n.*\n.*can't at the moment.*503/);
    await assert.rejects(
      applyBucket(spec({}, { endpoint: "http://127.0.0.1:9" }), io),
      /doesn't answer \(ECONNREFUSED\).*\n.*pulumi config get s3:endpoint/,
    );
  });
});
