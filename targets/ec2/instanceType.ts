import { listOf } from "../../components/parsers";
import { closest } from "../../components/values/closest";
import { Size } from "../../components/values/size";

/** What an instance type's name tells of it (EC2 user guide, "Instance type naming conventions"). */
export interface InstanceType {
  readonly name: string;
  readonly family: string;
  readonly size: string;
  readonly architecture: "x86_64" | "arm64";
  /** Whether it earns and spends CPU credits. */
  readonly burstable: boolean;
  /** Undefined for families that aren't known here. */
  readonly memory: Size | undefined;
}

const sizes = ["nano", "micro", "small", "medium", "large", "xlarge", "metal"];
const numbered = /^(\d+)xlarge$|^metal-\d+xl$/;

/** Names of families that aren't a generation's letters and digits: high memory and Mac. */
const otherFamilies = /^(u|u7[a-z]*|u-\d+tb1|mac\d(-m\d[a-z]*)?)$/;

/**
 * Reads `t3.micro`. Only the form is checked: which types a region has is AWS's to say.
 * @throws RangeError with the nearest right size
 */
export function parseInstanceType(text: string): InstanceType {
  const [, family, size] = /^([a-z0-9-]+)\.([a-z0-9-]+)$/.exec(text) ?? [];
  if (family === undefined || size === undefined) {
    throw new RangeError(`"${text}" isn't an instance type such as t3.micro.`);
  }
  if (!/^[a-z]+\d[a-z0-9]*(-[a-z]+)?$/.test(family) && !otherFamilies.test(family)) {
    throw new RangeError(`"${text}" isn't an instance type: a family such as t3 or m7g comes before the point.`);
  }
  if (!sizes.includes(size) && !numbered.test(size)) {
    const near = closest(size, [...sizes, "2xlarge", "4xlarge", "8xlarge", "16xlarge"]);
    const hint = near === undefined ? `Sizes are ${listOf([...sizes, "2xlarge"])} and so on.` : "";
    throw new RangeError(
      `"${text}" has the unknown size "${size}"${near ? `; did you mean "${family}.${near}"?` : `. ${hint}`}`,
    );
  }
  const [, letters = "", attributes = ""] = /^([a-z]+)\d([a-z]*)/.exec(family) ?? [];
  return {
    name: text,
    family,
    size,
    architecture: attributes.startsWith("g") || family === "a1" ? "arm64" : "x86_64",
    burstable: letters === "t",
    memory: memoryOf(family, size),
  };
}

/** GiB of `xlarge`, of which the other sizes are parts or multiples (https://aws.amazon.com/ec2/instance-types/). */
const perXlarge: Readonly<Record<string, number>> = { t: 16, m: 16, c: 8, r: 32 };
const shares: Readonly<Record<string, number>> = { medium: 1 / 4, large: 1 / 2, xlarge: 1 };
const burstableGib: Readonly<Record<string, number>> = { nano: 0.5, micro: 1, small: 2, medium: 4, large: 8 };
/** The families of that rule: older ones and c5n have odd sizes. */
const regular = /^(t\d[a-z]*|[mr][5-9][a-z]*|c[6-9][a-z]*|c5a?d?)(-flex)?$/;

function memoryOf(family: string, size: string): Size | undefined {
  if (!regular.test(family)) return undefined;
  const letter = family.charAt(0);
  const small = letter === "t" ? burstableGib[size] : undefined;
  if (small !== undefined) return Size.gib(small);
  const share = shares[size] ?? Number(/^(\d+)xlarge$/.exec(size)?.[1] ?? Number.NaN);
  return Number.isNaN(share) ? undefined : Size.gib((perXlarge[letter] ?? Number.NaN) * share);
}
