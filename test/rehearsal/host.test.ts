import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { importImage } from "../../rehearsal/host/image";
import { macOf } from "../../rehearsal/host/network";
import type { RunResult } from "../../rehearsal/host/run";
import { must, poll, run, sleep } from "../../rehearsal/host/run";
import type { Host, Site } from "../../rehearsal/site";
import { openSite, reopenSite, sweep } from "../../rehearsal/site";
import { readState, writeState } from "../../rehearsal/site-state";
import { traces } from "./support/traces";

const log = (): void => undefined;

describe("a rehearsal's hosts", function () {
  this.timeout(300_000);
  let folder: string;
  let keys: string;
  let site: Site;
  let host: Host;

  /** Logs in as ssh(1) does, with this host's key as the only one known. */
  async function ssh(
    command: string,
    options: { user?: string; hostKey?: string; timeout?: number } = {},
  ): Promise<RunResult> {
    const files = mkdtempSync(join(keys, "ssh-"));
    writeFileSync(join(files, "key"), host.privateKey, { mode: 0o600 });
    writeFileSync(join(files, "known"), `${host.address} ${options.hostKey ?? host.hostKey}\n`);
    const settings = ["BatchMode=yes", "StrictHostKeyChecking=yes", `UserKnownHostsFile=${join(files, "known")}`];
    const all = [...settings, `ConnectTimeout=${options.timeout ?? 10}`].flatMap((setting) => ["-o", setting]);
    const address = `${options.user ?? host.user}@${host.address}`;
    return run(["ssh", "-F", "none", "-i", join(files, "key"), ...all, address, command]);
  }

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "homeport site, "));
    keys = mkdtempSync(join(tmpdir(), "homeport-keys-"));
    site = await openSite({ log, folder });
    host = await site.host("vps", { diskSize: 256 * 2 ** 20 });
  });

  after(async () => {
    const { id } = site;
    await site.close();
    rmSync(keys, { recursive: true });
    assert.deepEqual(await traces(folder, id), []);
    rmSync(folder, { recursive: true });
  });

  it("run systemd without a failed unit", async () => {
    const { stdout } = await host.exec("systemctl is-system-running --wait; systemctl --failed --no-legend; hostname");
    assert.equal(stdout, "running\nvps\n");
  });

  it("let root and deploy in by key, and deploy become root", async () => {
    assert.equal((await ssh("id -un")).stdout, "root\n");
    assert.equal((await ssh("id -un; sudo id -un", { user: "deploy" })).stdout, "deploy\nroot\n");
    assert.match(await host.sshLog(), /Accepted publickey for deploy/);
  });

  it("show their own host key, so that another is refused", async () => {
    const other = (await site.host("other")).hostKey;
    const refused = await ssh("true", { hostKey: other });
    assert.equal(refused.code, 255);
    assert.match(refused.stderr, /Host key verification failed/);
    await (await site.host("other")).stop();
    assert.deepEqual(site.hostNames(), ["vps"]);
  });

  it("reach package registries by name, and trust what this machine trusts", async () => {
    const { code, stderr } = await host.exec(
      "cd $(mktemp -d) && python3 -m venv v && v/bin/pip download -q --no-deps --no-binary :none: six==1.16.0",
    );
    assert.equal(code, 0, stderr);
  });

  it("keep their way out when another host of the site goes", async () => {
    const { bridge } = readState(folder, site.id)!.network!;
    const way = (): string => readFileSync(`/sys/class/net/${bridge}/address`, "utf8").trim();
    const before = way();
    assert.equal(before, macOf(site.gateway), "a hardware address that no port lends it");
    const second = await site.host("second");
    assert.equal(way(), before);
    await second.stop();
    assert.equal(way(), before);
    assert.match(
      (await host.exec(`getent ahosts pypi.org && ip neigh show ${site.gateway}`)).stdout,
      new RegExp(before),
    );
  });

  it("run hardened units, timers and the distribution's databases", async () => {
    const unit = "-p DynamicUser=yes -p ProtectSystem=strict -p PrivateTmp=yes -p SystemCallFilter=@system-service";
    const hardened = await host.exec(
      `systemd-run --wait --pipe --quiet ${unit} sh -c 'touch /etc/written || echo read-only'`,
    );
    assert.equal(hardened.stdout, "read-only\n");
    await host.exec("systemd-run --on-active=1 --timer-property=AccuracySec=10ms touch /run/ticked");
    await poll(async () => ((await host.exec("test -e /run/ticked")).code === 0 ? true : undefined), {
      timeoutMs: 15_000,
      failure: () => "the timer didn't fire",
    });
    const services =
      "systemctl start postgresql redis-server haproxy && systemctl is-active postgresql@17-main redis-server haproxy";
    assert.equal((await host.exec(services)).stdout, "active\n".repeat(3));
    const vector = await host.exec(
      `su postgres -c "psql -qtAc 'create extension vector' -c \\"select '[1,2]'::vector\\""`,
    );
    assert.equal(vector.stdout, "[1,2]\n", vector.stderr);
    await host.exec("systemctl stop postgresql redis-server haproxy");
  });

  it("load firewall rules of their own", async () => {
    const rules = "table inet own {\n chain in {\n type filter hook input priority 0; policy accept;\n }\n}\n";
    assert.equal(
      (await host.exec("nft -f - && nft list tables && nft flush ruleset", { input: rules })).stdout,
      "table inet own\n",
    );
  });

  it("run an image's stand-in under podman, limits and all", async () => {
    await importImage(host, "unclecode/crawl4ai:0.7.4");
    const image = "docker.io/unclecode/crawl4ai:0.7.4";
    const started = await host.exec(`podman run -d --name crawler --pull=never --memory 300m -p 11235:11235 ${image}`);
    assert.equal(started.code, 0, started.stderr);
    const base = `http://${host.address}:11235`;
    const health = async (): Promise<number | undefined> =>
      (await fetch(`${base}/health`).catch(() => undefined))?.status;
    assert.equal(await poll(health, { timeoutMs: 15_000, failure: () => "the container doesn't answer" }), 200);
    const body = JSON.stringify({ urls: ["https://tiles.example.com/1"] });
    const crawled = (await (await fetch(`${base}/crawl`, { method: "POST", body })).json()) as {
      results: { html: string }[];
    };
    assert.match(crawled.results[0]!.html, /<h1>Tile \d+<\/h1>/);
    assert.equal((await host.exec("podman rm -f crawler")).code, 0);
    await assert.rejects(importImage(host, "example.com/unknown"), /no stand-in for the image example.com\/unknown/);
  });

  it("keep their disk over a reboot and a power cut, and nothing else", async () => {
    await host.exec("echo kept >/var/lib/kept; echo lost >/run/lost");
    await host.reboot();
    assert.equal((await ssh("cat /var/lib/kept; cat /run/lost 2>/dev/null")).stdout, "kept\n");
    await host.kill();
    assert.equal((await ssh("true", { timeout: 2 })).code, 255);
    await assert.rejects(host.exec("true"), /isn't running/);
    await host.start();
    assert.equal((await ssh("cat /var/lib/kept; journalctl --list-boots --quiet | wc -l")).stdout, "kept\n3\n");
  });

  it("reboot from the inside as well", async () => {
    const boot = "cat /proc/sys/kernel/random/boot_id";
    const before = (await host.exec(boot)).stdout;
    await ssh("systemctl reboot");
    const after = await poll(
      async () => {
        const { code, stdout } = await ssh(boot, { timeout: 1 });
        return code === 0 && stdout !== before ? stdout : undefined;
      },
      { timeoutMs: 60_000, failure: () => "the host doesn't come back" },
    );
    assert.notEqual(after, before);
  });

  it("can be cut off, and answer again afterwards", async () => {
    await host.unreachable(true);
    const lost = await ssh("true", { timeout: 2 });
    assert.match(lost.stderr, /timed out/);
    assert.equal((await host.exec("echo alive")).stdout, "alive\n");
    await host.unreachable(false);
    assert.equal((await ssh("echo back")).stdout, "back\n");
  });

  it("can have a full disk", async () => {
    await host.fillDisk(true);
    assert.match((await ssh("echo x >/var/lib/full")).stderr, /No space left/);
    await host.fillDisk(false);
    assert.equal((await ssh("echo x >/var/lib/full")).code, 0);
  });

  it("share an S3 emulator with this machine", async () => {
    const s3 = await site.s3();
    const credentials = { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey };
    const client = new S3Client({ endpoint: s3.endpoint, region: s3.region, credentials, forcePathStyle: true });
    await client.send(new CreateBucketCommand({ Bucket: "shared" }));
    await client.send(new PutObjectCommand({ Bucket: "shared", Key: "a", Body: "from here" }));
    const env = `AWS_ACCESS_KEY_ID=${s3.accessKeyId} AWS_SECRET_ACCESS_KEY=${s3.secretAccessKey} AWS_DEFAULT_REGION=${s3.region}`;
    const copy = `${env} aws --endpoint-url ${s3.endpoint} s3 cp - s3://shared/b <<<"$(${env} aws --endpoint-url ${s3.endpoint} s3 cp s3://shared/a -), and there"`;
    const copied = await host.exec(copy);
    assert.equal(copied.code, 0, copied.stderr);
    const { Body } = await client.send(new GetObjectCommand({ Bucket: "shared", Key: "b" }));
    assert.equal(await Body!.transformToString(), "from here, and there\n");
    client.destroy();
  });

  it("of two sites don't meet", async () => {
    const second = await openSite({ log, folder });
    try {
      const twin = await second.host("vps");
      assert.notEqual(twin.address, host.address);
      assert.notEqual(twin.hostKey, host.hostKey);
      await twin.exec("touch /var/lib/twin; systemctl stop ssh");
      assert.equal((await ssh("test -e /var/lib/twin || echo apart")).stdout, "apart\n");
    } finally {
      await second.close();
    }
    assert.deepEqual(await traces(folder, second.id), []);
    assert.equal((await ssh("echo still here")).stdout, "still here\n");
  });
});

