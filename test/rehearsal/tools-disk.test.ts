import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, statfsSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { aptInstall } from "../../rehearsal/host/tools";
import type { Disk, Host, Site } from "../../rehearsal/site";
import { growDisk, makeDisk, openSite } from "../../rehearsal/site";
import { BashHost } from "../unit/systemd/host/bashHost";
import { DeployApp, type Wish } from "./deployApp";

const mib = 2 ** 20;
/** CAP_SYS_RESOURCE, capabilities(7): ext4 asks for it, xfs doesn't. */
const sysResource = 24n;

describe("a machine's own disk, of which / is a partition", function () {
  this.timeout(120_000);
  let host: BashHost;
  let loop: string | undefined;
  const [point, file] = [(): string => join(host.root, "mnt"), (): string => join(host.root, "disk")];
  const call = (program: string, ...args: readonly string[]): string =>
    execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
  const freeMib = (): number => {
    const { bavail, bsize } = statfsSync(point());
    return (bavail * bsize) / mib;
  };
  before(() => aptInstall(["cloud-guest-utils", "fdisk", "xfsprogs"], () => undefined));
  beforeEach(() => {
    host = new BashHost();
    // The functions look at this machine: its programs, its mounts, and the kernel's word on its disks.
    for (const name of ["usr", "proc", "sys"]) symlinkSync(`/${name}`, join(host.root, name));
    mkdirSync(point());
  });
  afterEach(() => {
    if (loop !== undefined) {
      call("umount", point());
      call("partx", "--delete", loop);
      call("losetup", "--detach", loop);
    }
    loop = undefined;
    host.remove();
  });

  /** A disk of 1 GiB as images have it: a small partition before that of /. */
  const makeRoot = (partitions: string, ...[program = "", ...args]: readonly string[]): string => {
    call("truncate", "--size=1G", file());
    execFileSync("sfdisk", ["--quiet", file()], { input: `label: gpt\n,4M,U\n${partitions}`, stdio: "pipe" });
    const device = call("losetup", "--find", "--show", file());
    loop = device;
    call("partx", "--add", device);
    call(program, ...args, `${device}p2`);
    call("mount", `${device}p2`, point());
    return device;
  };
  const deploy = (gib: number) =>
    host.run(`MANAGER=apt ROOT_MOUNT=${point()} ROOT_GIB=${gib}; root_disk; printf '%s\n' "\${CHANGES[@]}" >&4`);

  for (const format of [
    ["mkfs.xfs", "-q"],
    ["mkfs.ext4", "-q"],
  ] as const) {
    it(`is grown in use and while it is full, by ${format[0]}`, async function () {
      const capabilities = /^CapEff:\s*(\w+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
      if (format[0] === "mkfs.ext4" && (BigInt(`0x${capabilities}`) >> sysResource) % 2n === 0n) {
        console.log("      not tried: the kernel lets nobody grow ext4 here (CAP_SYS_RESOURCE lacks)");
        this.skip();
      }
      const device = makeRoot(",,L\n", ...format);
      const first = await deploy(1);
      assert.deepEqual([first.code, first.out], [0, "\n"], first.progress);
      // To the last byte; what lies there stays.
      spawnSync("dd", ["if=/dev/zero", `of=${join(point(), "filler")}`, "bs=1M"], { stdio: "ignore" });
      writeFileSync(join(host.root, "sum"), call("cksum", join(point(), "filler")));
      assert.ok(freeMib() < 1, String(freeMib()));
      call("truncate", "--size=2G", file());
      call("losetup", "--set-capacity", device);
      const grown = await deploy(2);
      assert.equal(grown.code, 0, grown.progress + grown.out);
      assert.equal(grown.out, "host: the file system on / has grown with its disk to 2 GiB\n");
      assert.ok(freeMib() > 900, String(freeMib()));
      assert.equal(call("cksum", join(point(), "filler")), readFileSync(join(host.root, "sum"), "utf8"));
      assert.equal((await deploy(2)).out, "\n");
    });
  }

  it("keeps a deploy from looking as if it had room where another partition lies behind", async () => {
    makeRoot(",500M,L\n,,L\n", "mkfs.ext4", "-q");
    const { code, out } = await deploy(1);
    assert.equal(code, 1);
    assert.match(out, /The partition of \/ doesn't grow with its disk/);
  });
});

describe("a host's data disk", function () {
  this.timeout(300_000);
  let site: Site;
  let host: Host;
  let app: DeployApp;
  let disk: Disk;
  const apps: DeployApp[] = [];
  const wish: Wish = {
    version: "1",
    services: ["web"],
    databases: [
      { name: "db", engine: "postgres", database: "disk_test_db", password: "a password", extensions: ["vector"] },
      { name: "cache", engine: "redis", password: "another", memoryMib: 64 },
    ],
    plan: { dataDisk: { serial: "vol0a1b" } },
  };
  const newDisk = (serial: string): Disk => {
    const file = join(site.folder, `${serial}.disk`);
    makeDisk(file, 400 * mib);
    return { serial, file };
  };
  const on = (one: Host, name = "disk"): DeployApp => {
    const made = new DeployApp(one, name, 8000 + 10 * apps.length);
    apps.push(made);
    return made;
  };
  const size = async (): Promise<number> => Number(await app.shell("df -m --output=size /mnt/homeport | tail -1"));
  const sql = (one: DeployApp, text: string): Promise<string> =>
    one.shell(`cd / && runuser -u postgres -- psql -qAt -v ON_ERROR_STOP=1 disk_test_db -c "${text}"`);
  const refused = async (one: DeployApp, wanted: Wish, why: RegExp): Promise<void> => {
    const { code, stderr } = await one.run(wanted);
    assert.notEqual(code, 0, "it was not refused");
    assert.match(stderr, why);
  };

  before(async () => {
    site = await openSite({ log: () => undefined });
    host = await site.host("first");
    app = on(host);
    disk = newDisk("vol0a1b");
  });
  after(async () => {
    for (const one of apps) one.remove();
    await site.close();
  });

  it("is waited for, formatted where it is blank, and holds all that is data", async () => {
    const late = setTimeout(() => void host.attach(disk), 3_000);
    const result = await app.deploy(wish);
    clearTimeout(late);
    assert.ok(result.changes.includes("host: data disk vol0a1b is at /mnt/homeport"), result.changes.join("\n"));
    for (const place of ["/var/lib/disk-test", "/var/backups/disk-test", "/var/lib/postgresql"]) {
      assert.match(await app.shell(`df --output=source ${place}`), /vol0a1b/, place);
    }
    await app.shell("echo kept >/var/lib/disk-test/data/note && chown disk-test: /var/lib/disk-test/data/note");
    await app.shell("echo newer >/var/lib/disk-test/data/.secrets/SESSION");
    await sql(app, "CREATE TABLE kept AS SELECT 42 AS n; ALTER TABLE kept OWNER TO disk_test_db");
    assert.equal((await app.ask()).version, "1");
    // Neither the app's user nor another sees the disk but by the app's own folder.
    assert.notEqual((await host.exec("runuser -u disk-test -- ls /mnt/homeport")).code, 0);
  });

  it("changes nothing when nothing has changed", async () => {
    assert.deepEqual((await app.deploy(wish)).changes, []);
  });

  it("is grown in use", async () => {
    const before = await size();
    makeDisk(disk.file, 700 * mib);
    await growDisk(disk.file);
    const pid = await app.shell("systemctl show -P MainPID disk-test-web-a@1.service");
    await app.deploy(wish);
    assert.ok((await size()) > before + 250, `${await size()} MiB, ${before} before`);
    assert.equal(await app.shell("systemctl show -P MainPID disk-test-web-a@1.service"), pid);
  });

  it("is there again after a reboot, before what needs it", async () => {
    await host.reboot();
    await app.shell("systemctl is-system-running --wait");
    assert.equal((await app.ask()).version, "1");
    assert.equal(await app.shell("cat /var/lib/disk-test/data/note"), "kept");
    assert.equal(await sql(app, "SELECT n FROM kept"), "42");
    assert.match(await app.shell("df --output=source /var/lib/postgresql"), /vol0a1b/);
  });

  it("is waited for at boot: nothing of the app starts without it, and all of it when it comes", async () => {
    await host.detach(disk);
    await host.reboot();
    await app.shell("sleep 3; ! systemctl -q is-active disk-test-web-a@1.service disk-test-redis-cache.service");
    assert.equal(await app.shell("systemctl show -P ActiveState homeport-data.service"), "activating");
    assert.equal(await app.shell("find /var/lib/disk-test /var/lib/postgresql -newer /proc/1 ! -type d | head"), "");
    await host.attach(disk);
    await app.shell("systemctl is-system-running --wait");
    assert.equal((await app.ask()).version, "1");
  });

  it("starts what has given up on it, once it comes", async () => {
    await host.detach(disk);
    await app.shell("systemctl stop homeport-data.service && /usr/local/lib/homeport/data-disk release");
    await host.exec("HOMEPORT_DISK_SECONDS=0 /usr/local/lib/homeport/data-disk mount");
    assert.notEqual((await host.exec("systemctl -q is-active disk-test-web-a@1.service")).code, 0);
    await host.attach(disk);
    await app.shell(
      "systemctl start homeport-data.service; for i in $(seq 100); do systemctl -q is-active disk-test-web-a@1.service && exit; sleep 0.2; done; systemctl list-jobs; exit 1",
    );
    assert.equal((await app.ask()).version, "1");
  });

  it("isn't formatted where it holds anything, nor mounted where its file system isn't known", async () => {
    const strange = newDisk("vol0c");
    await host.attach(strange);
    const path = "/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0c";
    const other = on(await site.host("other"), "other");
    await (await site.host("other")).attach(strange);
    const wanted: Wish = { version: "1", services: ["web"], plan: { dataDisk: { serial: "vol0c" } } };
    // A partition of type 83 from sector 2048 on, and the signature of a boot sector.
    await app.shell(
      `printf '\\0\\0\\0\\0\\x83\\0\\0\\0\\0\\x8\\0\\0\\0\\x10\\0\\0' | dd of=${path} bs=1 seek=446 status=none
       printf '\\x55\\xaa' | dd of=${path} bs=1 seek=510 status=none`,
    );
    await refused(other, wanted, /neither blank nor has a file system of its own[^]*partition table \(dos\)/);
    await app.shell(`wipefs -qa ${path} && printf somebody | dd of=${path} bs=4k seek=3 conv=notrunc status=none`);
    await refused(other, wanted, /something that isn't known[^]*wipefs/);
    assert.match(await app.shell(`dd if=${path} bs=4k skip=3 count=1 status=none | head -c 8`), /somebody/);
    await host.detach(strange);
    await (await site.host("other")).stop();
  });

  it("doesn't hide data that lies on the machine's own disk", async () => {
    const plain = on(host, "plain");
    await plain.deploy({ version: "1", services: ["web"] });
    await plain.shell("echo precious >/var/lib/plain-test/data/precious");
    const wanted: Wish = { version: "1", services: ["web"], plan: { dataDisk: { serial: "vol0a1b" } } };
    const { code, stderr } = await plain.run(wanted);
    assert.equal(code, 1);
    assert.match(stderr, /belongs on its data disk: \/var\/lib\/plain-test/);
    assert.equal(await plain.shell("cat /var/lib/plain-test/data/precious"), "precious");
    assert.equal((await plain.ask()).version, "1");
    // The commands that it names do it.
    const [, commands] = /meanwhile\): (.*); then deploy again/.exec(stderr) ?? [];
    await plain.shell(commands ?? "false");
    await plain.deploy(wanted);
    assert.equal(await plain.shell("cat /var/lib/plain-test/data/precious"), "precious");
    assert.match(await plain.shell("df --output=source /var/lib/plain-test"), /vol0a1b/);
    await plain.deploy({ ...wanted, onDelete: "delete data" }, "delete");
    await plain.shell("[ ! -e /mnt/homeport/lib/plain-test ] && [ ! -e /var/lib/plain-test ]");
    assert.equal((await app.ask()).version, "1");
  });

  it("takes its data to a new machine, where users have other numbers and Postgres isn't installed", async () => {
    const next = await site.host("second");
    await next.exec(
      `DEBIAN_FRONTEND=noninteractive apt-get -yq purge 'postgresql*' >/dev/null; userdel postgres
       rm -rf /var/lib/postgresql /etc/postgresql; useradd --system -u 102 squatter; useradd --system -u 999 squatter2; true`,
    );
    await host.stop();
    await next.attach(disk);
    const moved = on(next);
    const { changes } = await moved.deploy(wish);
    assert.ok(!changes.some((change) => change.includes("SESSION")), "the app's own version of a file was overwritten");
    assert.equal(await sql(moved, "SELECT n FROM kept"), "42");
    assert.equal(await moved.shell("stat -c %U /var/lib/disk-test/data/note"), "disk-test");
    assert.equal(await moved.shell("cat /var/lib/disk-test/data/.secrets/SESSION"), "newer");
    const numbers = "for u in postgres disk-test; do id -u $u; done";
    assert.doesNotMatch(await moved.shell(numbers), /\b(102|999)\b/);
    assert.equal(await moved.shell("find /mnt/homeport -nouser -o -uid 102 -o -uid 999"), "");
    await next.reboot();
    await moved.shell("systemctl is-system-running --wait");
    assert.equal(await sql(moved, "SELECT n FROM kept"), "42");
    assert.equal((await moved.ask()).version, "1");

    await moved.deploy({ ...wish, onDelete: "keep data" }, "delete");
    // Nothing holds it any more: the volume may be taken off.
    assert.equal(await moved.shell("grep -c vol0a1b /proc/self/mountinfo || true"), "1");
    await moved.shell("mount /dev/disk/by-id/*vol0a1b /mnt && cat /mnt/lib/disk-test/data/note && umount /mnt");
  });
});
