import assert from "node:assert/strict";
import { apps } from "../../../apps";
import { explainError } from "../../../cli/errors";
import { stackApp } from "../../../cli/find";
import { apps as listApps, checklist, explain, status } from "../../../cli/looks";
import { placeApps } from "../../../cli/placed";
import { app } from "../../../components/app";
import { targets } from "../../../targets";
import { workingConfig } from "../../support/config";
import { answering, emptyStatus, FakeContext } from "./context";

const well = answering(() => emptyStatus);
const choosing = (names: string) => workingConfig({ "homeport:apps": names });

describe("a stack that names an app that there isn't", () => {
  it("isn't well, and says which name was meant, besides how the others are", async () => {
    const context = new FakeContext(apps, choosing('["catscam","hotrod"]'), {}, well);
    assert.equal(await status(context), 1);
    assert.match(
      context.stdout,
      /^Not well:\n {2}homeport:apps: There is no app "catscam"; did you mean "catscan"\?\n {4}fix: Name some of /m,
    );
    const json = new FakeContext(apps, choosing('["catscam","hotrod"]'), { flags: ["json"] }, well);
    assert.equal(await status(json), 1);
    const told = JSON.parse(json.stdout) as { apps: { app: string }[]; problems: string[] };
    assert.deepEqual(
      told.apps.map(({ app }) => app),
      ["hotrod"],
    );
    assert.match(told.problems.join(), /There is no app "catscam"/);
  });

  it("lets an app that is asked for by name be looked after, and tells why one isn't there", async () => {
    const hotrod = new FakeContext(apps, choosing('["catscam","hotrod"]'), { positionals: ["hotrod"] }, well);
    assert.equal(await status(hotrod), 0);
    assert.throws(
      () => stackApp(placeApps(apps, targets, choosing('["catscam"]')), "catscan"),
      /homeport:apps: There is no app "catscam"; did you mean "catscan"\?/,
    );
  });

  it("is told where apps are listed", async () => {
    const context = new FakeContext(apps, choosing('["catscam","hotrod"]'), {}, well);
    assert.equal(await listApps(context), 1);
    assert.match(context.stderr, /There is no app "catscam"/);
  });
});

describe("a stack without apps", () => {
  it("is never well", async () => {
    for (const [all, names] of [
      [apps, '["catscam"]'],
      [[], "[]"],
    ] as const) {
      const context = new FakeContext(all, choosing(names), {}, well);
      assert.equal(await status(context), 1);
      assert.doesNotMatch(context.stdout, /well\./);
      assert.match(
        context.stdout,
        /^Not well:\n {2}(homeport:apps: There is no app "catscam"|apps\/index\.ts: It lists no app)/,
      );
    }
  });
});

describe("an app whose file throws", () => {
  const broken = app("catscan", "Throws", () => {
    throw new ReferenceError("crn is not defined");
  });
  const all = apps.map((one) => (one.name === "catscan" ? broken : one));
  const call = (...positionals: string[]) => new FakeContext(all, workingConfig(), { positionals }, well);
  const told = /ReferenceError: crn is not defined\n +fix: Mend it in apps\/catscan\.ts/;

  it("is told as such in the status, besides how the others are", async () => {
    const context = call();
    assert.equal(await status(context), 1);
    assert.match(context.stdout, /^Not well:\n {2}catscan: [^\n]+: ReferenceError/m);
    assert.match(context.stdout, told);
    assert.doesNotMatch(context.stdout, /please report it|hotrod: /);
    const hotrod = call("hotrod");
    assert.equal(await status(hotrod), 0);
    assert.match(hotrod.stdout, /All is well/);
  });

  it("ends what asks for it alone, with what mends it", async () => {
    for (const ask of [status, checklist]) {
      const error: unknown = await ask(call("catscan")).catch((thrown: unknown) => thrown);
      const { text, code } = explainError(error);
      assert.equal(code, 1);
      assert.match(text, /^The file of catscan has a mistake, so that nothing is known of it\.\n/);
      assert.match(text, told);
    }
    assert.equal(await checklist(call("hotrod")), 0);
  });

  it("keeps nobody from seeing the variables and the parts of the others", async () => {
    const variables = call();
    assert.equal(await explain(variables), 1);
    assert.match(variables.stdout, /^hotrod$/m);
    assert.match(variables.stdout, told);
    const parts = call();
    assert.equal(await listApps(parts), 1);
    assert.match(parts.stdout, /^ {2}hotrod /m);
    assert.doesNotMatch(parts.stdout, /catscan isn't part/);
    assert.match(parts.stderr, told);
  });
});

describe("an app on its way between two places", () => {
  const command = (name: string, environment: Readonly<Record<string, string>>) => ({
    urn: `urn:pulumi:dev::homeport::homeport:index:App$command:local:Command::${name}`,
    type: "command:local:Command",
    inputs: { environment },
  });
  const fly = command("hotrod-fly", { HOMEPORT_FLY: "hotrod-dev in fra of personal" });
  const here = command("hotrod-vps-main", { HOMEPORT_HOST: "main (192.0.2.10)" });
  const other = command("hotrod-vps-old", { HOMEPORT_HOST: "old (192.0.2.9)" });
  const railway = command("hotrod-railway", { HOMEPORT_RAILWAY: "environment dev of project homeport; another name…" });
  const notThere = { ...emptyStatus, deployed: false };
  const failing = { ...emptyStatus, failed: ["web release"] };
  const statusIn = async (told: typeof emptyStatus, ...resources: ReturnType<typeof command>[]) => {
    const context = new FakeContext(
      apps,
      workingConfig(),
      { positionals: ["hotrod"] },
      answering(() => told),
    );
    context.known = { deployment: { resources } };
    assert.equal(await status(context), 1);
    return context.stdout;
  };

  it("is told where it still is, before an `up`", async () => {
    assert.equal(
      await statusIn(notThere, fly),
      "Not well:\n  hotrod is still at fly (hotrod-dev in fra of personal), until `pulumi up` has moved it\n",
    );
    assert.match(await statusIn(notThere, railway), /still at railway \(environment dev of project homeport\), until/);
    assert.match(await statusIn(notThere, other), /still at vps \(old \(192\.0\.2\.9\)\), until/);
  });

  it("is told so besides what has failed at the new place, after an `up` that failed", async () => {
    assert.equal(
      await statusIn(failing, here, fly),
      "Not well:\n  hotrod web release: failed: homeport logs hotrod\n" +
        "  hotrod is still at fly (hotrod-dev in fra of personal), until `pulumi up` has moved it\n",
    );
  });

  it("isn't anywhere else where the state knows of its present place alone, or of another app's", async () => {
    const archive = command("hotrod-fly-tigris", {});
    const bucket = { ...archive, urn: archive.urn.replace("homeport:index:App$", "homeport:index:ArchiveBucket$") };
    const told = await statusIn(notThere, here, bucket, command("catscan-fly", {}), {
      ...fly,
      delete: true,
    } as typeof fly);
    assert.equal(told, "Not well:\n  hotrod was never deployed there: pulumi up\n");
  });
});
