import { InvalidValue } from "./invalid";

/** How a conversion treats a remainder. */
export interface ConversionOptions {
  /**
   * Whether only a whole number will do. With `false` the result may have a fraction.
   * @default true
   */
  readonly integral?: boolean;
}

/** One unit of a quantity: how many base units it holds, and the words it is printed with. */
export interface Unit {
  readonly base: number;
  readonly one: string;
  readonly many: string;
}

/** Far beyond any binary rounding of `1.1 * 3600`, far below any real fraction of a base unit. */
const ROUNDING = 1e-6;

/**
 * `amount` units as a whole number of base units.
 * @throws InvalidValue for a negative or endless amount, and for one that isn't a whole number of base units.
 */
export function inBaseUnits(amount: number, unit: Unit, baseWords: string): number {
  if (!Number.isFinite(amount) || amount < 0) {
    throw new InvalidValue(`${amount} ${unit.many} isn't an amount: it has to be a number from 0 up`);
  }
  const total = Math.round(amount * unit.base);
  if (Math.abs(total - amount * unit.base) > ROUNDING) {
    throw new InvalidValue(`${amount} ${unit.many} isn't a whole number of ${baseWords}`);
  }
  if (!Number.isSafeInteger(total)) {
    throw new InvalidValue(`${amount} ${unit.many} is too large to be counted exactly in ${baseWords}`);
  }
  return total;
}

/**
 * `total` base units in `unit`.
 * @throws InvalidValue when that isn't a whole number, unless `integral` is false.
 */
export function convert(total: number, unit: Unit, printed: string, options: ConversionOptions): number {
  const amount = total / unit.base;
  if (options.integral !== false && total % unit.base !== 0) {
    throw new InvalidValue(
      `${printed} isn't a whole number of ${unit.many} (it is ${amount}); convert it with { integral: false } or choose another amount`,
    );
  }
  return amount;
}
