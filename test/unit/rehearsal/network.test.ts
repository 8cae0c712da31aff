import assert from "node:assert/strict";
import fc from "fast-check";
import { overlaps, pickSubnet, reachableNameservers, rules } from "../../../rehearsal/host/network";

describe("a rehearsal's network", () => {
  const byte = fc.integer({ min: 0, max: 255 });

  it("overlaps a route that holds it, that it holds, and no other", () => {
    assert.ok(overlaps("10.150.7", "10.0.0.0/8"));
    assert.ok(overlaps("10.150.7", "10.150.7.53"));
    assert.ok(overlaps("10.150.7", "10.150.0.0/16"));
    assert.ok(overlaps("10.150.7", "0.0.0.0/0"));
    assert.ok(!overlaps("10.150.7", "10.150.8.0/24"));
    assert.ok(!overlaps("10.150.7", "10.151.0.0/16"));
    assert.ok(!overlaps("10.150.7", "default"));
    assert.ok(!overlaps("10.150.7", "fd00::/64"));
  });

  it("overlaps a route exactly if they share an address", () => {
    fc.assert(
      fc.property(byte, byte, byte, byte, fc.integer({ min: 1, max: 32 }), (a, b, c, d, bits) => {
        const number = (text: string): number => text.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
        const size = 2 ** (32 - bits);
        const first = Math.floor(number(`10.${a}.${b}.${c}`) / size) * size;
        const own = number(`10.${a}.${d}.0`);
        const shared = first < own + 256 && own < first + size;
        assert.equal(overlaps(`10.${a}.${d}`, `10.${a}.${b}.${c}/${bits}`), shared);
      }),
    );
  });

  it("is in nobody's way: not in a route, a nameserver or podman's own networks", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(byte, byte)), (used) => {
        const taken = used.map(([a, b]) => `10.${a}.${b}.0/24`);
        const subnet = pickSubnet(taken);
        assert.match(subnet, /^10\.(12[89]|1[3-8]\d|19[01])\.\d+$/);
        assert.ok(taken.every((route) => route !== `${subnet}.0/24`));
      }),
    );
    assert.equal(pickSubnet(["10.128.0.0/24"], counter()), "10.129.1");
    assert.throws(() => pickSubnet(["10.0.0.0/8"]), /`ip route` shows what uses it/);
  });

  /** A chance that counts: 0, 0, 1, 1, 2, … */
  function counter(): (below: number) => number {
    let calls = 0;
    return (below) => Math.floor(calls++ / 2) % below;
  }

  it("translates what leaves the subnet and nothing that stays in it", () => {
    const text = rules({ bridge: "hpab", table: "homeport_ab", subnet: "10.150.7", gateway: "10.150.7.1", mtu: 1500 });
    assert.match(text, /ip saddr 10\.150\.7\.0\/24 ip daddr != 10\.150\.7\.0\/24 masquerade/);
    assert.match(text, /^table ip homeport_ab\ndelete table ip homeport_ab\ntable ip homeport_ab \{$/m);
  });

  it("gives hosts the nameservers that aren't on loopback", () => {
    const stub = "# stub\nnameserver 127.0.0.53\noptions edns0\n";
    assert.deepEqual(reachableNameservers(stub, "nameserver 192.0.2.1\nnameserver  fd00::1\n"), ["192.0.2.1"]);
    assert.deepEqual(reachableNameservers(stub), []);
  });
});
