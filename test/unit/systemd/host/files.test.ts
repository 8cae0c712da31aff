import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { BashHost } from "./bashHost";

const me = userInfo().username;
const group = "$(id -gn)";

describe("the host's files", () => {
  let host: BashHost;
  const at = (path: string): string => join(host.root, path);
  beforeEach(() => {
    host = new BashHost();
    host.write("stage/files/etc/systemd/system/shop-test-a.service", "unit\n");
    host.write("stage/files/etc/homeport/shop-test/deep/conf", "secret\n");
    host.write("stage/files/etc/late", "late\n");
  });
  afterEach(() => {
    host.remove();
  });
  const manifest = `printf '%s\\n' "early 0644 ${me} ${group} /etc/systemd/system/shop-test-a.service" "early 0600 ${me} ${group} /etc/homeport/shop-test/deep/conf" "late 0644 ${me} ${group} /etc/late" >MANIFEST\n`;
  const reload = 'systemctl() { echo "systemctl $*" >&4; }\n';

  it("are put in place at their time, with their modes, in private folders", async () => {
    const { code, progress } = await host.run(`${manifest}survey; install_when early`);
    assert.equal(code, 0, progress);
    assert.equal(statSync(at("etc/homeport/shop-test/deep/conf")).mode & 0o777, 0o600);
    assert.equal(statSync(at("etc/homeport/shop-test/deep")).mode & 0o777, 0o700);
    assert.equal(existsSync(at("etc/late")), false);
  });

  it("are written only where content, mode or owner differ, and units are read again once", async () => {
    const apply = `${reload}${manifest}load_written; survey; install_when early; reload_units; install_when late; reload_units; echo "\${WRITTEN[*]}" >&4; forget_written`;
    assert.match(
      (await host.run(apply)).out,
      /^systemctl daemon-reload\n\/etc\/systemd\S+ \/etc\/homeport\S+ \/etc\/late\n$/,
    );
    const before = statSync(at("etc/late")).mtimeMs;
    assert.equal((await host.run(apply)).out, "\n");
    assert.equal(statSync(at("etc/late")).mtimeMs, before);
    await host.run(`chmod 666 $ROOT/etc/late`);
    assert.equal((await host.run(apply)).out, "\n", "a mode is no new content");
    assert.equal(statSync(at("etc/late")).mode & 0o777, 0o644);
  });

  it("are acted on by the next deploy when one is cut off after writing them", async () => {
    await host.run(`${manifest}survey; install_when early; kill -9 $$`);
    const next = await host.run(
      `${reload}${manifest}load_written; survey; install_when early; reload_units; written '*shop-test-a*' && echo yes >&4`,
    );
    assert.equal(next.out, "systemctl daemon-reload\nyes\n");
  });

  it("go when the plan has them no more, units stopped first, with the memory of timers", async () => {
    host.write(
      "etc/homeport/shop-test/manifest",
      "/etc/late\n/etc/old\n/etc/systemd/system/shop-test-job-x.timer\n/etc/systemd/system/shop-test-web-a@.service\n",
    );
    host.write("etc/old", "old");
    host.write("etc/systemd/system/shop-test-job-x.timer", "");
    host.write("etc/systemd/system/timers.target.wants/.keep", "");
    host.write("var/lib/systemd/timers/stamp-shop-test-job-x.timer", "");
    const { out } = await host.run(`${reload}${manifest}tidy_files; cat $CONF/manifest >&4`);
    assert.match(out, /^systemctl stop shop-test-job-x\.timer shop-test-web-a@\*\.service\n/);
    assert.match(out, /systemctl daemon-reload\n/);
    assert.match(out, /\n\/etc\/late\n$/);
    for (const path of [
      "etc/old",
      "etc/systemd/system/shop-test-job-x.timer",
      "var/lib/systemd/timers/stamp-shop-test-job-x.timer",
    ])
      assert.equal(existsSync(at(path)), false, path);
  });

  it("start units at boot by the links that systemctl would make", async () => {
    const wants =
      'cd $ROOT/etc/systemd/system; for link in *.wants/*; do echo "$link $(readlink $link)" >&4; done; cd $STAGE';
    const { out, progress } = await host.run(`
boot_on shop-test-web-a@1.service shop-test-web-a@2.service shop-test-job.timer shop-test-redis-q.service; ${wants}
echo then >&4; boot_off shop-test-job.timer; boot_off_slot web a; ${wants}`);
    const redis = "multi-user.target.wants/shop-test-redis-q.service /etc/systemd/system/shop-test-redis-q.service\n";
    const slot = (n: number): string =>
      `multi-user.target.wants/shop-test-web-a@${n}.service /etc/systemd/system/shop-test-web-a@.service\n`;
    const timer = "timers.target.wants/shop-test-job.timer /etc/systemd/system/shop-test-job.timer\n";
    assert.equal(out, `${redis}${slot(1)}${slot(2)}${timer}then\n${redis}`, progress);
  });

  it("keep the releases that run, may be gone back to or are newest", async () => {
    for (const id of ["r1", "r2", "r3", "r4", "r5", "half"]) host.write(`opt/shop-test/releases/${id}/file`, "");
    host.write("etc/homeport/shop-test/applied/000001.releases", "r1\n");
    host.write("etc/homeport/shop-test/applied/000002.releases", "r2\n");
    host.write("etc/homeport/shop-test/applied/000003.releases", "r5\n");
    const { out, progress } = await host.run(`
for n in 1 2 3 4 5; do : >$HOME_OF_APP/releases/r$n/.complete; touch -d "2026-01-0$n" $HOME_OF_APP/releases/r$n/.complete; done
RELEASES=(r5) RELEASE=([api]=r5) RELEASES_KEPT=2
take_lock; prune; wait; ls $HOME_OF_APP/releases | paste -s >&4; ls $CONF/applied | paste -s >&4`);
    assert.equal(out, "r2\tr4\tr5\n000002.releases\t000003.releases\n", progress);
  });

  it("carry a switch out that was cut off after it was decided", async () => {
    host.write("etc/homeport/shop-test/state", "web a r1 h1 1\n");
    host.write("etc/homeport/shop-test/state.next", "web b r2 h2 2\n");
    for (const id of ["r1", "r2"]) host.write(`opt/shop-test/releases/${id}/file`, "");
    const steps = `SERVICES=(web) SERVICE=([web:hash]=h2 [web:listens]=yes [web:instances]=1 [web:drain]=7)
switch_proxy() { echo "proxy to \${SLOT[web]}" >&4; }; systemd-run() { echo "run \${*: -4}" >&4; }
boot_on shop-test-web-a@1.service
finish_switch; finish_switch
cat $CONF/state >&4; readlink $HOME_OF_APP/active/web $HOME_OF_APP/current >&4; ls $ROOT/etc/systemd/system/multi-user.target.wants >&4`;
    const { out, progress } = await host.run(steps);
    assert.equal(
      out,
      "proxy to b\nrun shop-test web a 7\nweb b r2 h2 2\n../releases/r2\nreleases/r2\nshop-test-web-b@1.service\n",
      progress,
    );
    assert.equal(existsSync(at("etc/homeport/shop-test/state.next")), false);
  });

  it("tell the proxy's configuration of a switch of slots from any other change", async () => {
    host.write("etc/homeport/proxy/maps/.keep", "");
    host.write(
      "stage/proxy.cfg",
      "server a-1 127.0.0.1:1 @@disabled:web/a@@\nserver b-1 127.0.0.1:2 check @@disabled:web/b@@\n",
    );
    const common = `SERVICES=(web) SERVICE=([web:listens]=yes [web:instances]=1)
ACTIVE=([homeport-proxy.service]=active)
socat() { cat >&4; }; reload_proxy() { echo reload >&4; put "$PROXY/$ID.cfg" "$1"; }
`;
    assert.equal((await host.run(`${common}SLOT=([web]=a); switch_proxy`)).out, "reload\n");
    assert.equal(
      readFileSync(at("etc/homeport/proxy/shop-test.cfg"), "utf8"),
      "server a-1 127.0.0.1:1 \nserver b-1 127.0.0.1:2 check disabled\n",
    );
    assert.equal((await host.run(`${common}SLOT=([web]=a); switch_proxy`)).out, "");
    assert.equal(
      (await host.run(`${common}SLOT=([web]=b); switch_proxy`)).out,
      "set server shop-test-web/b-1 state ready;set server shop-test-web/a-1 state maint;\n",
    );
    assert.equal(
      (await host.run(`${common}socat() { echo No such server.; }; SLOT=([web]=a); switch_proxy`)).out,
      "reload\n",
    );
    assert.equal((await host.run(`${common}ACTIVE=(); SLOT=([web]=a); switch_proxy`)).out, "reload\n");
  });
});
