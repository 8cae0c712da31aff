import assert from "node:assert/strict";
import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { symlinkSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fingerprint, folder, SourceError } from "../../../drivers/source";
import { stageContext } from "../../../targets/containers/context";

describe("a build's context", () => {
  let project: string;
  const code = async (path = "app") => {
    const source = folder(path);
    return { source, fingerprint: await fingerprint(source, { cwd: project }) };
  };
  const stage = async () => stageContext(project, "dev", "web", await code());
  const read = (...path: string[]) => readFileSync(join(project, ...path), "utf8");

  beforeEach(() => {
    project = mkdtempSync(join(tmpdir(), "homeport-context-"));
    mkdirSync(join(project, "app", "bin"), { recursive: true });
    writeFileSync(join(project, "app", "Dockerfile"), "FROM scratch\n");
    writeFileSync(join(project, "app", "bin", "run"), "#!/bin/sh\n");
    chmodSync(join(project, "app", "bin", "run"), 0o700);
    symlinkSync("bin/run", join(project, "app", "start"));
  });
  afterEach(() => {
    rmSync(project, { recursive: true, force: true });
  });

  it("lies at a path that tells neither what it holds nor where the checkout is", async () => {
    assert.equal(await stage(), ".homeport/contexts/dev/web");
    writeFileSync(join(project, "app", "Dockerfile"), "FROM busybox\n");
    assert.equal(await stage(), ".homeport/contexts/dev/web");
  });

  it("lies elsewhere where that is asked for, told relative to the project", async () => {
    process.env["HOMEPORT_CONTEXTS"] = join(project, "else", "where");
    try {
      assert.equal(await stage(), "else/where/dev/web");
      assert.ok(existsSync(join(project, "else/where/dev/web/Dockerfile")));
    } finally {
      delete process.env["HOMEPORT_CONTEXTS"];
    }
  });

  it("holds the source's files, links and modes, whatever the umask", async () => {
    const before = process.umask(0o077);
    try {
      const context = await stage();
      assert.equal(read(context, "Dockerfile"), "FROM scratch\n");
      assert.equal(statSync(join(project, context, "bin", "run")).mode & 0o777, 0o755);
      assert.equal(statSync(join(project, context, "Dockerfile")).mode & 0o777, 0o644);
      assert.ok(lstatSync(join(project, context, "start")).isSymbolicLink());
    } finally {
      process.umask(before);
    }
  });

  it("is replaced as a whole when the source has changed, and left alone when it hasn't", async () => {
    const context = await stage();
    const { ino } = statSync(join(project, context));
    await stage();
    assert.equal(statSync(join(project, context)).ino, ino);
    rmSync(join(project, "app", "start"));
    writeFileSync(join(project, "app", "new"), "");
    await stage();
    assert.deepEqual(readdirSync(join(project, context)).sort(), ["Dockerfile", "bin", "new"]);
  });

  it("is laid out again where a run was killed between the files and their note", async () => {
    const context = await stage();
    rmSync(join(project, `${context}.id`));
    rmSync(join(project, context, "Dockerfile"));
    await stage();
    assert.ok(existsSync(join(project, context, "Dockerfile")));
  });

  it("clears away what killed runs left, once it is old", async () => {
    await stage();
    const left = ["old", "young"].map((name) => join(project, ".homeport/contexts/dev", `web.part-${name}`));
    for (const path of left) mkdirSync(path);
    utimesSync(left[0]!, new Date(0), new Date(0));
    writeFileSync(join(project, "app", "new"), "");
    await stage();
    assert.deepEqual(left.map(existsSync), [false, true]);
  });

  it("isn't laid out twice by two runs at once", async () => {
    const given = await code();
    await Promise.all([1, 2, 3].map(() => stageContext(project, "dev", "web", given)));
    assert.deepEqual(readdirSync(join(project, ".homeport/contexts/dev")).sort(), ["web", "web.id"]);
  });

  it("leaves the one before in place when the source can't be read", async () => {
    const context = await stage();
    const given = await code();
    writeFileSync(join(project, "app", "Dockerfile"), "FROM busybox\n");
    const changed = { ...given, fingerprint: { ...given.fingerprint, id: "0".repeat(16) } };
    await assert.rejects(stageContext(project, "dev", "web", changed), SourceError);
    assert.equal(read(context, "Dockerfile"), "FROM scratch\n");
    assert.deepEqual(readdirSync(join(project, ".homeport/contexts/dev")).sort(), ["web", "web.id"]);
  });
});
