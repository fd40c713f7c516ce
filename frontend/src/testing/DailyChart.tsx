/**
 * Lines over the last 30 days. The chosen day's figures stand above the lines and serve as their legend. The day is
 * chosen by pointer or by keyboard: to assistive technology the chart is a slider over days that reads out each day's
 * figures; `DailyTable` holds all of them.
 */

import { type KeyboardEvent, type PointerEvent, useState } from "react";
import { approximate } from "../format/decimal";
import { formatFigure } from "../format/numbers";
import { formatDay } from "../format/time";
import { useSpeech } from "../i18n/language";
import { titleOf } from "../i18n/texts";
import { useWidth } from "../ui/useWidth";
import type { Series } from "./DailyPanel";
import type { MetricFigures } from "./figures";
import {
  type Area,
  groundPath,
  indexAt,
  labelledDays,
  linePath,
  type Scale,
  scaleFor,
  xOf,
  yOf,
} from "./plot";

const HEIGHT = 280;
/** Room for the days below, the values at the left, and half a label at the right. */
const MARGIN = { left: 52, right: 28, top: 12, bottom: 28 };
/** Width of a day's label with its space. */
const LABEL_WIDTH = 60;
/** How many colours the style sheet has for lines. */
const SERIES_COLOURS = 6;

interface ChartProps {
  figures: MetricFigures;
  series: Series[];
}

export function DailyChart({ figures, series }: ChartProps) {
  const { t, language } = useSpeech();
  const [width, measure] = useWidth();
  const { metric, days } = figures;
  const last = days.length - 1;
  const [chosen, setChosen] = useState<number | null>(null);
  const index = Math.min(chosen ?? last, last);
  const area: Area = {
    left: MARGIN.left,
    right: Math.max(MARGIN.left + 1, width - MARGIN.right),
    top: MARGIN.top,
    bottom: HEIGHT - MARGIN.bottom,
  };
  const readout = useReadout(figures, series, index);

  const move = (event: KeyboardEvent) => {
    const target = { ArrowLeft: index - 1, ArrowRight: index + 1, Home: 0, End: last }[event.key];
    if (target === undefined) return;
    event.preventDefault();
    setChosen(Math.min(last, Math.max(0, target)));
  };
  const point = (event: PointerEvent<HTMLElement>) => {
    const { left } = event.currentTarget.getBoundingClientRect();
    setChosen(indexAt(event.clientX - left, days.length, area));
  };
  return (
    <div className="chart">
      <Legend day={readout.day} entries={readout.entries} />
      <div
        ref={measure}
        className="chart-plot"
        data-testid="chart"
        role="slider"
        tabIndex={0}
        aria-label={`${titleOf(metric, language)}, ${t("chart.title")}. ${t("chart.keyboard")}`}
        aria-valuemin={0}
        aria-valuemax={last}
        aria-valuenow={index}
        aria-valuetext={readout.spoken}
        onKeyDown={move}
        onPointerMove={point}
        onPointerDown={point}
        onPointerLeave={({ pointerType }) => pointerType === "mouse" && setChosen(null)}
      >
        {width > 0 ? <Plot figures={figures} series={series} area={area} index={index} /> : null}
      </div>
    </div>
  );
}

interface Readout {
  day: string;
  entries: { name: string; value: string }[];
  spoken: string;
}

function useReadout({ metric, days, firstOpenDay }: MetricFigures, series: Series[], index: number): Readout {
  const { t, locale } = useSpeech();
  const date = days[index] ?? "";
  const name = formatDay(date, locale, { weekday: true });
  const day = date >= firstOpenDay ? `${name} (${t("chart.inProgress")})` : name;
  const entries = series.map(({ name, values }) => {
    const value = values[index] ?? null;
    return { name, value: value === null ? "–" : formatFigure(value, metric.kind, locale) };
  });
  return {
    day,
    entries,
    spoken: `${day}: ${entries.map(({ name, value }) => `${name} ${value}`).join(", ")}`,
  };
}

function Legend({ day, entries }: Pick<Readout, "day" | "entries">) {
  return (
    <div className="chart-legend">
      <p>{day}</p>
      <ul>
        {entries.map(({ name, value }, place) => (
          <li key={name} data-series={place % SERIES_COLOURS}>
            <svg viewBox="0 0 24 4" width="24" height="4" aria-hidden="true">
              <path className="chart-line" d="M0 2H24" />
            </svg>
            <span>{name}</span>
            <strong>{value}</strong>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Plot({ figures, series, area, index }: ChartProps & { area: Area; index: number }) {
  const { metric, days } = figures;
  const scale = scaleFor(
    metric.kind,
    series.flatMap(({ values }) => values),
  );
  const alone = series.length === 1 ? series[0] : undefined;
  const x = xOf(index, days.length, area);
  return (
    <svg width={area.right + MARGIN.right} height={HEIGHT} aria-hidden="true">
      <Axes figures={figures} scale={scale} area={area} />
      {alone === undefined || metric.kind === "ratio" ? null : (
        <path className="chart-ground" data-series="0" d={groundPath(alone.values, scale, area)} />
      )}
      <path className="chart-cursor" d={`M${x} ${area.top}V${area.bottom}`} />
      {series.map((line, place) => (
        <Line
          key={line.name}
          {...{ line, place, scale, area, index }}
          open={days.indexOf(figures.firstOpenDay)}
        />
      ))}
    </svg>
  );
}

function Axes({
  figures: { metric, days },
  scale,
  area,
}: {
  figures: MetricFigures;
  scale: Scale;
  area: Area;
}) {
  const { locale } = useSpeech();
  return (
    <>
      {scale.ticks.map((tick) => (
        <g key={tick} className="chart-tick">
          <path d={`M${area.left} ${yOf(tick, scale, area)}H${area.right}`} />
          <text x={area.left - 10} y={yOf(tick, scale, area)} dy="0.32em" textAnchor="end">
            {tickLabel(tick, metric.kind, locale)}
          </text>
        </g>
      ))}
      {labelledDays(days.length, Math.floor((area.right - area.left) / LABEL_WIDTH)).map((index) => (
        <text
          key={index}
          className="chart-day"
          x={xOf(index, days.length, area)}
          y={HEIGHT - 8}
          textAnchor="middle"
        >
          {formatDay(days[index] ?? "", locale)}
        </text>
      ))}
    </>
  );
}

function tickLabel(tick: number, kind: "sum" | "ratio", locale: string): string {
  return kind === "ratio"
    ? new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 }).format(tick)
    : new Intl.NumberFormat(locale, { notation: "compact" }).format(tick);
}

interface LineProps {
  line: Series;
  place: number;
  scale: Scale;
  area: Area;
  index: number;
  /** Index of the first day that is not over: from the day before it the line is dashed. */
  open: number;
}

function Line({ line: { values }, place, scale, area, index, open }: LineProps) {
  const last = values.length - 1;
  const closed = open < 0 ? last : Math.max(0, open - 1);
  const value = values[index] ?? null;
  return (
    <g data-series={place % SERIES_COLOURS}>
      <path className="chart-line" d={linePath(values, [0, closed], scale, area)} />
      <path className="chart-line chart-line-open" d={linePath(values, [closed, last], scale, area)} />
      {value === null ? null : (
        <circle
          className="chart-point"
          cx={xOf(index, values.length, area)}
          cy={yOf(approximate(value), scale, area)}
          r="4.5"
        />
      )}
    </g>
  );
}
