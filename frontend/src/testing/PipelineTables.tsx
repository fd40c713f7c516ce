/** A source's tables: phase, conditions with their reasons, load under way, rows, quarantine. */

import type { Condition, Load, Source, Table } from "../api/types";
import { formatInteger } from "../format/numbers";
import { formatMoment } from "../format/time";
import { useSpeech } from "../i18n/language";
import type { Tone } from "../stream/freshness";
import { Badge } from "../ui/Badge";

const PHASE_TONES: Readonly<Record<string, Tone>> = {
  pending: "quiet",
  loading: "notice",
  live: "good",
  failed: "bad",
};

export function PipelineTables({ source: { source, tables } }: { source: Source }) {
  const { t } = useSpeech();
  return (
    <table className="tables">
      <caption className="visually-hidden">{t("pipeline.tables", { source })}</caption>
      <thead>
        <tr>
          <th scope="col">{t("pipeline.table")}</th>
          <th scope="col">{t("pipeline.phase")}</th>
          <th scope="col" className="number">
            {t("pipeline.rows")}
          </th>
          <th scope="col" className="number">
            {t("pipeline.quarantine")}
          </th>
        </tr>
      </thead>
      <tbody>
        {tables.map((table) => (
          <TableState key={table.name} table={table} />
        ))}
      </tbody>
    </table>
  );
}

function TableState({ table }: { table: Table }) {
  const { t, word, locale } = useSpeech();
  return (
    <tr data-testid={`pipeline-table-${table.name}`} data-phase={table.phase}>
      <th scope="row">
        {table.name}
        <span className="tables-source">{table.source_name}</span>
      </th>
      <td>
        <Badge tone={PHASE_TONES[table.phase] ?? "notice"}>{word("phase", table.phase)}</Badge>
        <span className="tables-step">{table.in_step ? t("pipeline.inStep") : t("pipeline.outOfStep")}</span>
        {table.load === null ? null : <LoadProgress load={table.load} />}
        {table.conditions.length === 0 ? null : <Conditions conditions={table.conditions} />}
      </td>
      <td className="number">{table.rows == null ? "–" : formatInteger(table.rows, locale)}</td>
      <td className="number" data-tone={table.quarantined > 0 ? "bad" : undefined}>
        {formatInteger(table.quarantined, locale)}
      </td>
    </tr>
  );
}

function LoadProgress({ load }: { load: Load }) {
  const { t, locale } = useSpeech();
  const key = load.scanned ? "pipeline.loadScanned" : "pipeline.loadRows";
  const label = t(key, { rows: formatInteger(load.rows, locale) });
  return (
    <span className="load">
      {/* How many rows are still to come is not known before the scan has read them. */}
      <progress aria-label={label} />
      {label}
    </span>
  );
}

function Conditions({ conditions }: { conditions: Condition[] }) {
  const { t, word, locale } = useSpeech();
  return (
    <ul className="conditions">
      {conditions.map(({ condition, reason, since }) => (
        <li key={condition}>
          <Badge tone={condition === "blind" || condition === "suspect" ? "bad" : "notice"}>
            {word("condition", condition)}
          </Badge>
          <span>{reason}</span>
          <time dateTime={since}>
            {t("pipeline.since", { moment: formatMoment(since, locale, new Date()) })}
          </time>
        </li>
      ))}
    </ul>
  );
}
