import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { parseFailure, parseResult } from "../../../../targets/systemd/frames";
import { BashHost } from "./bashHost";

describe("the host's basics", () => {
  let host: BashHost;
  beforeEach(() => {
    host = new BashHost();
  });
  afterEach(() => {
    host.remove();
  });

  it("write any text as JSON", async () => {
    const texts = fc.sample(
      fc.string({ unit: "binary" }).filter((text) => !text.includes("\0")),
      20,
    );
    const sources = texts.map((text) => `json_string ${shell(text)}; printf '%s\\n' "$REPLY" >&4`);
    const { out } = await host.run(sources.join("\n"));
    const lines = out.trim().split("\n");
    assert.equal(lines.length, texts.length);
    for (const [index, line] of lines.entries()) {
      // eslint-disable-next-line no-control-regex -- what bash blanks
      const expected = (texts[index] ?? "").replace(/[\x01-\x08\x0b-\x1f\x7f]/g, " ");
      assert.equal(JSON.parse(line), expected);
    }
  });

  it("tell a failure that the driver can read, and an unforeseen one too", async () => {
    const told = await host.run(`fail 'It "broke".' $'two\\nlines' 'mend it'`);
    assert.equal(told.code, 1);
    const { parts } = parseFailure(told.out.replace("@homeport ", ""));
    assert.deepEqual([parts.what, parts.why, parts.fix], ['It "broke".', "two\nlines", "mend it"]);
    const unforeseen = await host.run("helper() { ls /nowhere; }; helper; echo never >&4");
    assert.match(
      parseFailure(unforeseen.out.replace("@homeport ", "")).parts.why,
      /`ls \/nowhere` ended with status 2/,
    );
    assert.doesNotMatch(unforeseen.out, /never/);
  });

  it("tell a result that the driver can read", async () => {
    const { out } = await host.run(`
SERVICES=(api) SLOT=([api]=b) RELEASE=([api]=0123)
changed 'api: release "0123"'; result`);
    const result = parseResult(out.replace("@homeport ", ""));
    assert.deepEqual(result, { services: { api: { release: "0123", slot: "b" } }, changes: ['api: release "0123"'] });
  });

  it("remember the state in the form that the tools read", async () => {
    const text = `SERVICES=(api web)
SLOT=([old]=a [web]=b [api]=a) RELEASE=([old]=r0 [web]=img:1 [api]=r1) HASH=([old]=h0 [web]=h2 [api]=h1) SINCE=([old]=1 [web]=3 [api]=2)
put_state "$CONF/state"; read_state "$CONF/state"; printf '%s ' "\${SLOT[api]}" "\${RELEASE[web]}" "\${HASH[old]}" "\${SINCE[web]}" >&4`;
    assert.equal((await host.run(text)).out, "a img:1 h0 3 ");
    assert.equal(
      readFileSync(join(host.root, "etc/homeport/shop-test/state"), "utf8"),
      "api a r1 h1 2\nweb b img:1 h2 3\nold a r0 h0 1\n",
    );
  });

  it("remember what was done once, over deploys that are cut off", async () => {
    await host.run(`mark step:api one; mark step:api two; mark other x; kill -9 $$`);
    assert.equal(
      (await host.run(`load_marks; printf '%s %s' "\${MARK[step:api]}" "\${MARK[other]}" >&4`)).out,
      "two x",
    );
  });

  it("know where a volume is on the host, and what lies below it", async () => {
    const text = `SERVICE=([api:volumes]=$'/data/chroma\\n/data')
volume_folder /data/chroma; printf '%s ' "\${REPLY#$ROOT}" >&4
for path in /data/x/y /data/chroma/z /data/chromatic /elsewhere; do host_path $path api; printf '%s ' "\${REPLY#$ROOT}" >&4; done`;
    const data = "/var/lib/shop-test/data";
    assert.equal((await host.run(text)).out, `${data}-chroma ${data}/x/y ${data}-chroma/z ${data}/chromatic  `);
  });

  it("fill in tokens, but not in secrets", async () => {
    host.write("usr/bin/docker", "");
    const { chmodSync } = await import("node:fs");
    chmodSync(join(host.root, "usr/bin/docker"), 0o755);
    host.write("stage/files/etc/a", "@@port:api@@ @@port:api/a/1@@ @@container@@\n");
    host.write("stage/firewall.nft", "tcp dport @@ssh-port@@\n");
    host.write("stage/secrets/db.password", "@@port:api@@");
    const { code } = await host.run(`PORT=([api]=20001 [api/a/1]=20002) SSH_PORT=2222; tokens`);
    assert.equal(code, 0);
    const read = (path: string): string => readFileSync(join(host.stage, path), "utf8");
    assert.equal(read("files/etc/a"), "20001 20002 /usr/bin/docker\n");
    assert.equal(read("firewall.nft"), "tcp dport 2222\n");
    assert.equal(read("secrets/db.password"), "@@port:api@@");
  });

  it("wait for another deploy of the app, and say who it is when the time is over", async () => {
    const first = host.run("take_lock; sleep 1.6", { SSH_CONNECTION: "192.0.2.9 1 192.0.2.1 22" });
    await new Promise((done) => setTimeout(done, 300));
    const second = await host.run("take_lock; echo got >&4", { HOMEPORT_LOCK_WAIT: "1" });
    assert.equal(second.code, 1);
    assert.match(second.out, /held the lock for more than 1 s: process \d+, from 192\.0\.2\.9/);
    const third = await host.run("take_lock; echo got >&4", { HOMEPORT_LOCK_WAIT: "20" });
    assert.equal(third.out, "got\n");
    assert.match(third.progress, /waits for another deploy/);
    await first;
  });

  it("don't hand the lock to what an app's own commands leave running", async () => {
    const stub = 'setpriv() { while [[ $1 == --* ]]; do shift; done; "$@"; }\n';
    const leaves = "sleep 3 >/dev/null 2>&1 &";
    const first = await host.run(`${stub}take_lock; as_app sh -c '${leaves}'; ls /proc/$$/fd | wc -l >&4`);
    assert.equal(first.code, 0, first.progress);
    const second = await host.run("take_lock; echo got >&4", { HOMEPORT_LOCK_WAIT: "1" });
    assert.equal(second.out, "got\n");
    assert.doesNotMatch(second.progress, /waits/);
  });

  it("wipe what killed deploys have left in memory, and nothing of those that run", async () => {
    host.write("run/homeport/stage.999999999.x/secret", "s");
    host.write(`run/homeport/stage.${process.pid}.x/secret`, "s");
    const { out } = await host.run("tidy_stages; ls $ROOT/run/homeport >&4");
    assert.equal(out, `stage.${process.pid}.x\n`);
  });
});

const shell = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
