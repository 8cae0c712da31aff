import assert from "node:assert/strict";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { engineCache } from "../../../engine/cache";
import { preparePlugins, requiredPlugins } from "../../../engine/plugins";
import { understudyNames } from "../../../engine/understudies";

describe("The plugins of a program", () => {
  let folder: string;
  const before = { ...process.env };
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "homeport-plugins-"));
    process.env["HOMEPORT_CACHE"] = path.join(folder, "cache");
    process.env["PULUMI_HOME"] = path.join(folder, "users");
  });
  afterEach(() => {
    process.env = { ...before };
    rmSync(folder, { recursive: true, force: true });
  });
  const write = (name: string, content: string): string => {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content);
    return file;
  };

  it("are those that its packages name", () => {
    const install = (name: string, manifest: object): string =>
      write(`node_modules/@pulumi/${name}/package.json`, JSON.stringify(manifest));
    install("pulumi", { version: "3.220.0" });
    install("random", { version: "4.18.4", pulumi: { resource: true } });
    install("thing", { version: "9.9.9", pulumi: { resource: true, name: "stuff", version: "v1.2.3" } });
    assert.deepEqual(requiredPlugins(folder), [
      { name: "random", version: "4.18.4" },
      { name: "stuff", version: "1.2.3" },
    ]);
    assert.deepEqual(requiredPlugins(path.join(folder, "nowhere")), []);
  });

  it("of this project each have an understudy", () => {
    const names = requiredPlugins(path.join(__dirname, "..", "..", "..")).map(({ name }) => name);
    assert.deepEqual(
      names.filter((name) => !understudyNames().includes(name)),
      [],
    );
    assert.ok(understudyNames().includes("language"));
  });

  const random = { name: "random", version: "4.18.4" };
  const inHome = "plugins/resource-random-v4.18.4/pulumi-resource-random";
  const prepare = (): ReturnType<typeof preparePlugins> =>
    preparePlugins({
      home: path.join(folder, "home"),
      plugins: [random],
      pulumi: "/nonexistent",
      isReachable: () => Promise.reject(new Error("the network was asked for")),
      log: () => undefined,
    });

  it("are the official ones of the private home", async () => {
    write(`home/${inHome}`, "official");
    assert.deepEqual(await prepare(), [{ ...random, origin: "official" }]);
  });

  it("are copied from the user's home, which stays as it is", async () => {
    const users = write(`users/${inHome}`, "official");
    assert.deepEqual(await prepare(), [{ ...random, origin: "official" }]);
    assert.equal(readFileSync(path.join(folder, "home", inHome), "utf8"), "official");
    assert.equal(readFileSync(users, "utf8"), "official");
  });

  it("are official as soon as the user has them, in the place of an understudy", async () => {
    const link = path.join(folder, "home", inHome);
    mkdirSync(path.dirname(link), { recursive: true });
    symlinkSync(write("cache/engine/understudies-1/random", "understudy"), link);
    assert.ok(link.startsWith(folder) && engineCache().startsWith(folder));
    write(`users/${inHome}`, "official");
    assert.deepEqual(await prepare(), [{ ...random, origin: "official" }]);
    assert.equal(lstatSync(link).isSymbolicLink(), false);
    assert.equal(readFileSync(link, "utf8"), "official");
  });

  it("are looked for on the network only where there is neither, and never reach the user's home", async () => {
    await assert.rejects(prepare(), /the network was asked for/);
    assert.equal(existsSync(path.join(folder, "users")), false);
  });
});
