import assert from "node:assert/strict";
import { BashHost } from "./bashHost";

const gib = 2 ** 21;

describe("a machine's own disk, to a deploy", function () {
  this.timeout(20_000);
  let host: BashHost;
  beforeEach(() => {
    host = new BashHost();
    host.write("proc/self/mountinfo", `22 1 259:1 / ${host.root} rw shared:1 - xfs /dev/nvme0n1p1 rw\n`);
    sizes(16 * gib, 16 * gib - 24_576 - 34);
  });
  afterEach(() => {
    host.remove();
  });

  /** Sectors of the disk and of its partition, where sysfs has them. */
  const sizes = (disk: number, partition: number): void => {
    const folder = "sys/dev/block/disk";
    host.write(`${folder}/size`, `${disk}\n`);
    host.write(`${folder}/uevent`, "MAJOR=259\nDEVNAME=nvme0n1\n");
    for (const [name, text] of [
      ["size", `${partition}`],
      ["start", "24576"],
      ["partition", "1"],
      ["uevent", "DEVNAME=nvme0n1p1\nDEVTYPE=partition"],
    ] as const)
      host.write(`${folder}/part/${name}`, `${text}\n`);
  };
  const stubs = `
ln -sfn disk/part "$ROOT/sys/dev/block/259:1"; MANAGER=dnf
growpart() { echo "growpart $* with $TMPDIR" >&4; return "\${GROWPART:-0}"; }
findmnt() { echo "\${TYPE:-xfs}"; }; stat() { cat "$ROOT/blocks" 2>/dev/null || echo 1; }
xfs_growfs() { echo "xfs_growfs $*" >&4; echo 2 >"$ROOT/blocks"; }; resize2fs() { echo "resize2fs $*" >&4; }
present() { [[ -z \${LACKS:-} ]]; }; install_packages() { echo "installs $*" >&4; }
`;
  /** What is done to the disk; `changes` as the deploy tells them at its end. */
  const deploy = async (env: Record<string, string> = {}, gibs = 16) => {
    const text = `${stubs}ROOT_GIB=${gibs}; root_disk; printf 'changed: %s\n' "\${CHANGES[@]}" >&4`;
    const { code, out } = await host.run(text, { HOMEPORT_ROOT_SECONDS: "0", ...env });
    return { code, did: out.replaceAll(host.root, "R").trim().split("\n") };
  };

  it("is left alone where the plan says nothing of it, and in a container, whose / may be a folder of another machine", async () => {
    assert.deepEqual((await host.run(`${stubs}ROOT_GIB=; root_disk`)).out, "");
    host.write("proc/self/mountinfo", `22 1 259:1 /containers/one ${host.root} rw - xfs /dev/nvme0n1p1 rw\n`);
    assert.deepEqual((await deploy()).did, ["changed:"]);
    host.write("proc/self/mountinfo", `22 1 0:31 / ${host.root} rw - overlay overlay rw\n`);
    assert.deepEqual((await deploy()).did, ["changed:"]);
  });

  it("is looked into once after each boot, and its partition not touched where it fills the disk", async () => {
    host.write("blocks", "2\n");
    assert.deepEqual((await deploy()).did, ["xfs_growfs R", "changed:"]);
    assert.deepEqual((await deploy()).did, ["changed:"]);
  });

  it("grows with its partition and file system, with nothing written to the disk that may be full", async () => {
    await deploy();
    host.write("blocks", "1\n");
    sizes(24 * gib, 16 * gib - 24_576 - 34);
    assert.deepEqual((await deploy({}, 24)).did, [
      "growpart /dev/nvme0n1 1 with R/stage",
      "xfs_growfs R",
      "changed: host: the file system on / has grown with its disk to 24 GiB",
    ]);
    sizes(32 * gib, 24 * gib - 24_576 - 34);
    assert.deepEqual((await deploy({ TYPE: "ext4", LACKS: "yes" }, 32)).did, [
      "installs cloud-utils-growpart",
      "growpart /dev/nvme0n1 1 with R/stage",
      "resize2fs /dev/nvme0n1p1",
      "changed:",
    ]);
  });

  it("fails the deploy where it can't grow, so that the next one tries again", async () => {
    sizes(24 * gib, 16 * gib);
    for (let turn = 0; turn < 2; turn++) {
      const { code, did } = await deploy({ GROWPART: "1" }, 24);
      assert.equal(code, 1);
      assert.match(did.at(-1) ?? "", /FAIL .*partition of \/ doesn't grow.*lsblk/);
    }
    const small = await deploy({}, 32);
    assert.match(
      small.did.at(-1) ?? "",
      /FAIL .*It has 24576 MiB, and is to have 32 GiB.*describe-volumes-modifications/,
    );
  });

  it("is told of where its file system is one that can't be grown here", async () => {
    const { progress, code } = await host.run(`${stubs}ROOT_GIB=16; root_disk`, { TYPE: "btrfs" });
    assert.equal(code, 0);
    assert.match(progress, /warning: the file system on \/ is btrfs/);
  });
});
