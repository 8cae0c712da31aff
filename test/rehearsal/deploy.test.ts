import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { openSite, type Host, type Site } from "../../rehearsal/site";
import { DeployApp, type Run, type Wish } from "./deployApp";

const one: Wish = { version: "1" };
const two: Wish = { version: "2" };

describe("deploying to a host", function () {
  this.timeout(300_000);
  let site: Site;
  let host: Host;
  let app: DeployApp;

  before(async () => {
    site = await openSite({ log: () => undefined });
    host = await site.host("deploy", { diskSize: 3_000_000_000 });
    app = new DeployApp(host, "tiny", 8000);
  });
  after(async () => {
    app.remove();
    await site.close();
  });

  const fails = (run: Run, ...patterns: RegExp[]): void => {
    assert.equal(run.code, 1, run.stderr);
    for (const pattern of patterns) assert.match(run.stderr, pattern);
    assert.doesNotMatch(run.stderr, /\bat .*:\d+:\d+|a secret of the test|PRIVATE KEY/);
  };
  /** Runs a deploy during which every request is to be answered. */
  const underLoad = async <T>(
    work: () => Promise<T>,
  ): Promise<{ value: T; versions: Set<string>; answers: number }> => {
    const stop = { over: false };
    const load = app.pollUntil(stop);
    try {
      const value = await work();
      await delay(300);
      stop.over = true;
      const { failures, versions, answers } = await load;
      assert.deepEqual(failures, []);
      return { value, versions, answers };
    } finally {
      stop.over = true;
    }
  };
  const mainPid = (unit: string): Promise<string> => app.shell(`systemctl show -P MainPID '${unit}'`);

  it("brings an app up on a host that has nothing of it, with no secret in any argument", async () => {
    const { done } = await app.start(one);
    const seen = watchArguments();
    const { code, result, stderr } = await done;
    const text = seen.stop();
    assert.equal(code, 0, stderr);
    assert.deepEqual(Object.keys(result?.services ?? {}), ["web", "node"]);
    assert.ok(text.includes("BatchMode=yes"), "the watch saw no ssh");
    assert.doesNotMatch(text, /a secret of the test|PRIVATE KEY/);
    const web = await app.ask();
    assert.deepEqual([web.version, web.greeting, web.secret], ["1", "hello", 20]);
    assert.equal((await app.ask("/", 8001)).minute, 60_000);
    assert.equal(await app.shell("readlink /opt/tiny-test/current"), `releases/${result?.services.web?.release}`);
    assert.equal(await app.shell("cat /var/lib/tiny-test/data/.secrets/SESSION"), "a session of the test");
    assert.equal(await app.shell("systemctl is-active tiny-test-job-nightly.timer"), "active");
  });

  it("changes nothing when nothing has changed", async () => {
    const pid = await mainPid("tiny-test-web-a@1");
    const before = await app.shell(
      "find /etc/homeport /etc/systemd /opt/tiny-test -newermt '-1 hour' -printf '%T@ %p\\n' | sort",
    );
    assert.deepEqual((await app.deploy(one)).changes, []);
    assert.equal(await mainPid("tiny-test-web-a@1"), pid);
    assert.equal(
      await app.shell("find /etc/homeport /etc/systemd /opt/tiny-test -newermt '-1 hour' -printf '%T@ %p\\n' | sort"),
      before,
    );
  });

  it("replaces the code without losing a request, and installs no dependency again", async () => {
    const { value, versions, answers } = await underLoad(() => app.deploy(two));
    assert.deepEqual([...versions], ["1", "2"]);
    assert.ok(answers > 20, `only ${answers} answers`);
    assert.equal(value.services.web?.slot, "b");
    assert.equal(await app.shell("ls /opt/tiny-test/deps | wc -l"), "2");
    assert.equal((await app.ask("/", 8001)).version, "2");
  });

  it("starts anew with a changed variable, and sends no code for it", async () => {
    const { value } = await underLoad(() => app.run({ ...two, env: { GREETING: "good day" } }));
    assert.equal(value.code, 0, value.stderr);
    assert.doesNotMatch(value.stderr, /sends|is ready after/);
    assert.equal((await app.ask()).greeting, "good day");
    await app.deploy(two);
  });

  it("leaves everything as it was when a release step fails, and says what it said", async () => {
    const before = await app.shell("cat /etc/homeport/tiny-test/state");
    const { value, versions } = await underLoad(() =>
      app.run({ version: "3", release: "echo the migration says no; exit 3" }),
    );
    fails(value, /\| the migration says no/, /release step of web failed/, /fix: /);
    assert.deepEqual([...versions], ["2"]);
    assert.equal(await app.shell("cat /etc/homeport/tiny-test/state"), before);
  });

  it("runs a release step once, with the new code and variables, before the new version starts", async () => {
    const release = "python -c 'import idna' && echo \"$GREETING $(grep -c 'version.: .4' app.py)\" >>/data/steps";
    const wish = { version: "4", release, env: { GREETING: "step" } };
    await app.deploy(wish);
    assert.deepEqual((await app.deploy(wish)).changes, []);
    assert.equal(await app.shell("cat /var/lib/tiny-test/data/steps"), "step 1");
    await app.deploy(two);
  });

  it("keeps the version before when the new one is never healthy", async () => {
    const wish = { version: "5", env: { SICK: "yes" }, startTimeoutSeconds: 2 };
    const { value, versions } = await underLoad(() => app.run(wish));
    fails(value, /new version of web isn't healthy/, /answers 500 to \/health/);
    assert.deepEqual([...versions], ["2"]);
    assert.equal(
      await app.shell("systemctl list-units --plain --no-legend --state=active,failed 'tiny-test-web-*' | wc -l"),
      "1",
    );
  });

  it("notices at once that the new version has crashed, and shows its last words", async () => {
    const wish = { version: "6", env: { CRASH: "yes" }, startTimeoutSeconds: 60 };
    const { value, versions } = await underLoad(() => app.run(wish));
    fails(value, /\| the web program crashes as it was told to/, /ended by itself/);
    assert.ok(value.seconds < 30, `took ${value.seconds} s`);
    assert.deepEqual([...versions], ["2"]);
  });

  it("lets a request that the version before has begun come to its end", async () => {
    const slow = app.ask("/slow=3");
    await delay(300);
    await app.deploy({ ...two, env: { GREETING: "after" } });
    assert.equal((await app.ask()).greeting, "after");
    assert.equal((await slow).greeting, "hello");
    await app.deploy(two);
  });

  it("keeps a worker running when its new version doesn't, and switches nothing else either", async () => {
    const services = ["web", "worker"] as const;
    await app.deploy({ ...two, services });
    fails(
      await app.run({ ...two, services, worker: "sh -c 'echo no work; exit 1'", env: { GREETING: "too early" } }),
      /doesn't keep running/,
      /\| no work/,
    );
    assert.equal((await app.ask()).greeting, "hello", "the web service was switched although the worker failed");
    assert.equal(await app.shell("systemctl is-active 'tiny-test-worker-*@1.service' | sort -u"), "active");
    const state = await app.shell("ls /etc/systemd/system /opt/tiny-test/active");
    assert.doesNotMatch(state, /tiny-test-node/, "the service that is gone left units behind");
    await app.deploy(two);
    assert.equal(await app.shell("systemctl list-units --plain --no-legend 'tiny-test-worker-*' | wc -l"), "0");
  });

  it("takes everything back when the proxy refuses its part", async () => {
    const services = ["web", "worker"] as const;
    await app.deploy({ ...two, services });
    const before = await app.shell(
      "cat /etc/homeport/tiny-test/state; systemctl show -P MainPID tiny-test-web-*@1.service",
    );
    await app.shell("echo nonsense >/etc/homeport/proxy/zz-somebody.cfg");
    try {
      // Another number of instances is more than a switch of slots, so that the proxy has to read its configuration.
      const { value } = await underLoad(() => app.run({ version: "13", services, instances: 2 }));
      fails(value, /proxy doesn't take its new configuration/, /\| .*zz-somebody/);
    } finally {
      await app.shell("rm /etc/homeport/proxy/zz-somebody.cfg");
    }
    assert.equal((await app.ask()).version, "2");
    assert.equal(
      await app.shell("cat /etc/homeport/tiny-test/state; systemctl show -P MainPID tiny-test-web-*@1.service"),
      before,
    );
    assert.equal(await app.shell("systemctl is-active 'tiny-test-worker-*@1.service'"), "active");
    await app.deploy({ version: "13", services, instances: 2 });
    await app.deploy(two);
  });

  it("fails when the disk fills up half-way, and works again when there is space", async () => {
    const big = { ...two, ballast: 600_000_000 };
    await app.shell("fallocate -l $(($(df --output=avail -B1 /opt | tail -n 1) - 400000000)) /opt/filler");
    try {
      fails((await underLoad(() => app.run(big))).value, /disk is full|could not be unpacked/, /No space left/);
    } finally {
      await app.shell("rm /opt/filler");
    }
    await app.deploy({ version: "14" });
    assert.equal((await app.ask()).version, "14");
    await app.deploy(two);
  });

  it("takes turns when two deploys of the app come at once", async () => {
    const [first, second] = await Promise.all([app.run({ version: "15" }), app.run({ version: "16" })]);
    assert.deepEqual([first.code, second.code], [0, 0], first.stderr + second.stderr);
    assert.match(first.stderr + second.stderr, /waits for another deploy: process \d+, from /);
    assert.match((await app.ask()).version, /^1[56]$/);
    await app.deploy(two);
  });

  it("brings a Node.js that is newer than the host's", async () => {
    await app.deploy({ ...two, node: "22" });
    const { code, stdout } = await host.exec("/opt/tiny-test/active/node/.homeport/bin/node --version");
    assert.deepEqual([code, stdout.split(".")[0]], [0, "v22"]);
    // The version before may be ending just now: its process has no program any more.
    const exe = await app.shell(
      "for pid in $(systemctl show -P MainPID 'tiny-test-node-*@1.service'); do readlink /proc/$pid/exe || true; done",
    );
    assert.match(exe, /deps\/node-22\//);
    await app.deploy(two);
  });

  it("runs several instances", async () => {
    await app.deploy({ ...two, services: ["web"], instances: 2 });
    const pids = new Set<number>();
    for (let n = 0; n < 12; n++) pids.add((await app.ask()).pid);
    assert.equal(pids.size, 2);
    await app.deploy(two);
  });

  it("goes back to the version before when it is told to", async () => {
    await app.deploy({ version: "7" });
    const shell = `d=$(mktemp -d) && tar -xzf "$(ls /etc/homeport/tiny-test/applied/*.tar.gz | tail -n 1)" -C $d && cd $d && timeout 60 bash ./deploy.sh rollback < <(sleep 60 2>/dev/null)`;
    await app.shell(shell);
    assert.equal((await app.ask()).version, "2");
    await app.deploy(two);
  });

  for (const after of [0.15, 0.4, 0.7, 1, 1.4, 2]) {
    it(`survives the loss of its SSH session ${after} s after its start`, async () => {
      const wish = { version: `8-${after}`, env: { SLOW: "0.3" } };
      await underLoad(async () => {
        const { child, done } = await app.start(wish);
        await delay(after * 1000);
        for (const pid of sshOf(child.pid ?? 0)) process.kill(pid, "SIGKILL");
        const { code, stderr } = await done;
        if (code !== 0) assert.match(stderr, /fix: /);
      });
      const { value } = await underLoad(() => app.deploy(wish));
      assert.equal((await app.ask()).version, wish.version, JSON.stringify(value));
      assert.deepEqual((await app.deploy(wish)).changes, []);
    });
  }

  for (const after of [0.3, 0.6, 0.9, 1.2]) {
    it(`survives the death of its program on the host ${after} s after its start`, async () => {
      const wish = { version: `9-${after}`, env: { SLOW: "0.3" } };
      await underLoad(async () => {
        const { done } = await app.start(wish);
        await delay(after * 1000);
        await host.exec("pkill -KILL -f '^bash ./deploy.sh apply'");
        await done;
      });
      await underLoad(() => app.deploy(wish));
      assert.equal((await app.ask()).version, wish.version);
      assert.deepEqual((await app.deploy(wish)).changes, []);
    });
  }

  it("ends cleanly when it is told to end", async () => {
    const { child, done } = await app.start({ version: "10", env: { SLOW: "5" }, startTimeoutSeconds: 60 });
    await delay(1_500);
    child.kill("SIGTERM");
    const { code, stderr, seconds } = await done;
    assert.equal(code, 143, stderr);
    assert.ok(seconds < 10, `took ${seconds} s`);
    assert.deepEqual(sshOf(child.pid ?? 0), []);
    await app.deploy(two);
  });

  it("is back after a reboot, with the version that was active", async () => {
    await host.reboot();
    await eventually(async () => {
      assert.equal((await app.ask()).version, "2");
    });
    assert.deepEqual((await app.deploy(two)).changes, []);
  });

  it("is back after a power cut right after a deploy", async () => {
    await app.deploy({ version: "11" });
    await host.kill();
    await host.start();
    await eventually(async () => {
      assert.equal((await app.ask()).version, "11");
    });
    assert.deepEqual((await app.deploy({ version: "11" })).changes, []);
  });

  it("refuses a full disk before it touches anything, and works again when there is space", async () => {
    await host.fillDisk(true);
    try {
      fails((await underLoad(() => app.run({ version: "12" }))).value, /host's disk is full/, /fix: free space/);
    } finally {
      await host.fillDisk(false);
    }
    await app.deploy({ version: "12" });
    assert.equal((await app.ask()).version, "12");
  });

  it("sends nothing to a host that shows another key", async () => {
    const other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFcQ8e5TwqVXJtgh9Y4gGwTcRrQ8gq7fXb0A5fQk0e1B";
    const run = await app.run(two, "apply", { hostKey: other });
    fails(run, /showed another key/, /expected SHA256:\S+, seen SHA256:\S+; nothing was sent/);
    assert.ok(run.seconds < 10);
  });

  it("says that a host can't be reached, within a bounded time", async () => {
    await host.unreachable(true);
    try {
      const run = await app.run(two);
      fails(run, /can't be reached/);
      assert.ok(run.seconds < 60, `took ${run.seconds} s`);
    } finally {
      await host.unreachable(false);
    }
  });

  it("says that it isn't let in, and that nothing listens", async () => {
    fails(await app.run(two, "apply", { user: "nobody" }), /doesn't let nobody in/);
    fails(await app.run(two, "apply", { port: 1 }), /refuses SSH|can't be reached/);
    fails(await app.run(two, "apply", { privateKey: "no key" }), /private key can't be used/);
  });

  it("deploys as a user who may use sudo", async () => {
    const run = await app.run({ version: "12" }, "apply", { user: "deploy" });
    assert.equal(run.code, 0, run.stderr);
    assert.deepEqual(run.result?.changes, []);
  });

  it("shares the host with another app, and refuses its ports", async () => {
    const other = new DeployApp(host, "other", 8100);
    try {
      fails(await other.run({ ...one, port: 8000 }), /Port 8000 of web is another app's/, /tiny-test/);
      await other.deploy(one);
      assert.equal((await other.ask()).version, "1");
      assert.equal((await app.ask()).version, "12");
      await other.deploy({ ...one, onDelete: "delete data" }, "delete");
      assert.equal((await app.ask()).version, "12");
      assert.equal(
        await app.shell("find / -xdev -name '*other-test*' -not -path '/proc/*' -not -path '/run/*' | head"),
        "",
      );
    } finally {
      other.remove();
    }
  });

  it("makes a database that only the app's role may enter, and tells its password to nobody", async () => {
    const databases = [
      { name: "db", engine: "postgres", database: "tiny_test_db", password: "first'password", extensions: ["vector"] },
      { name: "queue", engine: "redis", password: "redispassword", memoryMib: 32 },
    ] as const;
    await app.deploy({ version: "12", databases });
    const psql = (password: string, query: string) =>
      host.exec(`PGPASSWORD="$(cat)" psql -h 127.0.0.1 -U tiny_test_db -d tiny_test_db -tAc "${query}"`, {
        input: password,
      });
    assert.match((await psql("first'password", "SELECT extname FROM pg_extension")).stdout, /vector/);
    assert.deepEqual((await app.deploy({ version: "12", databases })).changes, []);
    await app.deploy({ version: "12", databases: [{ ...databases[0], password: "second" }, databases[1]] });
    assert.notEqual((await psql("first'password", "SELECT 1")).code, 0);
    assert.equal((await psql("second", "SELECT 1")).stdout.trim(), "1");
    const log = await app.shell(
      'grep -rlE "first\'password|redispassword" /var/log 2>/dev/null | head; journalctl --no-pager | grep -cE "first\'+password" || true',
    );
    assert.equal(log, "0");
    await app.deploy({ version: "12" });
    assert.equal(await app.shell("systemctl list-units --plain --no-legend 'tiny-test-redis-*' | wc -l"), "0");
  });

  it("keeps as many releases as it is told to", async () => {
    for (const version of ["21", "22", "23", "24"])
      await app.deploy({ version, services: ["web"], drainSeconds: 1, releasesKept: 2 });
    await delay(2_000);
    await app.deploy({ version: "25", services: ["web"], drainSeconds: 1, releasesKept: 2 });
    await eventually(async () => {
      const kept = Number(await app.shell("ls /opt/tiny-test/releases | wc -l"));
      assert.ok(kept >= 2 && kept <= 3, `${kept} releases`);
    });
  });

  it("stays on a host that has another name in the stack now, when the old name is deleted", async () => {
    await app.deploy({ ...two, owner: "vps/renamed" });
    const run = await app.run(two, "delete");
    assert.deepEqual(run.result?.changes, ["tiny-test: stays, as it is here by vps/renamed now"]);
    assert.equal((await app.ask()).version, "2");
    await app.deploy(two);
  });

  it("is taken off the host with its data kept, then with it, and once more", async () => {
    await app.deploy(two, "delete");
    assert.equal(await app.shell("ls /opt /etc/homeport | grep -c tiny-test || true"), "0");
    assert.equal(
      await app.shell("systemctl list-units --all --plain --no-legend 'tiny-test-*' | grep -c loaded || true"),
      "0",
    );
    assert.equal(await app.shell("cat /var/lib/tiny-test/data/.secrets/SESSION"), "a session of the test");
    await app.deploy(two);
    assert.equal((await app.ask()).version, "2");
    await app.deploy({ ...two, onDelete: "delete data" }, "delete");
    await app.deploy({ ...two, onDelete: "delete data" }, "delete");
    const left =
      "find / -xdev \\( -name '*tiny-test*' -o -name 'homeport-*.service' \\) -not -path '/proc/*' -not -path '/run/*' -not -path '/sys/*'";
    assert.equal(await app.shell(left), "");
    assert.equal(
      await app.shell(
        "getent passwd tiny-test | wc -l; ss -Hltn | grep -cE ':(8000|8001|2000.) ' || true; nft list tables | grep -c homeport || true",
      ),
      "0\n0\n0",
    );
  });
});

/** The ssh clients among the descendants of a process. */
function sshOf(root: number): number[] {
  const lines = execFileSync("ps", ["-eo", "pid=,ppid=,comm="], { encoding: "utf8" }).trim().split("\n");
  const all = lines.map((line) => line.trim().split(/\s+/));
  const found: number[] = [];
  const walk = (parent: number): void => {
    for (const [pid, ppid, name] of all) {
      if (Number(ppid) !== parent) continue;
      if (name === "ssh") found.push(Number(pid));
      walk(Number(pid));
    }
  };
  walk(root);
  return found;
}

/** Reads the arguments and environments of all processes again and again. */
function watchArguments(): { stop(): string } {
  const seen = new Set<string>();
  const look = (): void => {
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)) {
      try {
        seen.add(readFileSync(`/proc/${pid}/cmdline`, "utf8"));
      } catch {
        continue; // It has ended.
      }
    }
  };
  const timer = setInterval(look, 15);
  return {
    stop: () => {
      clearInterval(timer);
      return [...seen].join("\n");
    },
  };
}

async function eventually(check: () => Promise<void>, seconds = 30): Promise<void> {
  for (const end = Date.now() + seconds * 1000; ;) {
    try {
      await check();
      return;
    } catch (error) {
      if (Date.now() > end) throw error;
      await delay(200);
    }
  }
}
