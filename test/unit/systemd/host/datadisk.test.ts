import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { BashHost } from "./bashHost";

const line = (folder: string, point: string, device = "259:3"): string =>
  `40 30 ${device} ${folder} ${point} rw shared:5 - xfs /dev/nvme1n1 rw`;

describe("a host's data disk, to a deploy", function () {
  this.timeout(20_000);
  let host: BashHost;
  beforeEach(() => {
    host = new BashHost();
    host.write("sys/dev/block/259:3/size", "62914560\n");
    host.write("run/homeport/data-disk", "vol1 259:3 62914560\n");
  });
  afterEach(() => {
    host.remove();
  });
  const mounted = (...lines: readonly string[]): void => {
    host.write("proc/self/mountinfo", lines.map((one) => `${one}\n`).join(""));
  };
  const all = (): string[] => [
    line("/", join(host.root, "mnt/homeport")),
    line("/lib/shop-test", join(host.root, "var/lib/shop-test")),
    line("/backups/shop-test", join(host.root, "var/backups/shop-test")),
  ];
  /** Whether a deploy would call the tool. */
  const prepares = async (needs = "", serial = "vol1"): Promise<string> =>
    (
      await host.run(
        `with_host() { "$@"; }; prepare_disk() { echo "$*" >&4; }; DATA_SERIAL=${serial} NEEDS=(${needs}); data_disk`,
      )
    ).out;

  it("needs nothing where all of it is mounted", async () => {
    mounted(...all());
    assert.equal(await prepares(), "");
    assert.equal(await prepares("", "''"), "");
  });

  it("is prepared where a part isn't mounted, another disk is, or it has grown", async () => {
    const parts = "lib/shop-test backups/shop-test";
    mounted(...all().slice(0, 2));
    assert.equal(await prepares(), `${parts}\n`);
    mounted(...all());
    assert.equal(await prepares("postgres"), `${parts} postgresql\n`);
    assert.equal(await prepares("", "vol2"), `${parts}\n`);
    host.write("sys/dev/block/259:3/size", "62914561\n");
    assert.equal(await prepares(), `${parts}\n`);
    mounted();
    assert.equal(await prepares(), `${parts}\n`);
  });

  const users = `
getent() { case "$1 $2" in 'passwd shop') echo shop:x:\${UID_NOW:-}:\${GID_NOW:-}::/:/bin/false;; 'passwd 900') ((\${TAKEN:-0}));; *) false;; esac; }
useradd() { echo "useradd $*" >&4; }; groupadd() { echo "groupadd $*" >&4; }; chown() { echo "chown $*" >&4; }
DATA_SERIAL=vol1; DATA_MOUNT=$ROOT/mnt/homeport
`;
  it("gives users the numbers that it knows them by, where nobody has them", async () => {
    host.write("mnt/homeport/owners", "other 901 901\nshop 900 902\n");
    const add = `kept_ids shop; add_user shop "$REPLY" --shell /bin/false`;
    assert.equal(
      (await host.run(`${users}${add}`)).out,
      "groupadd --system --gid 902 shop\nuseradd --system --uid 900 --gid 902 --no-create-home --shell /bin/false shop\n",
    );
    assert.equal(
      (await host.run(`${users}TAKEN=1; ${add}`)).out,
      "useradd --system --user-group --no-create-home --shell /bin/false shop\n",
    );
    assert.equal(
      (await host.run(`${users}kept_ids new; add_user new "$REPLY"`)).out,
      "useradd --system --user-group --no-create-home new\n",
    );
  });

  it("gives a user with other numbers what was its own, remembers them after, and only then", async () => {
    host.write("mnt/homeport/owners", "other 901 901\nshop 900 902\n");
    host.write("mnt/homeport/lib/shop-test/x", "");
    const folder = join(host.root, "mnt/homeport/lib/shop-test");
    const own = `UID_NOW=700 GID_NOW=701; own_kept shop ${folder}`;
    await host.run(`${users}chown() { kill -9 $$; }; ${own}`);
    const { out } = await host.run(`${users}${own}; ${own}`);
    assert.equal(out, `chown -hR --from=900 700 ${folder}\nchown -hR --from=:902 :701 ${folder}\n`);
    assert.equal(readFileSync(join(host.root, "mnt/homeport/owners"), "utf8"), "other 901 901\nshop 700 701\n");
  });

  it("keeps what is known of files that the app rewrites", async () => {
    host.write("var/lib/shop-test/data", "");
    await host.run(`DATA_SERIAL=vol1; mark rewritten:api:TOKEN sum; mark password:db x`);
    const text = `rm -r "$CONF"; mkdir "$CONF"; load_marks; echo "\${MARK[rewritten:api:TOKEN]} \${MARK[password:db]:-none}" >&4`;
    assert.equal((await host.run(text)).out, "sum none\n");
  });

  it("of another major version of PostgreSQL is refused", async () => {
    host.write("mnt/homeport/postgresql/15/main/PG_VERSION", "15\n");
    const { code, out } = await host.run(`MANAGER=apt; postgres_version() { REPLY=17; }; same_postgres`);
    assert.equal(code, 1);
    assert.match(out, /holds databases of PostgreSQL 15, and this machine has 17/);
    assert.equal((await host.run(`MANAGER=apt; postgres_version() { REPLY=15; }; same_postgres`)).code, 0);
  });
});
