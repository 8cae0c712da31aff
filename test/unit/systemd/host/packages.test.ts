import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BashHost } from "./bashHost";

const everything =
  "python:3.11 node:20 uv sqlite postgres postgres:vector redis proxy container certbot s3 logrotate firewall";
const golden = join(__dirname, "../../../golden/host/packages.txt");

describe("the host's packages", () => {
  let host: BashHost;
  beforeEach(() => {
    host = new BashHost();
  });
  afterEach(() => {
    host.remove();
  });
  /** Records what would be installed, as this machine isn't one of those. */
  const stubs = `
apt_get() { :; }; systemctl() { :; }; postgres_version() { REPLY=17; }; init_postgres() { echo initdb >&4; }
apt-cache() { :; }; install_certbot() { echo 'certbot by pip' >&4; }
install_packages() { echo "$MANAGER: $*" >&4; for need in "\${NEEDED[@]}"; do made[$need]=yes; done; }
declare -A made=(); present() { [[ -n \${made[$1]:-} || $1 == certbot && -n \${made[jq]:-} ]]; }
`;

  it("have the names of golden text on each system (UPDATE_GOLDEN=1 rewrites it)", async () => {
    const apt = await host.run(`${stubs}MANAGER=apt NEEDS=(${everything}) MANAGE_FIREWALL=yes; packages`);
    const without = everything.replace("postgres:vector ", "");
    const dnf = await host.run(`${stubs}MANAGER=dnf NEEDS=(${without}); packages`);
    // A host with a database server elsewhere, CloudWatch, a data disk and one of its own that grows.
    const cloud = (manager: string): string =>
      `NEEDS=(psql s3); packages; read_table; for need in disk growpart; do package_of $need ${manager}; echo "$need: $REPLY" >&4; done`;
    const aptCloud = await host.run(`${stubs}MANAGER=apt; ${cloud("apt")}`);
    const dnfCloud = await host.run(`${stubs}MANAGER=dnf; ${cloud("dnf")}`);
    const text = `${apt.out}${dnf.out}${aptCloud.out}${dnfCloud.out}`.replaceAll(" ", "\n  ");
    if (process.env.UPDATE_GOLDEN === "1" || !existsSync(golden)) writeFileSync(golden, text);
    assert.equal(text, readFileSync(golden, "utf8"));
  });

  it("are asked for only where they lack", async () => {
    host.write("usr/bin/jq", "");
    host.write("usr/lib/postgresql/17/bin/postgres", "");
    const { out } = await host.run(
      `read_table; for need in jq postgres socat unknown; do present $need && echo $need >&4; done; true`,
    );
    assert.equal(out, "jq\npostgres\nunknown\n");
  });

  it("are refused by name where the system has none", async () => {
    const { out } = await host.run(`${stubs}MANAGER=dnf NEEDS=(postgres:vector); packages`);
    assert.match(out, /no package for \\"postgres:vector\\"/);
  });

  for (const [release, manager] of [
    ["ID=debian\nVERSION_ID=12", "apt"],
    ['ID=ubuntu\nID_LIKE="debian"', "apt"],
    ["ID=linuxmint\nID_LIKE=ubuntu", "apt"],
    ['ID="amzn"\nID_LIKE="fedora"', "dnf"],
    ['ID="rocky"\nID_LIKE="rhel centos fedora"', "dnf"],
  ] as const) {
    it(`come from ${manager} on ${release.split("\n")[0]}`, async () => {
      host.write("etc/os-release", `${release}\n`);
      assert.equal((await host.run(`find_manager; echo $MANAGER >&4`)).out, `${manager}\n`);
    });
  }

  it("come from nowhere on a system that isn't supported, which is said", async () => {
    host.write("etc/os-release", 'ID=alpine\nPRETTY_NAME="Alpine Linux v3.22"\n');
    const { code, out } = await host.run("find_manager");
    assert.equal(code, 1);
    assert.match(out, /Alpine Linux v3\.22 isn't supported/);
  });

  it("leave a host alone whose disk is full, and warn of volumes that can't be had", async () => {
    const df = (...lines: string[]): string =>
      `df() { printf '%s\\n' Avail ${lines.map((line) => `'${line}'`).join(" ")}; }\n`;
    const full = await host.run(`${df("150M 9000M")}check_space`);
    assert.match(full.out, /disk is full[^]*150 MiB free, and a deploy needs 200/);
    const plan = "SERVICES=(api) SERVICE=([api:volumes]=$'/data\\n/more' [api:volume-mib]=$'8000\\n10000')\n";
    const small = await host.run(`${plan}${df("500M 9000M", "500M 9000M", "500M 9000M")}check_space; echo on >&4`);
    assert.equal(small.out, "on\n");
    assert.match(
      small.progress,
      /warning: api's volume \/more is meant to need 10000 MiB; its disk has 9000, 500 of them free/,
    );
    assert.doesNotMatch(small.progress, /\/data/);
  });

  it("are found out of date by the clock of the deploying side", async () => {
    const now = Math.floor(Date.now() / 1000);
    assert.equal((await host.run("check_clock", { HOMEPORT_NOW: String(now) })).progress, "");
    assert.match((await host.run("check_clock", { HOMEPORT_NOW: String(now - 1000) })).progress, /clock differs/);
    assert.match(
      (await host.run("check_clock", { HOMEPORT_NOW: String(now - 100_000) })).out,
      /wrong by more than a day/,
    );
  });
});
