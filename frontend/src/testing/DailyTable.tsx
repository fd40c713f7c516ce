/** The chart's figures as a table, newest day first. */

import { formatFigure } from "../format/numbers";
import { formatDay } from "../format/time";
import { useSpeech } from "../i18n/language";
import { titleOf } from "../i18n/texts";
import type { Series } from "./DailyPanel";
import type { MetricFigures } from "./figures";

export function DailyTable({ figures, series }: { figures: MetricFigures; series: Series[] }) {
  const { t, locale, language } = useSpeech();
  const { metric, days, firstOpenDay } = figures;
  return (
    <details className="daily-table">
      <summary>{t("chart.asTable")}</summary>
      <table>
        <caption className="visually-hidden">
          {titleOf(metric, language)}, {t("chart.title")}
        </caption>
        <thead>
          <tr>
            <th scope="col">{t("chart.day")}</th>
            {series.map(({ name }) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {days
            .map((day, index) => (
              <tr key={day}>
                <th scope="row">
                  {formatDay(day, locale, { weekday: true })}
                  {day >= firstOpenDay ? <span className="open-day"> {t("chart.inProgress")}</span> : null}
                </th>
                {series.map(({ name, values }) => {
                  const value = values[index] ?? null;
                  return (
                    <td key={name}>{value === null ? "–" : formatFigure(value, metric.kind, locale)}</td>
                  );
                })}
              </tr>
            ))
            .reverse()}
        </tbody>
      </table>
    </details>
  );
}
