/**
 * Exact decimals. Figures arrive as strings ("123.00") and stay exact: a binary float never touches them.
 * Only a position on the screen (a bar's length, a point's height) is a float.
 */

/** `units / 10^scale`. */
export interface Decimal {
  readonly units: bigint;
  readonly scale: number;
}

const FORM = /^(-?)(\d+)(?:\.(\d+))?$/;

export const ZERO: Decimal = { units: 0n, scale: 0 };

/** Reads "123", "-0.50"; anything else is an error, never a guess. */
export function parseDecimal(text: string): Decimal {
  const [, sign, whole, fraction = ""] = FORM.exec(text) ?? [];
  if (whole === undefined) throw new RangeError(`not a decimal number: "${text}"`);
  const units = BigInt(whole + fraction);
  return { units: sign === "-" ? -units : units, scale: fraction.length };
}

/** The decimal as text, with all the places of its scale. */
export function decimalText({ units, scale }: Decimal): string {
  const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, "0");
  const whole = digits.slice(0, digits.length - scale);
  const fraction = scale === 0 ? "" : `.${digits.slice(-scale)}`;
  return `${units < 0n ? "-" : ""}${whole}${fraction}`;
}

export function add(a: Decimal, b: Decimal): Decimal {
  const [left, right, scale] = aligned(a, b);
  return { units: left + right, scale };
}

export function subtract(a: Decimal, b: Decimal): Decimal {
  return add(a, { units: -b.units, scale: b.scale });
}

/** -1, 0 or 1, as `a` is below, equal to or above `b`. */
export function compare(a: Decimal, b: Decimal): -1 | 0 | 1 {
  const { units } = subtract(a, b);
  return units < 0n ? -1 : units > 0n ? 1 : 0;
}

/** `numerator / denominator` to `places`, halves away from zero; null where the denominator is 0. */
export function divide(numerator: Decimal, denominator: Decimal, places: number): Decimal | null {
  const [dividend, divisor] = aligned(numerator, denominator);
  if (divisor === 0n) return null;
  const negative = dividend < 0n !== divisor < 0n;
  const doubled = (magnitude(dividend) * 10n ** BigInt(places) * 2n) / magnitude(divisor);
  const rounded = (doubled + 1n) / 2n;
  return { units: negative ? -rounded : rounded, scale: places };
}

/** The nearest float: for drawing only. */
export function approximate(decimal: Decimal): number {
  return Number(decimalText(decimal));
}

function aligned(a: Decimal, b: Decimal): [bigint, bigint, number] {
  const scale = Math.max(a.scale, b.scale);
  return [a.units * 10n ** BigInt(scale - a.scale), b.units * 10n ** BigInt(scale - b.scale), scale];
}

function magnitude(units: bigint): bigint {
  return units < 0n ? -units : units;
}
