/** Keeps the rest of the page standing when a part of it fails, such as on an answer of a form that it cannot read. */

import { Component, type ReactNode } from "react";
import { useSpeech } from "../i18n/language";

interface Props {
  children: ReactNode;
}

export class FailureBoundary extends Component<Props, { failure: unknown }> {
  override state = { failure: null };

  static getDerivedStateFromError(failure: unknown) {
    return { failure };
  }

  override render() {
    return this.state.failure === null ? (
      this.props.children
    ) : (
      <FailureNotice detail={String(this.state.failure)} />
    );
  }
}

function FailureNotice({ detail }: { detail: string }) {
  const { t } = useSpeech();
  return (
    <div className="notice notice-problem" role="alert">
      <p className="notice-title">{t("app.failure")}</p>
      <p>{t("app.failure.remedy")}</p>
      <p className="notice-detail">{detail}</p>
      <button type="button" className="button" onClick={() => window.location.reload()}>
        {t("app.reload")}
      </button>
    </div>
  );
}
