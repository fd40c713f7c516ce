/** Numbers as people read them, from exact decimals: `Intl` formats decimal strings without going through a float. */

import { type Decimal, decimalText } from "./decimal";

/** How a figure is shown. */
export type FigureKind = "sum" | "ratio";

const PERCENT: Intl.NumberFormatOptions = {
  style: "percent",
  minimumFractionDigits: 1,
  maximumFractionDigits: 1,
  // Rounded down: only a full 100 % may read "100.0 %".
  roundingMode: "trunc",
};

/** A sum with its own places ("1,204", "98.50"), a ratio as a percentage. */
export function formatFigure(value: Decimal, kind: FigureKind, locale: string): string {
  const options = kind === "ratio" ? PERCENT : placesOf(value);
  return new Intl.NumberFormat(locale, options).format(exact(value));
}

/** A difference with its sign; of ratios in percentage points, without the unit. */
export function formatDifference(value: Decimal, kind: FigureKind, locale: string): string {
  const shown = kind === "ratio" ? { units: value.units * 100n, scale: value.scale } : value;
  const places = kind === "ratio" ? onePlace : placesOf(shown);
  return new Intl.NumberFormat(locale, { ...places, signDisplay: "exceptZero" }).format(exact(shown));
}

/** A whole number that may exceed 2^53, such as a version. */
export function formatInteger(value: bigint | number, locale: string): string {
  return new Intl.NumberFormat(locale).format(value);
}

const onePlace: Intl.NumberFormatOptions = { minimumFractionDigits: 1, maximumFractionDigits: 1 };

/** No places for a whole number, otherwise at least two. */
function placesOf(value: Decimal): Intl.NumberFormatOptions {
  const whole = value.units % 10n ** BigInt(value.scale) === 0n;
  return whole
    ? { maximumFractionDigits: 0 }
    : { minimumFractionDigits: 2, maximumFractionDigits: Math.max(2, value.scale) };
}

function exact(value: Decimal): Intl.StringNumericLiteral {
  return decimalText(value) as Intl.StringNumericLiteral;
}
