import assert from "node:assert/strict";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { BashHost } from "./bashHost";

describe("taking an app off a host", () => {
  let host: BashHost;
  beforeEach(() => {
    host = new BashHost();
  });
  afterEach(() => {
    host.remove();
  });
  const declared =
    "DATABASES=(db cache far); declare -gA DATABASE=([db:engine]=postgres [db:database]=shop_test__db" +
    " [cache:engine]=redis [far:engine]=postgres [far:address]=10.0.0.9 [far:database]=shop_test__far); ";

  it("says what data stays on it, and the commands that delete it", async () => {
    host.write("var/lib/shop-test/data/file", "x");
    host.write("usr/bin/psql", "#!/bin/sh\n");
    chmodSync(join(host.root, "usr/bin/psql"), 0o755);
    const { code, progress } = await host.run(`${declared}tell_kept`);
    assert.equal(code, 0, progress);
    const folder = join(host.root, "var/lib/shop-test");
    assert.ok(
      progress.includes(
        `its data stays: the database shop_test__db, ${folder}. ` +
          `To delete it: sudo -u postgres dropdb shop_test__db; sudo rm -r ${folder}\n`,
      ),
      progress,
    );
  });

  it("says nothing of data where there is none", async () => {
    const { code, progress } = await host.run("DATABASES=(); tell_kept");
    assert.equal(code, 0);
    assert.equal(progress, "");
  });
});
