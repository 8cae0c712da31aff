import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import type { Desk, Listener } from "./desk";
import { listen, makeDesk, needPrograms } from "./desk";

describe("watch", () => {
  let desk: Desk;
  let hook: Listener;
  let app: Listener;
  let sick = false;
  const told = (): string[] =>
    hook.received.map((one) => {
      const { unit, state } = JSON.parse(one.body) as { unit: string; state: string };
      return `${unit} ${state}`;
    });
  const watch = () => desk.run("watch", ["shop-prod"], { HOMEPORT_SECOND_LOOK: "0" });

  before(() => needPrograms("jq", "curl"));
  beforeEach(async () => {
    sick = false;
    hook = await listen();
    app = await listen((path) => (sick || path === "/broken" ? 500 : 200));
    desk = makeDesk(hook.url);
    desk.write("etc/homeport/shop-prod/state", "api a 3fa2 h 1700000000\nworker b 3fa2 h 1700000000\n");
    desk.write("etc/homeport/shop-prod/watch", `health api ${app.port} /health\n`);
  });
  afterEach(async () => {
    desk.remove();
    await Promise.all([hook.close(), app.close()]);
  });

  it("tells a service's illness once and its recovery once", async () => {
    for (const now of [false, true, true, false, false]) {
      sick = now;
      const { code, stderr } = await watch();
      assert.equal(code, 0, stderr);
    }
    assert.deepEqual(told(), ["api bad", "api good"]);
  });

  it("overlooks one bad answer", async () => {
    app.answers = [500];
    await watch();
    assert.deepEqual(told(), []);
  });

  it("tells again what could not be told", async function () {
    this.timeout(30_000);
    sick = true;
    desk.write("etc/homeport/shop-prod/alert", "URL=http://127.0.0.1:1/\n");
    desk.script("curl", `[[ $* != *--config* ]] || exit 7; exec /usr/bin/curl "$@"`);
    await watch();
    desk.write("etc/homeport/shop-prod/alert", `URL=${hook.url}\n`);
    desk.script("curl", `exec /usr/bin/curl "$@"`);
    await watch();
    assert.deepEqual(told(), ["api bad"]);
  });

  it("asks extra checks at their own pace", async () => {
    desk.write(
      "etc/homeport/shop-prod/watch",
      `check api ${app.port} /slow 86400\ncheck api ${app.port} /broken 300\n`,
    );
    await watch();
    await watch();
    assert.deepEqual(app.received.filter((one) => one.path === "/slow").length, 1);
    assert.deepEqual(told(), ["api /broken bad"]);
    const stamp = "var/lib/homeport/watch/shop-prod/api_broken.last";
    desk.write(stamp, String(Math.floor(Date.now() / 1000) - 290));
    const before = app.received.length;
    await watch();
    assert.ok(app.received.length > before);
  });

  it("watches the share of a disk that is used, with some slack before it is good again", async () => {
    desk.write("etc/homeport/shop-prod/watch", "disk 80 /\ndisk 80 /var\n");
    for (const used of [79, 80, 92, 79, 81, 78, 80]) {
      desk.script("df", `echo Filesystem Use%; echo /dev/vda1 ${used}%`);
      await watch();
    }
    assert.deepEqual(told(), ["disk / bad", "disk / good", "disk / bad"]);
  });

  it("tells failed units of its own app alone, and workers of the active slot that don't run", async () => {
    desk.write("etc/homeport/shop-prod-eu/alert", "APP=shop\n");
    desk.write("etc/homeport/shop-prod/watch", "worker worker 2\n");
    desk.script(
      "systemctl",
      `case "$*" in
        list-units*) printf '%s loaded failed failed x\\n' shop-prod-job-x.service shop-prod-eu-job-y.service ;;
        *is-active*worker-b@1*) exit 0 ;;
        *is-active*) exit 3 ;;
        show*) echo timeout ;;
      esac`,
    );
    await watch();
    assert.deepEqual(told(), ["worker bad", "shop-prod-job-x.service bad"]);
    assert.match(hook.received[0]!.body, /shop-prod-worker-b@2\.service/);
    desk.script("systemctl", "");
    await watch();
    assert.deepEqual(told().slice(2).sort(), ["shop-prod-job-x.service good", "worker good"]);
  });

  it("says nothing of a unit that has just told it itself", async () => {
    desk.script("systemctl", `[[ $1 != list-units ]] || echo 'shop-prod-job-x.service loaded failed failed x'`);
    await desk.run("alert", ["shop-prod-job-x.service"]);
    await watch();
    assert.equal(told().length, 1);
  });

  it("reports disks and sizes", async () => {
    desk.write("etc/homeport/shop-prod/watch", "disk 80 /\n");
    desk.write("var/lib/shop-prod/data/shop.db", "x".repeat(5000));
    const { code, stdout } = await desk.run("disk-report", ["shop-prod"]);
    assert.equal(code, 0);
    assert.match(stdout, /% of .* used, .* free\n\/var\/lib\/shop-prod\/data: \d+K/);
    assert.deepEqual(told(), ["disk-report report"]);
  });
});

describe("drain", () => {
  let desk: Desk;
  const stat = (sessions: number): string =>
    `# pxname,svname,qcur,qmax,scur,smax\nshop-prod-api,a-1,0,0,${sessions},9\nshop-prod-api,b-1,0,0,7,9\nshop-prod-apis,a-1,0,0,7,9\n`;
  let answers: string[];
  let close: () => Promise<void>;

  before(() => needPrograms("socat"));
  beforeEach(async () => {
    desk = makeDesk();
    desk.write("etc/homeport/shop-prod/state", "api b 3fa2 h 1700000000\n");
    desk.write("run/homeport-proxy/.keep", "");
    answers = [];
    const server = createServer((socket) => {
      socket.once("data", (data) => {
        const asked = data.toString();
        const answer = answers.length > 1 ? answers.shift() : answers[0];
        socket.end(asked.startsWith("show stat") ? (answer ?? "") : "Pid: 1\n");
      });
    });
    await new Promise<void>((done) => server.listen(join(desk.root, "run/homeport-proxy/admin.sock"), done));
    close = () =>
      new Promise((done) => {
        server.close(() => {
          done();
        });
      });
  });
  afterEach(async () => {
    await close();
    desk.remove();
  });

  it("stops a slot when its last session has ended", async () => {
    answers = [stat(2), stat(1), stat(0)];
    const { code, stdout, stderr } = await desk.run("drain", ["shop-prod", "api", "a", "30"]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /serves nobody/);
    assert.equal(answers.length, 1);
    assert.deepEqual(desk.calls(), ["systemctl stop shop-prod-api-a@*.service"]);
  });

  it("stops it at the deadline, saying how many are cut", async () => {
    answers = [stat(3)];
    const { stdout } = await desk.run("drain", ["shop-prod", "api", "a", "1"]);
    assert.match(stdout, /3 sessions on slot a of api are cut after 1 s/);
    assert.deepEqual(desk.calls(), ["systemctl stop shop-prod-api-a@*.service"]);
  });

  it("leaves a slot alone that has become the active one again", async () => {
    answers = [stat(0)];
    const { code, stdout } = await desk.run("drain", ["shop-prod", "api", "b", "5"]);
    assert.equal(code, 0);
    assert.match(stdout, /the active one again/);
    assert.deepEqual(desk.calls(), []);
    assert.ok(existsSync(join(desk.root, "etc/homeport/shop-prod/state")));
  });
});
