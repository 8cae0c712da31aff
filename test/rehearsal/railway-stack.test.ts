import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { railwayRepository as repository, onRailway, standIns } from "../../rehearsal/fiveApps";
import { run } from "../../rehearsal/host/run";
import { openSite, type Railway, type Site } from "../../rehearsal/site";
import { RehearsedStack, type RehearsedValue } from "../../rehearsal/stack";
import { shellQuote } from "../../components/values/shell";
import { eventually, factsOf, statusOf } from "./support/http";
import { placeSsh } from "./support/ssh";
import { call, copyStandIn, progress, succeeded, type Call } from "./support/world";

/** The repository that hotrod is built from. */
const other = "acme/hotrod";

describe("clausea of the live stack and hotrod on Railway, by the real engine", function () {
  this.timeout(600_000);
  const folder = mkdtempSync(join(tmpdir(), "homeport-railway-"));
  const code = join(folder, "code");
  let programs: string;
  let site: Site;
  let railway: Railway;
  let stack: RehearsedStack;
  let values: Record<string, RehearsedValue>;
  let first: Call;

  before(async () => {
    site = await openSite({ log: progress });
    const [opened, s3] = await Promise.all([site.railway(), site.s3()]);
    railway = opened;
    programs = placeSsh(folder, new URL(railway.endpoint).origin);
    copyStandIn("clausea", code);
    copyStandIn("hotrod", join(folder, "hotrod"));
    await railway.repository(repository, code);
    await railway.repository(other, join(folder, "hotrod"));
    stack = await RehearsedStack.open({ folder: join(folder, "stack"), stack: "prod", log: progress });
    values = {
      ...standIns(s3, site.gateway),
      ...onRailway(railway),
      "homeport:apps": { json: ["clausea", "hotrod"] },
      "hotrod:target": "railway",
      "hotrod:source": `${railway.remote(other)}#main`,
      // Its volume allows one.
      "hotrod:instances": { json: { web: 1 } },
      "railway:repositories": { json: { clausea: repository, hotrod: other } },
      "railway:ownBackups": { json: ["hotrod"] },
    };
    await stack.configure(values);
    first = succeeded(await call(() => stack.up()));
    progress(`the first \`up\` took ${first.seconds.toFixed(0)} s`);
  });
  after(async () => {
    rmSync(folder, { recursive: true, force: true });
    await site.close();
  });

  const up = async (): Promise<Call> => succeeded(await call(() => stack.up()));
  const url = async (service: string, path = ""): Promise<string> => {
    const origin = await railway.url(service, "prod");
    assert.ok(origin !== undefined, `${service} has no address`);
    return origin + path;
  };
  const last = async (): Promise<number> => (await railway.calls()).at(-1)?.number ?? 0;
  const fieldsAfter = async (number: number): Promise<string[]> =>
    (await railway.calls(number)).map(({ path }) => path.replace("/graphql/v2/", ""));
  const push = async (file: string, text: string): Promise<void> => {
    writeFileSync(join(code, "apps/backend", file), text);
    await railway.repository(repository, code);
  };
  const homeport = (verb: string, ...args: readonly string[]) => {
    const { env, cwd } = stack.command([]);
    const path = { PATH: `${programs}:${env["PATH"] ?? ""}` };
    return run([join(__dirname, "../../bin/homeport"), verb, "--stack", "prod", ...args], {
      cwd,
      env: { ...env, ...path },
    });
  };
  const inWeb = async (line: string): Promise<string> => {
    const { code: status, stdout, stderr } = await homeport("exec", "hotrod", "web", "--", "sh", "-c", line);
    assert.equal(status, 0, `${line}: ${stdout}${stderr}`);
    return stdout;
  };
  /** Lets jobs beside hotrod's web service see a time, once, instead of the end of the minute that they wait for. */
  const passTo = async (time: string): Promise<void> => {
    const clock = `#!/bin/sh\nrm "$0"\nexec /bin/date -u -d ${shellQuote(time)} "$2"\n`;
    const ownPath = "/usr/local/sbin/date";
    await inWeb(
      `printf %s ${shellQuote(clock)} >${ownPath}; chmod 755 ${ownPath}; ` +
        `for one in /proc/[0-9]*; do [ "$(cat $one/comm)" != sleep ] || kill "\${one#/proc/}"; done 2>/dev/null`,
    );
  };

  it("answers at the addresses of its API and its dashboard, as its runbook has them", async () => {
    assert.deepEqual(Object.keys(first.counts), ["created"]);
    assert.equal(await statusOf(await url("api", "/health")), 200);
    assert.equal(await statusOf(await url("dashboard", "/_stcore/health")), 200);
    const { clausea } = await stack.outputs<{ clausea: { project: string; environment: string; health: object } }>();
    assert.deepEqual([clausea.project, clausea.environment], ["clausea", "prod"]);
    assert.deepEqual(Object.keys(clausea.health), ["api", "dashboard"]);
    assert.equal(await statusOf(await url("web", "/health")), 200);
  });

  it("runs jobs that need a volume beside its service, at their times, and tells how they ended", async () => {
    const job = "export-embeddings";
    let told = "";
    await passTo("2026-11-22 03:00");
    await eventually("the export has failed", 30, async () => {
      told = (await homeport("logs", "hotrod", job)).stdout;
      return told.includes("ended with 1");
    });
    assert.match(told, /Nothing to export/);
    const status = await homeport("status", "hotrod");
    assert.match(status.stdout, /export-embeddings.*failed/);
    await passTo("2026-11-22 02:00");
    const file = "/data/chroma/catalogue/embeddings.jsonl";
    assert.equal(await inWeb(`timeout 30 sh -c 'until [ -e ${file} ]; do sleep 0.1; done'; wc -l <${file}`), "200\n");
    const asked = await homeport("run", "hotrod", job);
    assert.match(asked.stdout, /embeddings exported/);
    assert.equal(asked.code, 0, asked.stdout + asked.stderr);
  });

  it("asks Railway nothing where nothing has changed", async () => {
    const before = await last();
    const { counts } = await up();
    assert.deepEqual(counts, { unchanged: first.counts["created"] });
    assert.deepEqual(await fieldsAfter(before), []);
  });

  it("deploys a commit of the repository, with few requests, and not by itself", async () => {
    await push("VERSION", "two\n");
    assert.notEqual((await factsOf(await url("api"))).version, "two");
    const before = await last();
    await up();
    const fields = await fieldsAfter(before);
    assert.ok(fields.length <= 25, fields.join(" "));
    progress(`a new version took ${fields.length} requests`);
    assert.equal((await factsOf(await url("api"))).version, "two");
  });

  it("ends with what a version said that fails, and leaves the one before running", async () => {
    await push("FAULT", "boot\n");
    const failed = await call(() => stack.up());
    assert.notEqual(failed.code, 0);
    assert.match(failed.output, /didn't get healthy/);
    assert.doesNotMatch(failed.output, / at \w+ \(/);
    for (let n = 0; n < 10; n++) assert.equal((await factsOf(await url("api"))).version, "two");
    rmSync(join(code, "apps/backend/FAULT"));
    await push("VERSION", "three\n");
    await up();
    assert.equal((await factsOf(await url("api"))).version, "three");
  });

  it("tells its state, and goes back", async () => {
    const status = await homeport("status", "clausea");
    assert.equal(status.code, 0, status.stdout + status.stderr);
    assert.match(status.stdout, /api[\s\S]*healthy[\s\S]*dashboard/);
    const back = await homeport("rollback", "clausea");
    assert.equal(back.code, 0, back.stdout + back.stderr);
    assert.equal((await factsOf(await url("api"))).version, "two");
  });

  it("shows its secrets in no output and in no plain state", async () => {
    const { stdout: state } = await stack.pulumi(["stack", "export"]);
    const preview = await stack.preview();
    for (const [key, value] of Object.entries(values)) {
      if (typeof value !== "object" || !("secret" in value)) continue;
      for (const text of [state, preview.stdout, first.output]) assert.ok(!text.includes(value.secret), key);
    }
  });

  it("goes away, and leaves its data where nothing else is said", async () => {
    const destroyed = await stack.destroy();
    assert.equal(destroyed.code, 0, destroyed.stdout + destroyed.stderr);
    assert.equal(await railway.url("api", "prod"), undefined);
    for (const volume of ["clausea-prod-redis", "hotrod-prod-web"]) {
      assert.match(destroyed.stdout + destroyed.stderr, new RegExp(`volume ${volume} stays`));
    }
  });
});
