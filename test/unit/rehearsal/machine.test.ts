import assert from "node:assert/strict";
import fc from "fast-check";
import { groupFolders } from "../../../rehearsal/host/cgroup";
import { parseReference } from "../../../rehearsal/host/image";
import type { Machine } from "../../../rehearsal/host/machine";
import { planMachine } from "../../../rehearsal/host/machine";
import { certificates, recipe, rootName } from "../../../rehearsal/host/recipe";

const network = { bridge: "hpab12cd", table: "t", subnet: "10.150.7", gateway: "10.150.7.1", mtu: 1500 };

function plan(name: string, index: number): Machine {
  return planMachine({ name, index, tag: "ab12cd", network, folder: "/f", root: "/r" });
}

describe("a rehearsal's machine", () => {
  it("has names of its own, short enough for what they name", () => {
    const index = fc.integer({ min: 0, max: 200 });
    fc.assert(
      fc.property(index, index, (one, other) => {
        const [a, b] = [plan("a", one), plan("b", other)];
        assert.ok(a.link.length <= 15, "an interface's name holds 15 characters");
        assert.equal(a.address === b.address || a.link === b.link || a.mac === b.mac, one === other);
        assert.match(a.mac, /^02(:[0-9a-f]{2}){5}$/);
      }),
    );
    assert.ok(plan("a".repeat(30), 0).unit.length <= 64, "a machine's name holds 64 characters");
  });

  it("is refused a name that can't be a hostname", () => {
    for (const name of ["", "A", "a_b", "-a", "a-", "1a", "a".repeat(31), "a/b", "a b"]) {
      assert.throws(() => plan(name, 0), /can't be a rehearsal host's name: use 1 to 30/, name);
    }
    assert.throws(() => plan("a", 201), /200 hosts at most/);
  });

  it("lies in both hierarchies of control groups where a machine has two", () => {
    const unified = "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n";
    const hybrid =
      "cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0\n" +
      "cgroup /sys/fs/cgroup/systemd cgroup rw,relatime,name=systemd 0 0\n" +
      "cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n";
    assert.deepEqual(groupFolders("x", unified), ["/sys/fs/cgroup/x"]);
    assert.deepEqual(groupFolders("x", hybrid), ["/sys/fs/cgroup/unified/x", "/sys/fs/cgroup/systemd/x"]);
    assert.throws(() => groupFolders("x", "proc /proc proc rw 0 0\n"), /no cgroup version 2 hierarchy/);
  });
});

describe("a host's root", () => {
  const mirror = "http://mirror.example/debian";

  it("is made anew when anything that it is made from changes, and else found again", () => {
    const names = [recipe("trixie", mirror, []), recipe("bookworm", mirror, []), recipe("trixie", mirror, ["a"])].map(
      rootName,
    );
    assert.equal(new Set(names).size, 3);
    assert.equal(rootName(recipe("trixie", mirror, [])), names[0]);
    assert.match(names[0]!, /^trixie-[0-9a-f]{12}$/);
  });

  it("takes security updates from beside the mirror", () => {
    const { sources } = recipe("trixie", "http://mirror.example/debian/", []);
    assert.equal(sources[2], "deb http://mirror.example/debian-security trixie-security main");
  });

  it("has pgvector where Debian has it", () => {
    assert.ok(recipe("trixie", mirror, []).packages.includes("postgresql-17-pgvector"));
    assert.ok(!recipe("bookworm", mirror, []).packages.some((name) => name.includes("pgvector")));
  });

  it("trusts each certificate of a bundle", () => {
    const one = "-----BEGIN CERTIFICATE-----\nMIIB+/==\n-----END CERTIFICATE-----";
    const two = one.replace("MIIB", "MIIC");
    assert.deepEqual(certificates(`# a comment\n${one}\n\n# another\n${two}\n`), [one, two]);
    assert.deepEqual(certificates("nothing"), []);
  });
});

describe("an image's name", () => {
  for (const [reference, repository, tag] of [
    ["docker.io/unclecode/crawl4ai:0.7.4", "docker.io/unclecode/crawl4ai", "0.7.4"],
    ["unclecode/crawl4ai", "docker.io/unclecode/crawl4ai", "latest"],
    ["redis:7", "docker.io/library/redis", "7"],
    ["localhost/own", "localhost/own", "latest"],
    ["registry.example:5000/own", "registry.example:5000/own", "latest"],
    ["registry.example:5000/own/it:1.2", "registry.example:5000/own/it", "1.2"],
  ] as const) {
    it(`${reference} is ${repository}, tag ${tag}`, () => {
      assert.deepEqual(parseReference(reference), { repository, tag });
    });
  }
});
