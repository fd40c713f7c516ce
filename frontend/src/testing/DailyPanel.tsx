/** The last 30 days of one metric: what to show, the chart, and the same figures as a table. */

import { useState } from "react";
import { useSpeech } from "../i18n/language";
import { titleOf } from "../i18n/texts";
import { Choice } from "../ui/Choice";
import { EmptyNotice } from "../ui/Notice";
import { DailyChart } from "./DailyChart";
import { DailyTable } from "./DailyTable";
import { hasMovement, type MetricFigures, type Value } from "./figures";
import "./daily.css";

type Split = "total" | "warehouse";

/** A line of the chart and a column of the table. */
export interface Series {
  name: string;
  values: Value[];
}

export function DailyPanel({ figures }: { figures: MetricFigures[] }) {
  const { t, language } = useSpeech();
  const [name, setName] = useState<string | null>(null);
  const [split, setSplit] = useState<Split>("total");
  const chosen = figures.find(({ metric }) => metric.name === name) ?? figures[0];
  if (chosen === undefined) return null;

  const series: Series[] =
    split === "total"
      ? [{ name: t("chart.total"), values: chosen.total.values }]
      : chosen.warehouses.map(({ warehouse, values }) => ({
          name: warehouse === "" ? t("card.unassigned") : warehouse,
          values,
        }));
  return (
    <section className="panel" aria-labelledby="daily">
      <div className="panel-head">
        <h2 id="daily">{t("chart.title")}</h2>
        <Choice
          label={t("chart.metric")}
          options={figures.map(({ metric }) => ({ value: metric.name, label: titleOf(metric, language) }))}
          chosen={chosen.metric.name}
          onChoose={setName}
        />
        <Choice<Split>
          label={t("chart.split")}
          options={[
            { value: "total", label: t("chart.total") },
            { value: "warehouse", label: t("chart.perWarehouse") },
          ]}
          chosen={split}
          onChoose={setSplit}
        />
      </div>
      {hasMovement(chosen) ? (
        <>
          <DailyChart figures={chosen} series={series} />
          <DailyTable figures={chosen} series={series} />
        </>
      ) : (
        <EmptyNotice title={t("chart.empty")}>{t("chart.empty.detail")}</EmptyNotice>
      )}
    </section>
  );
}
