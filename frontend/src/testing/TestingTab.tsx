/** The "Testing" tab: today's figures, the last 30 days, and the state of what brings them. */

import { useMemo } from "react";
import { useDailyMetrics, useMetrics } from "../api/queries";
import { useSpeech } from "../i18n/language";
import { EmptyNotice, ProblemNotice, Skeleton } from "../ui/Notice";
import { DailyPanel } from "./DailyPanel";
import { figuresOf } from "./figures";
import { MetricCard } from "./MetricCard";
import { PipelinePanel } from "./PipelinePanel";
import "./testing.css";

export function TestingTab() {
  return (
    <div className="testing">
      <Figures />
      <PipelinePanel />
    </div>
  );
}

function Figures() {
  const { t } = useSpeech();
  const metrics = useMetrics();
  const names = useMemo(() => metrics.data?.results.map((metric) => metric.name) ?? [], [metrics.data]);
  const daily = useDailyMetrics(names);
  const figures = useMemo(() => {
    const answer = daily.data;
    if (answer === undefined) return [];
    return (metrics.data?.results ?? []).flatMap((metric) => figuresOf(metric, answer) ?? []);
  }, [metrics.data, daily.data]);

  const failed = [metrics, daily].filter((query) => query.error !== null);
  const problem = failed[0]?.error ?? null;
  const waiting = metrics.isPending || (names.length > 0 && daily.isPending);
  return (
    <>
      <section aria-labelledby="today">
        <h1 id="today">{t("cards.title")}</h1>
        <p className="lead">{t("cards.lead")}</p>
        {problem === null ? null : (
          <ProblemNotice
            problem={problem}
            stale={figures.length > 0}
            onRetry={() => {
              for (const query of failed) void query.refetch();
            }}
          />
        )}
        {waiting && problem === null ? <Skeleton count={4} className="cards" /> : null}
        {!waiting && problem === null && figures.length === 0 ? (
          <EmptyNotice title={t("cards.empty")}>{t("cards.empty.detail")}</EmptyNotice>
        ) : null}
        <div className="cards">
          {figures.map((figure) => (
            <MetricCard key={figure.metric.name} figures={figure} />
          ))}
        </div>
      </section>
      {waiting && problem === null ? <Skeleton count={1} className="skeleton-panel" /> : null}
      {figures.length > 0 ? <DailyPanel figures={figures} /> : null}
    </>
  );
}
