/** The state of the replication: each source, how far behind it is, and each of its tables. */

import { usePipeline } from "../api/queries";
import type { Source } from "../api/types";
import { formatInteger } from "../format/numbers";
import { formatAge, formatMoment } from "../format/time";
import { useSpeech } from "../i18n/language";
import type { TextKey } from "../i18n/texts";
import { toneOf } from "../stream/freshness";
import { useStream } from "../stream/StreamProvider";
import { Badge } from "../ui/Badge";
import { EmptyNotice, ProblemNotice, Skeleton } from "../ui/Notice";
import { PipelineTables } from "./PipelineTables";
import "./pipeline.css";

export function PipelinePanel() {
  const { t } = useSpeech();
  const { data, error, refetch } = usePipeline();
  return (
    <section className="panel" aria-labelledby="pipeline">
      <h2 id="pipeline">{t("pipeline.title")}</h2>
      {error === null ? null : (
        <ProblemNotice problem={error} stale={data !== undefined} onRetry={() => void refetch()} />
      )}
      {data === undefined && error === null ? <Skeleton count={1} className="skeleton-panel" /> : null}
      {data?.sources.length === 0 ? (
        <EmptyNotice title={t("pipeline.empty")}>{t("pipeline.empty.detail")}</EmptyNotice>
      ) : null}
      {data?.sources.map((source) => (
        <SourceState key={source.source} source={source} />
      ))}
    </section>
  );
}

function SourceState({ source }: { source: Source }) {
  const { t, word } = useSpeech();
  const { readings } = useStream();
  // The stream knows first.
  const state =
    readings.find(({ freshness }) => freshness.source === source.source)?.freshness.state ?? source.state;
  return (
    <article className="source">
      <h3 className="source-name">
        {source.source} <Badge tone={toneOf(state)}>{word("state", state)}</Badge>
      </h3>
      {source.detail === null ? null : <p className="source-detail">{source.detail}</p>}
      <SourceFacts source={source} />
      {source.tables.length === 0 ? (
        <p className="lead">{t("pipeline.noTables")}</p>
      ) : (
        <PipelineTables source={source} />
      )}
    </article>
  );
}

function SourceFacts({ source }: { source: Source }) {
  const { t, locale } = useSpeech();
  const lag = behind(source);
  const seen = source.agent_seen_seconds;
  const facts: [TextKey, string | null][] = [
    ["pipeline.asOf", source.as_of && formatMoment(source.as_of, locale, new Date())],
    ["pipeline.position", source.position && formatInteger(BigInt(source.position), locale)],
    ["pipeline.behind", lag === null ? null : formatInteger(lag, locale)],
    ["pipeline.revision", formatInteger(BigInt(source.revision), locale)],
    ["pipeline.agentSeen", seen === null ? null : t("freshness.age", { age: formatAge(seen, locale) })],
  ];
  return (
    <dl className="source-facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{t(name)}</dt>
          <dd>{value ?? t("pipeline.unknown")}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Versions that the source has committed and the target has not applied; null before either is known. */
function behind({ position, hi }: Source): bigint | null {
  if (position === null || hi === null) return null;
  const difference = BigInt(hi) - BigInt(position);
  return difference > 0n ? difference : 0n;
}
