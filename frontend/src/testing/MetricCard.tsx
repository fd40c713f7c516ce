/** One metric today: the total over all warehouses, how it stands against yesterday, and each warehouse's part. */

import { useId } from "react";
import { approximate, compare, divide, subtract } from "../format/decimal";
import { type FigureKind, formatDifference, formatFigure } from "../format/numbers";
import { useSpeech } from "../i18n/language";
import { titleOf } from "../i18n/texts";
import { Badge } from "../ui/Badge";
import {
  type Comparison,
  type MetricFigures,
  RATIO_PLACES,
  type Value,
  type WarehouseFigures,
} from "./figures";
import "./card.css";

const DIRECTIONS = {
  [-1]: { mark: "▼", key: "card.lessThanYesterday" },
  0: { mark: "=", key: "card.sameAsYesterday" },
  1: { mark: "▲", key: "card.moreThanYesterday" },
} as const;

interface AgainstYesterdayProps {
  comparison: Comparison;
  kind: FigureKind;
}

export function MetricCard({ figures: { metric, total, warehouses } }: { figures: MetricFigures }) {
  const { t, language, word } = useSpeech();
  const title = useId();
  return (
    <article className="card" aria-labelledby={title} data-testid={`card-${metric.name}`}>
      <h2 id={title} className="card-title">
        {titleOf(metric, language)}
      </h2>
      {metric.ready ? null : <Badge tone="notice">{t("card.building")}</Badge>}
      <p className="card-total">
        <Figure value={total.today} kind={metric.kind} />
        {metric.kind === "sum" ? <span className="card-unit">{word("unit", metric.unit)}</span> : null}
      </p>
      <AgainstYesterday comparison={total} kind={metric.kind} />
      <p className="card-yesterday">
        <span>{t("card.yesterday")}</span>
        <Figure value={total.yesterday} kind={metric.kind} />
      </p>
      <Breakdown warehouses={warehouses} kind={metric.kind} />
    </article>
  );
}

function Figure({ value, kind }: { value: Value; kind: FigureKind }) {
  const { t, locale } = useSpeech();
  if (value === null) return <span className="figure figure-none">{t("card.noValue")}</span>;
  return <span className="figure">{formatFigure(value, kind, locale)}</span>;
}

/**
 * Today against the whole of yesterday. A sum that is still below it is on its way, not behind: it shows its share. A ratio
 * needs no whole day to be compared.
 */
function AgainstYesterday({ comparison: { today, yesterday }, kind }: AgainstYesterdayProps) {
  const { t, locale } = useSpeech();
  if (today === null || yesterday === null) return <p className="card-against">{t("card.noComparison")}</p>;

  const direction = compare(today, yesterday);
  const share = kind === "sum" && direction < 0 ? divide(today, yesterday, RATIO_PLACES) : null;
  if (share !== null) {
    return (
      <p className="card-against">
        {t("card.shareOfYesterday", { share: formatFigure(share, "ratio", locale) })}
        <meter className="bar" aria-hidden="true" value={approximate(share)} />
      </p>
    );
  }
  const amount = formatDifference(subtract(today, yesterday), kind, locale);
  const difference = kind === "ratio" ? t("card.points", { difference: amount }) : amount;
  const { mark, key } = DIRECTIONS[direction];
  return (
    <p className="card-against" data-direction={direction}>
      <span aria-hidden="true">{mark}</span> {t(key, { difference })}
    </p>
  );
}

function Breakdown({ warehouses, kind }: { warehouses: WarehouseFigures[]; kind: FigureKind }) {
  const { t } = useSpeech();
  const longest = kind === "ratio" ? 1 : Math.max(1, ...warehouses.map(({ today }) => lengthOf(today)));
  return (
    <table className="breakdown">
      <caption className="visually-hidden">{t("card.byWarehouse")}</caption>
      <thead>
        <tr>
          <th scope="col">{t("card.warehouse")}</th>
          <th scope="col">{t("card.today")}</th>
          <th scope="col">{t("card.yesterdayShort")}</th>
        </tr>
      </thead>
      <tbody>
        {warehouses.map(({ warehouse, today, yesterday }) => (
          <tr key={warehouse}>
            <th scope="row">
              {warehouse === "" ? t("card.unassigned") : warehouse}
              <meter className="bar" aria-hidden="true" max={longest} value={lengthOf(today)} />
            </th>
            <td>
              <Figure value={today} kind={kind} />
            </td>
            <td className="breakdown-yesterday">
              <Figure value={yesterday} kind={kind} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function lengthOf(value: Value): number {
  return value === null ? 0 : Math.max(0, approximate(value));
}
