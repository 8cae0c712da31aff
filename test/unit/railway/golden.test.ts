import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RailwayBench, standIn } from "./bench";
import { planOf } from "./plans";

const golden = join(__dirname, "../../golden/railway");

/** The requests that Railway gets, word by word: what is asked for, with which values. UPDATE_GOLDEN=1 writes them anew. */
describe("the requests of a deploy to Railway", () => {
  let bench: RailwayBench;
  let folder: string;
  beforeEach(async () => {
    bench = await RailwayBench.open();
    folder = mkdtempSync(join(tmpdir(), "homeport-version-"));
    cpSync(standIn, folder, { recursive: true });
  });
  afterEach(async () => {
    await bench.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Names of all ids that were ever there. */
  const names = new Map<string, string>();
  const learn = (): void => {
    const { projects, environments, services, deployments, volumes, volumeInstances, workspaces } =
      bench.railway.world.state;
    for (const { id } of workspaces) names.set(id, "workspace");
    for (const { id, name } of Object.values(projects)) names.set(id, `project ${name}`);
    for (const { id, name } of Object.values(environments)) names.set(id, `environment ${name}`);
    for (const { id, name } of Object.values(services)) names.set(id, `service ${name}`);
    for (const { id } of Object.values(volumes)) names.set(id, "volume");
    for (const { id } of Object.values(volumeInstances)) names.set(id, "volume instance");
    const order = new Map<string, number>();
    for (const { id, serviceId } of Object.values(deployments)) {
      const name = services[serviceId]?.name ?? "";
      order.set(name, (order.get(name) ?? 0) + 1);
      names.set(id, `deployment ${order.get(name) ?? 0} of ${name}`);
    }
  };
  /** Ids by what they stand for; hashes and commits by their form. */
  const named = (text: string): string =>
    [...names]
      .reduce((out, [id, name]) => out.replaceAll(id, `<${name}>`), text)
      .replace(/\\"host\\":\\"[^"]*\\",\\"pid\\":\d+/g, '\\"host\\":\\"<host>\\",\\"pid\\":<pid>')
      .replace(/\b[0-9a-f]{40}\b/g, "<commit>")
      .replace(/\b\d{4}-\d\d-\d\dT[\d:.]+Z/g, "<time>")
      .replace(/\\"(spec|settings)\\":\\"[0-9a-f]{16}\\"/g, '\\"$1\\":\\"<hash>\\"');
  const sameAsGolden = (name: string): void => {
    const requests = bench.requests.splice(0).map(({ operationName, query, variables }) => {
      const document = query.replace(/\s+/g, " ").trim();
      return `${operationName}\n  ${document}\n  ${JSON.stringify(variables)}`;
    });
    // How often it is looked at depends on the machine.
    const once = requests.filter((text, index) => !text.startsWith("Deployments") || text !== requests[index - 1]);
    const text = `${named(once.join("\n"))}\n`;
    const path = join(golden, name);
    if (process.env["UPDATE_GOLDEN"] === "1") {
      mkdirSync(golden, { recursive: true });
      writeFileSync(path, text);
    }
    assert.equal(text, existsSync(path) ? readFileSync(path, "utf8") : "", `see test/golden/railway/${name}`);
  };

  it("are these for clausea: first, unchanged, with a new version, and when it goes", async () => {
    const repository = await bench.push(folder);
    const plan = async () => bench.at(await planOf(repository));
    await bench.up(await plan());
    learn();
    sameAsGolden("first.txt");
    await bench.up(await plan());
    sameAsGolden("unchanged.txt");
    writeFileSync(join(folder, "apps/backend/VERSION"), "2\n");
    await bench.push(folder);
    await bench.up(await plan());
    learn();
    sameAsGolden("version.txt");
    await bench.destroy({ ...(await plan()), onDelete: "delete data" });
    sameAsGolden("gone.txt");
  });
});
