import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { EngineError } from "../../../engine";
import { explainGo, goBuild, neededGo, pinnedVersion } from "../../../engine/golang";
import { understudiesFolder } from "../../../engine/understudies";

const project = path.join(__dirname, "..", "..", "..");
const read = (...names: string[]): string => readFileSync(path.join(project, ...names), "utf8");

describe("The pinned modules", () => {
  const ours = read("engine", "go.mod");
  const theirs = readFileSync(path.join(understudiesFolder, "go.mod"), "utf8");
  const versions = (goMod: string): Map<string, string> =>
    new Map(
      [...goMod.matchAll(/^(?:require)?\s+(\S+\.\S+\/\S+|\S+\.\S+) (v\S+)/gm)].map(([, name, at]) => [name!, at!]),
    );

  it("are the CLI of the SDK's own version", () => {
    const { dependencies } = JSON.parse(read("package.json")) as { dependencies: Record<string, string> };
    assert.equal(pinnedVersion(ours, "github.com/pulumi/pulumi/pkg/v3"), dependencies["@pulumi/pulumi"]);
    assert.equal(pinnedVersion(theirs, "github.com/pulumi/pulumi/sdk/v3"), dependencies["@pulumi/pulumi"]);
  });

  it("are the same for the CLI and the understudies, so that what was compiled serves both", () => {
    const [cli, understudies] = [versions(ours), versions(theirs)];
    const shared = [...understudies].filter(([name]) => cli.has(name));
    assert.ok(shared.length > 50, `only ${String(shared.length)} shared modules found`);
    assert.deepEqual(
      shared.filter(([name, version]) => cli.get(name) !== version),
      [],
    );
  });

  it("are found in a block and on a line of its own", () => {
    const goMod =
      "module x\n\ngo 1.24.7\n\nrequire example.org/one v1.2.3\n\nrequire (\n\texample.org/two/v2 v2.0.0 // indirect\n)\n";
    assert.equal(pinnedVersion(goMod, "example.org/one"), "1.2.3");
    assert.equal(pinnedVersion(goMod, "example.org/two/v2"), "2.0.0");
    assert.equal(pinnedVersion(goMod, "example.org/two"), undefined);
    assert.equal(neededGo(goMod), "1.24.7");
  });
});

describe("A build that fails", () => {
  it("names the module that could not be fetched", () => {
    const stderr = [
      "go: downloading example.org/one v1.0.0",
      'main.go:4:2: example.org/one@v1.0.0: Get "https://proxy/one.zip": dial tcp: lookup proxy: no such host',
    ].join("\n");
    const { why, isDownload } = explainGo(stderr);
    assert.ok(isDownload);
    assert.match(why, /^main\.go:4:2: example\.org\/one@v1\.0\.0: .*no such host$/);
    const refused = "go: example.org/one@v1.0.0: reading https://proxy/one.info: 403 Forbidden";
    assert.deepEqual(explainGo(refused), { why: refused, isDownload: true });
  });

  it("tells the compiler's last lines otherwise", () => {
    const { why, isDownload } = explainGo("# example.org/x\n./main.go:3:1: syntax error\n");
    assert.equal(isDownload, false);
    assert.equal(why, "# example.org/x; ./main.go:3:1: syntax error");
  });

  describe("for want of Go", () => {
    let folder: string;
    const before = process.env["PATH"];
    beforeEach(() => {
      folder = mkdtempSync(path.join(tmpdir(), "homeport-go-"));
      writeFileSync(path.join(folder, "go.mod"), "module x\n\ngo 1.24.7\n");
      process.env["PATH"] = folder;
    });
    afterEach(() => {
      process.env["PATH"] = before;
      rmSync(folder, { recursive: true });
    });
    const build = async (): Promise<string> => {
      const wanted = { what: "the Pulumi CLI", module: folder, packages: ["."], variables: {} };
      const failure = await goBuild(wanted, path.join(folder, "out"), () => undefined).catch((error: unknown) => error);
      assert.ok(failure instanceof EngineError);
      return failure.message;
    };

    it("says so, and what mends it", async () => {
      const message = await build();
      assert.match(message, /^Can't build the Pulumi CLI\.\nWhy: there is no `go` on PATH/);
      assert.match(message, /\nMend: install Go 1\.24\.7 or later/);
      assert.match(message, /\nMend: or install Pulumi itself/);
    });

    it("names the version where it is too old and may fetch no newer one", async () => {
      const go = path.join(folder, "go");
      writeFileSync(go, '#!/bin/sh\n[ "$2" = GOVERSION ] && echo go1.22.2 || echo local\n');
      chmodSync(go, 0o755);
      assert.match(await build(), /Why: it needs Go 1\.24\.7 or later, and `go` is 1\.22\.2\n/);
    });
  });
});
