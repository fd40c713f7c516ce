import { describe, expect, it } from "vitest";
import { add, compare, decimalText, divide, parseDecimal, subtract } from "../src/format/decimal";
import { formatDifference, formatFigure, formatInteger } from "../src/format/numbers";
import { dayAfter, formatAge, formatDay } from "../src/format/time";

const decimal = parseDecimal;

describe("decimals", () => {
  it("keep every digit that a float would lose", () => {
    const sum = add(decimal("9007199254740993.10"), decimal("0.2"));
    expect(decimalText(sum)).toBe("9007199254740993.30");
    expect(decimalText(subtract(decimal("0.3"), decimal("0.1")))).toBe("0.2");
    expect(decimalText(decimal("-0.05"))).toBe("-0.05");
    expect(compare(decimal("0.30"), decimal("0.3"))).toBe(0);
  });

  it("divide to the given places, halves away from zero, and by zero to nothing", () => {
    const ratio = (a: string, b: string) => divide(decimal(a), decimal(b), 6);
    expect(ratio("2", "3")).toEqual(decimal("0.666667"));
    expect(ratio("-1", "2000000")).toEqual(decimal("-0.000001"));
    expect(ratio("1.5", "0.50")).toEqual(decimal("3.000000"));
    expect(ratio("1", "0.00")).toBeNull();
  });

  it.each(["", "1e5", "1.", ".5", "NaN", "1,000"])("refuse %o", (text) => {
    expect(() => parseDecimal(text)).toThrow("not a decimal number");
  });
});

describe("figures", () => {
  it("show whole sums without places and others exactly", () => {
    expect(formatFigure(decimal("1204.00"), "sum", "es-MX")).toBe("1,204");
    expect(formatFigure(decimal("9007199254740993.5"), "sum", "en-US")).toBe("9,007,199,254,740,993.50");
    expect(formatInteger(9007199254740993n, "en-US")).toBe("9,007,199,254,740,993");
  });

  it("say 100 % only for all of it", () => {
    expect(formatFigure(decimal("0.999999"), "ratio", "en-US")).toBe("99.9%");
    expect(formatFigure(decimal("1.000000"), "ratio", "en-US")).toBe("100.0%");
  });

  it("sign differences, those of ratios in points", () => {
    expect(formatDifference(decimal("12.00"), "sum", "en-US")).toBe("+12");
    expect(formatDifference(decimal("-1204.50"), "sum", "en-US")).toBe("-1,204.50");
    expect(formatDifference(decimal("-0.004000"), "ratio", "en-US")).toBe("-0.4");
  });
});

describe("time", () => {
  it.each([
    [-3, "0 s"],
    [59.9, "59 s"],
    [60, "1 min"],
    [125, "2 min 5 s"],
    [15_120, "4 h 12 min"],
    [86_400 * 3 + 3600 * 7, "3 días 7 h"],
  ])("an age of %d s reads %s", (seconds, text) => {
    expect(formatAge(seconds, "es-MX")).toBe(text);
  });

  it("leaves a day where it is, whatever the browser's zone", () => {
    expect(formatDay("2026-11-24", "en-US")).toBe("Nov 24");
    expect(dayAfter("2026-03-01", -1)).toBe("2026-02-28");
    expect(dayAfter("2026-12-31", 1)).toBe("2027-01-01");
  });
});
