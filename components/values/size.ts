import type { ConversionOptions, Unit } from "./amount";
import { convert, inBaseUnits } from "./amount";
import { InvalidValue } from "./invalid";

function unit(name: string, power: number, systemd: string): Unit & { systemd: string } {
  return { base: 1024 ** power, one: name, many: name, systemd };
}

const BYTE = { base: 1, one: "byte", many: "bytes", systemd: "" };
const KIB = unit("KiB", 1, "K");
const MIB = unit("MiB", 2, "M");
const GIB = unit("GiB", 3, "G");
const TIB = unit("TiB", 4, "T");
const LARGEST_FIRST = [TIB, GIB, MIB, KIB];
const SPELLINGS: ReadonlyMap<string, Unit> = new Map<string, Unit>([
  ["B", BYTE],
  ["byte", BYTE],
  ["bytes", BYTE],
  ...LARGEST_FIRST.map((each): [string, Unit] => [each.one, each]),
]);

/** An amount of memory or storage, of whole bytes, in powers of 1024 (IEC 80000-13). */
export class Size {
  private constructor(private readonly total: number) {}

  /** @throws InvalidValue unless the amount comes to a whole number of bytes, as for the four below. */
  static bytes(amount: number): Size {
    return new Size(inBaseUnits(amount, BYTE, "bytes"));
  }

  static kib(amount: number): Size {
    return new Size(inBaseUnits(amount, KIB, "bytes"));
  }

  static mib(amount: number): Size {
    return new Size(inBaseUnits(amount, MIB, "bytes"));
  }

  static gib(amount: number): Size {
    return new Size(inBaseUnits(amount, GIB, "bytes"));
  }

  static tib(amount: number): Size {
    return new Size(inBaseUnits(amount, TIB, "bytes"));
  }

  /**
   * Reads `30 GiB`, `512MiB`, `1.5 TiB`, and whatever `toString` prints.
   * @throws InvalidValue for anything else. `GB` and `G` are refused: some read them as 1000³ bytes, some as 1024³.
   */
  static parse(text: string): Size {
    const [, amount, word] = /^\s*(\d+(?:\.\d+)?)\s*([A-Za-z]+)\s*$/.exec(text) ?? [];
    if (amount === undefined || word === undefined) {
      throw new InvalidValue(`"${text}" isn't a size; write for example 512 MiB, 30 GiB or 2 TiB`);
    }
    const found = SPELLINGS.get(word);
    if (found === undefined) {
      const meant = LARGEST_FIRST.find((each) => each.systemd === word.charAt(0).toUpperCase());
      throw new InvalidValue(
        `"${text}" has the unknown unit "${word}"; ` +
          (meant === undefined ? "the units are KiB, MiB, GiB and TiB" : `write ${amount} ${meant.one}`),
      );
    }
    return new Size(inBaseUnits(Number(amount), found, "bytes"));
  }

  toBytes(): number {
    return this.total;
  }

  /** @throws InvalidValue when whole MiB would lose bytes, unless `integral` is false; so for the two below. */
  toMib(options: ConversionOptions = {}): number {
    return convert(this.total, MIB, this.toString(), options);
  }

  toGib(options: ConversionOptions = {}): number {
    return convert(this.total, GIB, this.toString(), options);
  }

  toTib(options: ConversionOptions = {}): number {
    return convert(this.total, TIB, this.toString(), options);
  }

  /** For a systemd unit, `512M`: its suffixes are powers of 1024 (systemd.resource-control(5), `MemoryMax=`). */
  toSystemd(): string {
    const { base, systemd } = this.largestWhole();
    return `${this.total / base}${systemd}`;
  }

  /** In the largest unit that divides it: `30 GiB`, `1536 MiB`, `1 byte`. */
  toString(): string {
    const { base, one, many } = this.largestWhole();
    const amount = this.total / base;
    return `${amount} ${amount === 1 ? one : many}`;
  }

  toJSON(): string {
    return this.toString();
  }

  /** Below zero when this is the smaller one, zero when both are equal: the order of `Array.sort`. */
  compare(other: Size): number {
    return this.total - other.total;
  }

  private largestWhole(): typeof BYTE {
    return LARGEST_FIRST.find(({ base }) => this.total > 0 && this.total % base === 0) ?? BYTE;
  }
}
