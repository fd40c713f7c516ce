/** The age of the data and the state of its source, always in sight. */

import { formatAge, formatMoment } from "../format/time";
import { useSpeech } from "../i18n/language";
import { shownFreshness } from "../stream/freshness";
import { useStream } from "../stream/StreamProvider";
import { useNow } from "../ui/useNow";
import "./freshness.css";

export function FreshnessPill() {
  const { t, word, locale } = useSpeech();
  const { readings, connection } = useStream();
  const now = useNow();
  // A reading may be younger than the last tick.
  const shown = shownFreshness(
    readings,
    connection,
    Math.max(now, ...readings.map((reading) => reading.arrivedAt)),
  );

  const age =
    shown.ageSeconds === null
      ? t("freshness.ageUnknown")
      : t("freshness.age", { age: formatAge(shown.ageSeconds, locale) });
  return (
    <section className="freshness" data-tone={shown.tone} aria-label={t("freshness.label")}>
      <span className="freshness-dot" aria-hidden="true" />
      <span className="freshness-state" data-testid="state" data-state={shown.state} role="status">
        {word("state", shown.state)}
      </span>
      <span
        className="freshness-age"
        data-testid="age"
        title={
          shown.asOf === null
            ? undefined
            : t("freshness.asOf", { moment: formatMoment(shown.asOf, locale, new Date()) })
        }
      >
        {readings.length > 1 && shown.source !== null ? `${shown.source} · ` : null}
        {age}
      </span>
    </section>
  );
}
