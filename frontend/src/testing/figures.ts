/**
 * Figures by warehouse and day, from the API's rows.
 *
 * Sums over companies and warehouses are exact. A ratio over several rows is the sum of numerators over the sum of
 * denominators, never a mean of ratios. A day without rows is 0 for a sum and nothing (null) for a ratio. "Today" is
 * each warehouse's own day, so the total of today adds days that may differ.
 */

import type { DailyFigure, DailyMetrics, Metric, WarehouseRange } from "../api/types";
import { add, type Decimal, divide, parseDecimal, ZERO } from "../format/decimal";
import { type Day, dayAfter } from "../format/time";

/** Places of a ratio, as the API gives it. */
export const RATIO_PLACES = 6;

/** A value on a day; null where there is none. */
export type Value = Decimal | null;

export interface Comparison {
  today: Value;
  yesterday: Value;
}

export interface WarehouseFigures extends Comparison {
  warehouse: string;
  /** One per day of `days`. */
  values: Value[];
}

/** One metric, ready to be shown. */
export interface MetricFigures {
  metric: Metric;
  days: Day[];
  /** The first day that is not over in every warehouse. */
  firstOpenDay: Day;
  warehouses: WarehouseFigures[];
  total: Comparison & { values: Value[] };
}

interface Sums {
  numerator: Decimal;
  denominator: Decimal;
}

/** Null when the answer names no day at all. */
export function figuresOf(metric: Metric, { results, ranges }: DailyMetrics): MetricFigures | null {
  const rows = results.filter((row) => row.metric === metric.name);
  const todays = todayByWarehouse(rows, ranges);
  const lasts = [...todays.values()].sort();
  const [firstOpenDay, last] = [lasts[0], lasts.at(-1)];
  if (firstOpenDay === undefined || last === undefined) return null;

  const days = daysBetween(ranges.map((range) => range.from).sort()[0] ?? last, last);
  const sums = sumsByCell(rows);
  const valueOver = (cells: [string, Day][]) =>
    valueOfSums(
      metric.kind,
      cells.flatMap(([warehouse, day]) => sums.get(cellKey(warehouse, day)) ?? []),
    );
  const names = [...todays.keys()].sort((a, b) => a.localeCompare(b));
  const compare = (chosen: string[], at: (today: Day) => Day) =>
    valueOver(chosen.map((name) => [name, at(todays.get(name) ?? last)]));
  const comparison = (chosen: string[]): Comparison => ({
    today: compare(chosen, (today) => today),
    yesterday: compare(chosen, (today) => dayAfter(today, -1)),
  });

  return {
    metric,
    days,
    firstOpenDay,
    warehouses: names.map((warehouse) => ({
      warehouse,
      values: days.map((day) => valueOver([[warehouse, day]])),
      ...comparison([warehouse]),
    })),
    total: { values: days.map((day) => valueOver(names.map((name) => [name, day]))), ...comparison(names) },
  };
}

/** Whether any day has a figure other than zero. */
export function hasMovement({ total }: MetricFigures): boolean {
  return total.values.some((value) => value !== null && value.units !== 0n);
}

/** Each warehouse's current day: the end of its range; for one without a range, the latest end known. */
function todayByWarehouse(rows: DailyFigure[], ranges: WarehouseRange[]): Map<string, Day> {
  const todays = new Map(ranges.map((range) => [range.warehouse, range.to]));
  const latest = [...ranges.map((range) => range.to), ...rows.map((row) => row.date)].sort().at(-1);
  for (const { warehouse } of rows) {
    if (latest !== undefined && !todays.has(warehouse)) todays.set(warehouse, latest);
  }
  return todays;
}

function sumsByCell(rows: DailyFigure[]): Map<string, Sums> {
  const sums = new Map<string, Sums>();
  for (const row of rows) {
    const key = cellKey(row.warehouse, row.date);
    const before = sums.get(key) ?? { numerator: ZERO, denominator: ZERO };
    sums.set(key, {
      numerator: add(before.numerator, parseDecimal(row.numerator)),
      denominator: row.denominator === null ? ZERO : add(before.denominator, parseDecimal(row.denominator)),
    });
  }
  return sums;
}

function valueOfSums(kind: Metric["kind"], cells: Sums[]): Value {
  const numerator = cells.reduce((sum, cell) => add(sum, cell.numerator), ZERO);
  if (kind === "sum") return numerator;
  return divide(
    numerator,
    cells.reduce((sum, cell) => add(sum, cell.denominator), ZERO),
    RATIO_PLACES,
  );
}

function cellKey(warehouse: string, day: Day): string {
  return `${day} ${warehouse}`;
}

function daysBetween(first: Day, last: Day): Day[] {
  const days: Day[] = [];
  for (let day = first; day <= last; day = dayAfter(day, 1)) days.push(day);
  return days;
}
