import assert from "node:assert/strict";
import { join } from "node:path";
import type { Desk } from "./desk";
import { makeDesk } from "./desk";

describe("what lies on a data disk", () => {
  let desk: Desk;
  const line = (folder: string, point: string): string =>
    `40 30 259:3 ${folder} ${join(desk.root, point)} rw shared:5 - xfs /dev/nvme1n1 rw\n`;
  beforeEach(() => {
    desk = makeDesk();
    desk.write("etc/homeport/disk", "SERIAL=vol1\n");
    desk.write("dev/disk/by-id/nvme-disk_vol1", "");
    desk.write("run/homeport/data-disk", "vol1 259:3 62914560\n");
    desk.write("sys/dev/block/259:3/size", "62914560\n");
    for (const part of ["shop-prod", "till-prod"]) desk.write(`mnt/homeport/lib/${part}/data`, "");
    desk.script("findmnt", "echo xfs");
    desk.script("mount", "true");
  });
  afterEach(() => {
    desk.remove();
  });
  const mounts = (): string[] => desk.calls().filter((call) => call.startsWith("mount "));

  it("is mounted in its place once, also where many more mounts are told after it", async () => {
    const others = Array.from({ length: 2_000 }, (_, n) => line(`/backups/app-${n}`, `var/backups/app-${n}`));
    const there = [line("/", "mnt/homeport"), line("/lib/shop-prod", "var/lib/shop-prod")];
    desk.write("proc/self/mountinfo", [...there, ...others].join(""));
    const done = await desk.run("data-disk", ["mount"]);
    assert.equal(done.code, 0, done.stderr);
    const from = join(desk.root, "mnt/homeport/lib/till-prod");
    assert.deepEqual(mounts(), [`mount --bind ${from} ${join(desk.root, "var/lib/till-prod")}`]);
  });
});