describe("a rehearsal that is killed", function () {
  this.timeout(300_000);
  let folder: string;
  let owner: ChildProcess | undefined;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "homeport-killed-"));
  });

  afterEach(async () => {
    owner?.kill("SIGKILL");
    await sweep({ folder, all: true });
    rmSync(folder, { recursive: true, force: true });
  });

  /** Starts a run that opens a site, and waits until it has said so much. */
  async function leave(until: "opened" | "ready", extraMs: number): Promise<ChildProcess> {
    const program = join(__dirname, "host-owner.ts");
    const args = ["--require", require.resolve("ts-node/register"), program, folder];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    owner = child;
    let said = "";
    child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
    const heard = (): true | undefined => said.split("\n").includes(until) || undefined;
    await poll(heard, { timeoutMs: 120_000, failure: () => `the run said only: ${said}` });
    await sleep(extraMs);
    return child;
  }

  /** Ends the run's watcher, the shell that waits for the run's end, as a machine short of memory might. */
  async function killWatcher(child: ChildProcess): Promise<void> {
    const [watcher] = (await must(["pgrep", "--parent", String(child.pid), "--full", "site-watch.ts"]))
      .trim()
      .split("\n");
    process.kill(Number(watcher), "SIGKILL");
  }

  const gone = async (): Promise<true | undefined> => ((await traces(folder, "left")).length === 0 ? true : undefined);

  it("is cleaned up after at once", async () => {
    const child = await leave("ready", 0);
    assert.notDeepEqual(await traces(folder, "left"), []);
    assert.deepEqual(await sweep({ folder }), { removed: [], busy: [{ id: "left", pid: child.pid }] });
    child.kill("SIGKILL");
    await poll(gone, {
      timeoutMs: 60_000,
      everyMs: 200,
      failure: async () => (await traces(folder, "left")).join("\n"),
    });
    await poll(() => (existsSync(join(folder, "left")) ? undefined : true), {
      timeoutMs: 5_000,
      failure: () => "its files are still there",
    });
  });

  for (const [until, extraMs] of [
    ["opened", 0],
    ["opened", 60],
    ["opened", 200],
    ["opened", 500],
    ["ready", 0],
  ] as const) {
    it(`${extraMs} ms after it was ${until}, and its watcher too, leaves nothing after the next sweep`, async () => {
      const child = await leave(until, extraMs);
      await killWatcher(child);
      child.kill("SIGKILL");
      await poll(() => (child.signalCode === null ? undefined : true), { timeoutMs: 5_000, failure: () => "it lives" });
      assert.deepEqual((await sweep({ folder })).removed, ["left"]);
      assert.deepEqual(await traces(folder, "left"), []);
      assert.deepEqual(await sweep({ folder }), { removed: [], busy: [] });
    });
  }

  it("isn't taken for another process that got its number", async () => {
    const child = await leave("opened", 0);
    await killWatcher(child);
    child.kill("SIGKILL");
    await poll(() => (child.signalCode === null ? undefined : true), { timeoutMs: 5_000, failure: () => "it lives" });
    const state = readState(folder, "left")!;
    writeState(folder, { ...state, owner: { ...state.owner, pid: process.pid } });
    assert.deepEqual((await sweep({ folder })).removed, ["left"]);
  });

  it("keeps what was to be kept, for the next run to take over and take down", async () => {
    const first = await openSite({ log, folder, id: "kept", keep: true });
    const { hostKey } = await first.host("vps");
    const { endpoint } = await first.s3();
    await assert.rejects(reopenSite("kept", { log, folder }), /is using the rehearsal site "kept"/);
    const state = readState(folder, "kept")!;
    const dead = { ...state, owner: { ...state.owner, started: "0" } };
    writeState(folder, dead);
    assert.deepEqual(await sweep({ folder }), { removed: [], busy: [] });
    const again = (await reopenSite("kept", { log, folder }))!;
    assert.equal((await again.host("vps")).hostKey, hostKey);
    assert.equal((await again.s3()).endpoint, endpoint);
    // As after a restart of this machine: the host is off and the network is gone.
    await (await again.host("vps")).kill();
    await must(["ip", "link", "del", state.network!.bridge]);
    writeState(folder, dead);
    const third = (await reopenSite("kept", { log, folder }))!;
    assert.equal((await (await third.host("vps")).exec("hostname")).stdout, "vps\n");
    assert.equal(await reopenSite("never", { log, folder }), undefined);
    writeState(folder, dead);
    assert.deepEqual((await sweep({ folder, all: true })).removed, ["kept"]);
    assert.deepEqual(await traces(folder, "kept"), []);
  });
});
