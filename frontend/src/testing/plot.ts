/** Where things stand in the chart. Positions are floats; what is written beside them is not. */

import { approximate } from "../format/decimal";
import type { FigureKind } from "../format/numbers";
import type { Value } from "./figures";

/** In days; a multiple of a week keeps the labels on one weekday. */
const LABEL_STEPS = [1, 2, 7, 14];

export interface Area {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

export interface Scale {
  low: number;
  high: number;
  ticks: number[];
}

/** A scale that holds all values: from 0 for sums; for ratios from a round percentage below the lowest, up to 1. */
export function scaleFor(kind: FigureKind, values: readonly Value[]): Scale {
  const numbers = values.filter((value) => value !== null).map(approximate);
  return kind === "ratio" ? ratioScale(numbers) : sumScale(numbers);
}

function sumScale(numbers: readonly number[]): Scale {
  const step = roundStep(Math.max(1, ...numbers) / 4);
  const low = Math.floor(Math.min(0, ...numbers) / step) * step;
  const high = Math.max(step, Math.ceil(Math.max(0, ...numbers) / step) * step);
  return { low, high, ticks: ticksOf(low, high, step) };
}

function ratioScale(numbers: readonly number[]): Scale {
  const high = Math.max(1, ...numbers);
  const low = Math.max(0, Math.floor((Math.min(high, ...numbers) - 0.02) * 20) / 20);
  return { low, high, ticks: ticksOf(low, high, roundStep((high - low) / 4)) };
}

/** The least of 1, 2, 5 times a power of ten that is not below `least`. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 5].find((factor) => factor * power >= least * 0.999) ?? 10);
}

function ticksOf(low: number, high: number, step: number): number[] {
  const count = Math.floor((high - low) / step + 1e-9);
  return Array.from({ length: count + 1 }, (_, index) => Number((low + index * step).toPrecision(12)));
}

export function xOf(index: number, count: number, { left, right }: Area): number {
  return count < 2 ? (left + right) / 2 : left + (index / (count - 1)) * (right - left);
}

export function yOf(value: number, { low, high }: Scale, { top, bottom }: Area): number {
  return bottom - ((value - low) / (high - low)) * (bottom - top);
}

/** The day under the pointer. */
export function indexAt(x: number, count: number, { left, right }: Area): number {
  return Math.min(count - 1, Math.max(0, Math.round(((x - left) / (right - left)) * (count - 1))));
}

/** An SVG path through the values from `first` to `last`, broken where there is none. */
export function linePath(
  values: readonly Value[],
  [first, last]: [number, number],
  scale: Scale,
  area: Area,
): string {
  let pen = "M";
  let path = "";
  for (let index = first; index <= last; index++) {
    const value = values[index] ?? null;
    if (value === null) {
      pen = "M";
      continue;
    }
    path += `${pen}${xOf(index, values.length, area).toFixed(1)} ${yOf(approximate(value), scale, area).toFixed(1)}`;
    pen = "L";
  }
  return path;
}

/** The ground between a line without gaps and the bottom. */
export function groundPath(values: readonly Value[], scale: Scale, area: Area): string {
  const last = values.length - 1;
  const line = linePath(values, [0, last], scale, area);
  return `${line}L${xOf(last, values.length, area)} ${area.bottom}L${xOf(0, values.length, area)} ${area.bottom}Z`;
}

/** Which days get a label, counted back from the last: each, every other, each week's, … as room allows. */
export function labelledDays(count: number, most: number): number[] {
  const step = LABEL_STEPS.find((days) => Math.ceil(count / days) <= most) ?? count;
  return Array.from({ length: Math.ceil(count / step) }, (_, place) => count - 1 - place * step).reverse();
}
