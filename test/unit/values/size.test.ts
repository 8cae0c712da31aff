import assert from "node:assert/strict";
import fc from "fast-check";
import { InvalidValue } from "../../../components/values/invalid";
import { Size } from "../../../components/values/size";

const sizes = fc
  .oneof(
    fc.integer({ min: 0, max: 2 ** 50 }),
    fc.integer({ min: 0, max: 5000 }).map((mib) => mib * 2 ** 20),
  )
  .map((bytes) => Size.bytes(bytes));

describe("Size", () => {
  it("reads back what it prints", () => {
    fc.assert(
      fc.property(sizes, (size) => {
        assert.equal(Size.parse(size.toString()).toBytes(), size.toBytes());
        assert.equal(Size.parse(JSON.parse(JSON.stringify(size)) as string).compare(size), 0);
      }),
    );
  });

  it("counts in powers of 1024", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4000 }), (amount) => {
        assert.equal(Size.kib(amount).toBytes(), amount * 1024);
        assert.equal(Size.mib(amount).toBytes(), amount * 1024 ** 2);
        assert.equal(Size.gib(amount).toMib(), amount * 1024);
        assert.equal(Size.tib(amount).toGib(), amount * 1024);
        assert.equal(Size.tib(amount).toTib(), amount);
      }),
    );
  });

  it("reads sizes with and without a space", () => {
    assert.equal(Size.parse("30 GiB").toGib(), 30);
    assert.equal(Size.parse(" 512MiB ").toMib(), 512);
    assert.equal(Size.parse("1.5 GiB").toMib(), 1536);
    assert.equal(Size.parse("7 bytes").toBytes(), 7);
  });

  it("refuses units that mean two things, and says which one is sure", () => {
    assert.throws(() => Size.parse("30 GB"), /unknown unit "GB"; write 30 GiB/);
    assert.throws(() => Size.parse("30g"), /write 30 GiB/);
    assert.throws(() => Size.parse("30 gib"), /write 30 GiB/);
    assert.throws(() => Size.parse("30 cubits"), /the units are KiB, MiB, GiB and TiB/);
    for (const text of ["", "30", "GiB", "-1 GiB", "1 GiB 5 MiB", "1e3 MiB", "0.3 KiB"]) {
      assert.throws(() => Size.parse(text), InvalidValue, text);
    }
  });

  it("loses nothing in a conversion unless told to", () => {
    assert.throws(() => Size.mib(1536).toGib(), /1536 MiB isn't a whole number of GiB \(it is 1\.5\)/);
    assert.throws(() => Size.bytes(1).toMib(), InvalidValue);
    assert.equal(Size.mib(1536).toGib({ integral: false }), 1.5);
  });

  it("refuses amounts that aren't whole bytes from 0 up", () => {
    for (const amount of [-1, Number.NaN, Infinity, 0.1]) assert.throws(() => Size.gib(amount), InvalidValue);
  });

  it("prints the largest unit that loses nothing", () => {
    const printed: [Size, string, string][] = [
      [Size.gib(30), "30 GiB", "30G"],
      [Size.gib(1.5), "1536 MiB", "1536M"],
      [Size.gib(2048), "2 TiB", "2T"],
      [Size.bytes(1), "1 byte", "1"],
      [Size.bytes(1025), "1025 bytes", "1025"],
      [Size.bytes(0), "0 bytes", "0"],
    ];
    for (const [size, forPeople, forSystemd] of printed) {
      assert.equal(size.toString(), forPeople);
      assert.equal(size.toSystemd(), forSystemd);
    }
  });

  it("sorts by size", () => {
    assert.ok(Size.mib(1025).compare(Size.gib(1)) > 0);
    assert.ok(Size.mib(1023).compare(Size.gib(1)) < 0);
    assert.equal(Size.mib(1024).compare(Size.gib(1)), 0);
  });
});
