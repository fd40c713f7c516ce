/** A source's tables: phase, whether in step, quarantine, load under way, conditions with their reasons. */

import type { Condition, Load, Source, Table } from "../api/types";
import { formatInteger } from "../format/numbers";
import { formatMoment } from "../format/time";
import { useSpeech } from "../i18n/language";
import { type Tone, toneOf } from "../stream/freshness";
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
        {table.name} <span className="tables-source">{table.source_name}</span>
      </th>
      <td>
        <div className="tables-state">
          <Badge tone={PHASE_TONES[table.phase] ?? "notice"}>{word("phase", table.phase)}</Badge>
          {table.quarantined > 0 ? (
            <Badge tone="bad">
              {t("pipeline.quarantine", { keys: formatInteger(table.quarantined, locale) })}
            </Badge>
          ) : null}
          <span className="tables-step">{t(table.in_step ? "pipeline.inStep" : "pipeline.outOfStep")}</span>
        </div>
        {table.load === null ? null : <LoadProgress load={table.load} />}
        {table.conditions.length === 0 ? null : <Conditions conditions={table.conditions} />}
      </td>
    </tr>
  );
}

function LoadProgress({ load }: { load: Load }) {
  const { t, locale } = useSpeech();
  const key = load.scanned ? "pipeline.loadScanned" : "pipeline.loadRows";
  const label = t(key, { rows: formatInteger(load.rows, locale) });
  return (
    <div className="load">
      {/* How many rows are still to come is not known before the scan has read them. */}
      <progress aria-label={label} />
      {label}
    </div>
  );
}

function Conditions({ conditions }: { conditions: Condition[] }) {
  const { t, word, locale } = useSpeech();
  return (
    <ul className="conditions">
      {conditions.map(({ condition, reason, since }) => (
        <li key={condition}>
          <Badge tone={toneOf(condition)}>{word("condition", condition)}</Badge>
          <span>{reason}</span>
          <time dateTime={since}>
            {t("pipeline.since", { moment: formatMoment(since, locale, new Date()) })}
          </time>
        </li>
      ))}
    </ul>
  );
}
