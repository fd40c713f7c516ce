/** What stands where data would: nothing yet, a failure with its remedy, or the shape of what is to come. */

import type { ReactNode } from "react";
import type { Problem } from "../api/client";
import { useSpeech } from "../i18n/language";
import "./notice.css";

export function EmptyNotice({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className="notice notice-empty">
      <p className="notice-title">{title}</p>
      <p>{children}</p>
    </div>
  );
}

interface ProblemNoticeProps {
  problem: Problem;
  /** Older data stays in sight beside the notice. */
  stale?: boolean;
  onRetry: () => void;
}

export function ProblemNotice({ problem, stale = false, onRetry }: ProblemNoticeProps) {
  const { t } = useSpeech();
  return (
    <div className="notice notice-problem" role="alert">
      <p className="notice-title">{t(`problem.${problem.kind}`)}</p>
      <p>
        {t(`problem.${problem.kind}.remedy`)} {stale ? t("problem.stale") : null}
      </p>
      {problem.detail === null ? null : <p className="notice-detail">{problem.detail}</p>}
      <button type="button" className="button" onClick={onRetry}>
        {t("problem.retry")}
      </button>
    </div>
  );
}

/** Grey blocks in the place of `count` things, one name for screen readers. */
export function Skeleton({ count, className }: { count: number; className: string }) {
  const { t } = useSpeech();
  return (
    <div className={`skeleton ${className}`} role="status">
      <span className="visually-hidden">{t("app.loading")}</span>
      {Array.from({ length: count }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the blocks are alike and never move.
        <div key={index} className="skeleton-block" />
      ))}
    </div>
  );
}
