import { isIP } from "node:net";
import { didYouMean } from "./problems";
import { closest } from "./values/closest";

/** Parsers of settings: text in, a checked value out, an error with a plain message where it isn't one. */
export type Parser<T> = (text: string) => T;

export const text: Parser<string> = (value) => {
  if (value.trim() === "") throw new RangeError("It is empty.");
  return value;
};

export const boolean: Parser<boolean> = (value) => {
  if (value === "true" || value === "false") return value === "true";
  throw new RangeError(`"${value}" is neither true nor false.`);
};

export const port: Parser<number> = (value) => {
  const number = Number(value);
  if (Number.isInteger(number) && number >= 1 && number <= 65535) return number;
  throw new RangeError(`"${value}" isn't a port, a whole number from 1 to 65535.`);
};

/** A whole number from 1 to `most`. */
export const upTo =
  (most: number): Parser<number> =>
  (value) => {
    const number = Number(value);
    if (Number.isInteger(number) && number >= 1 && number <= most) return number;
    throw new RangeError(`"${value}" isn't a whole number from 1 to ${most}.`);
  };

export const count: Parser<number> = upTo(100);

/** An IPv4 or IPv6 address with a prefix length; a bare address stands for itself alone. */
export const cidr: Parser<string> = (value) => {
  const [address = "", prefix, ...rest] = value.split("/");
  const family = isIP(address);
  const bits = prefix === undefined ? (family === 6 ? 128 : 32) : /^\d{1,3}$/.test(prefix) ? Number(prefix) : -1;
  if (family === 0 || rest.length > 0 || bits < 0 || bits > (family === 6 ? 128 : 32)) {
    throw new RangeError(`"${value}" isn't an address or a CIDR such as 203.0.113.7/32 or 2001:db8::/48.`);
  }
  return `${address}/${bits}`;
};

export const hostName: Parser<string> = (value) => {
  const label = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/i;
  const labels = value.split(".");
  if (value.length > 253 || labels.length < 2 || !labels.every((l) => label.test(l))) {
    throw new RangeError(`"${value}" isn't a host name such as dashboard.example.com.`);
  }
  return value.toLowerCase();
};

export const url =
  (...schemes: readonly string[]): Parser<string> =>
  (value) => {
    const parsed = URL.canParse(value) ? new URL(value) : undefined;
    const scheme = parsed?.protocol.slice(0, -1);
    if (parsed === undefined || scheme === undefined || !schemes.includes(scheme) || parsed.host === "") {
      throw new RangeError(`It isn't a URL that starts with ${listOf(schemes.map((s) => `${s}://`))}.`);
    }
    return value;
  };

export const oneOf =
  <T extends string>(...choices: readonly T[]): Parser<T> =>
  (value) => {
    const found = choices.find((choice) => choice === value);
    if (found !== undefined) return found;
    const near = closest(value, choices);
    throw new RangeError(`"${value}" isn't one of ${listOf(choices)}${didYouMean(near)}`);
  };

/** A JSON or YAML list of what `item` reads. */
export const list =
  <T>(item: Parser<T>): Parser<readonly T[]> =>
  (value) => {
    const parsed = structured(value);
    if (!Array.isArray(parsed)) throw new RangeError("It isn't a list.");
    return parsed.map((one: unknown) => item(scalar(one)));
  };

/** A JSON or YAML map from names to what `item` reads. */
export const mapOf =
  <T>(item: Parser<T>): Parser<Readonly<Record<string, T>>> =>
  (value) => {
    const result: Record<string, T> = {};
    for (const [name, one] of Object.entries(objectOf(value))) result[name] = named(name, () => item(scalar(one)));
    return result;
  };

/** A map with fixed keys, each read by its own parser; unknown keys are refused with the nearest right one. */
export const shape =
  <S extends Readonly<Record<string, Parser<unknown>>>>(
    fields: S,
  ): Parser<{ readonly [K in keyof S]?: S[K] extends Parser<infer T> ? T : never }> =>
  (value) => {
    const result: Record<string, unknown> = {};
    for (const [name, one] of Object.entries(objectOf(value))) {
      const parse = fields[name];
      if (parse === undefined) {
        const near = closest(name, Object.keys(fields));
        throw new RangeError(`"${name}" isn't a field of it${didYouMean(near)}`);
      }
      result[name] = named(name, () => parse(scalar(one)));
    }
    return result as never;
  };

/** `a`, `a or b`, `a, b or c`. */
export function listOf(words: readonly string[], last = "or"): string {
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} ${last} ${words.at(-1) ?? ""}`;
}

function named<T>(name: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new RangeError(`${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function structured(value: string): unknown {
  try {
    return JSON.parse(value) as unknown;
  } catch {
    throw new RangeError("It isn't a list or a map; set it with `pulumi config set --path`.");
  }
}

function objectOf(value: string): Record<string, unknown> {
  const parsed = structured(value);
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) throw new RangeError("It isn't a map.");
  return parsed as Record<string, unknown>;
}

function scalar(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
