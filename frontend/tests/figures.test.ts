import { describe, expect, it } from "vitest";
import type { DailyFigure, DailyMetrics, Metric } from "../src/api/types";
import { decimalText } from "../src/format/decimal";
import { figuresOf, hasMovement, type Value } from "../src/testing/figures";
import { labelledDays, linePath, scaleFor, yOf } from "../src/testing/plot";

const orders: Metric = {
  name: "orders",
  title_es: "",
  title_en: "",
  unit: "orders",
  kind: "sum",
  ready: true,
};
const fill: Metric = { name: "fill", title_es: "", title_en: "", unit: "ratio", kind: "ratio", ready: true };

function row(metric: string, date: string, warehouse: string, sums: [string, string | null]): DailyFigure {
  const [numerator, denominator] = sums;
  return { metric, date, warehouse, company: 1, value: null, numerator, denominator };
}

/** A's day is already the 24th while B's is still the 23rd. */
const answer: DailyMetrics = {
  ranges: [
    { warehouse: "A", zone: "America/Puerto_Rico", from: "2026-11-22", to: "2026-11-24" },
    { warehouse: "B", zone: "America/Monterrey", from: "2026-11-21", to: "2026-11-23" },
  ],
  results: [
    row("orders", "2026-11-24", "A", ["5", null]),
    row("orders", "2026-11-23", "A", ["0.1", null]),
    { ...row("orders", "2026-11-23", "A", ["0.2", null]), company: 2 },
    row("orders", "2026-11-23", "B", ["40", null]),
    row("orders", "2026-11-22", "B", ["7", null]),
    row("fill", "2026-11-24", "A", ["1", "1"]),
    row("fill", "2026-11-23", "B", ["0", "3"]),
  ],
};

const written = (value: Value) => (value === null ? null : decimalText(value));

describe("figures", () => {
  it("take today and yesterday in each warehouse's own day", () => {
    const figures = figuresOf(orders, answer);
    expect(figures?.warehouses.map((w) => [w.warehouse, written(w.today), written(w.yesterday)])).toEqual([
      ["A", "5", "0.3"],
      ["B", "40", "7"],
    ]);
    expect(written(figures?.total.today ?? null)).toBe("45");
    expect(written(figures?.total.yesterday ?? null)).toBe("7.3");
  });

  it("give every day a value: zero for a sum, nothing for a ratio", () => {
    const [sums, ratios] = [figuresOf(orders, answer), figuresOf(fill, answer)];
    expect(sums?.days).toEqual(["2026-11-21", "2026-11-22", "2026-11-23", "2026-11-24"]);
    expect(sums?.firstOpenDay).toBe("2026-11-23");
    expect(sums?.total.values.map(written)).toEqual(["0", "7", "40.3", "5"]);
    expect(ratios?.total.values.map(written)).toEqual([null, null, "0.000000", "1.000000"]);
  });

  it("weigh a ratio by its denominators", () => {
    expect(written(figuresOf(fill, answer)?.total.today ?? null)).toBe("0.250000");
  });

  it("show a warehouse without a declared zone up to the latest day known", () => {
    const results = [...answer.results, row("orders", "2026-11-24", "", ["3", null])];
    const unassigned = figuresOf(orders, { ...answer, results })?.warehouses.find((w) => w.warehouse === "");
    expect(written(unassigned?.today ?? null)).toBe("3");
  });

  it("are none where the answer names no day, and still where nothing moved", () => {
    expect(figuresOf(orders, { results: [], ranges: [] })).toBeNull();
    const still = figuresOf(orders, { ...answer, results: [] });
    expect(still && hasMovement(still)).toBe(false);
  });
});

describe("plot", () => {
  const area = { left: 0, right: 30, top: 0, bottom: 100 };
  const values = figuresOf(orders, answer)?.total.values ?? [];

  it("holds every value between round ticks", () => {
    const scale = scaleFor("sum", values);
    expect(scale).toEqual({ low: 0, high: 60, ticks: [0, 20, 40, 60] });
    expect(yOf(0, scale, area)).toBe(100);
    expect(scaleFor("sum", []).high).toBeGreaterThan(0);
    expect(scaleFor("ratio", [{ units: 96n, scale: 2 }])).toMatchObject({ low: 0.9, high: 1 });
  });

  it("breaks the line where there is no value", () => {
    const one = { units: 1n, scale: 0 };
    const path = linePath([one, null, one, one], [0, 3], { low: 0, high: 1, ticks: [] }, area);
    expect(path).toBe("M0.0 0.0M20.0 0.0L30.0 0.0");
  });

  it("labels the last day and as many before it as fit", () => {
    expect(labelledDays(30, 5)).toEqual([1, 8, 15, 22, 29]);
    expect(labelledDays(3, 10)).toEqual([0, 1, 2]);
  });
});
