/** Ages, days and moments as people read them. */

/** A calendar day, "2026-11-24": it belongs to a warehouse's zone and is never moved into the browser's. */
export type Day = string;

type AgeUnit = "second" | "minute" | "hour" | "day";

/**
 * An age in words of at most two parts: "3 s", "2 min 5 s", "4 h 12 min", "3 d 7 h".
 * Rounded down, and a negative age (clocks that disagree) is 0.
 */
export function formatAge(seconds: number, locale: string): string {
  const total = Math.max(0, Math.floor(seconds));
  const parts = (first: [number, AgeUnit], second?: [number, AgeUnit]) =>
    [first, second]
      .filter((part) => part !== undefined && (part === first || part[0] > 0))
      .map((part) => unit(part as [number, AgeUnit], locale))
      .join(" ");
  if (total < 60) return parts([total, "second"]);
  if (total < 3600) return parts([Math.floor(total / 60), "minute"], [total % 60, "second"]);
  if (total < 86_400)
    return parts([Math.floor(total / 3600), "hour"], [Math.floor((total % 3600) / 60), "minute"]);
  return parts([Math.floor(total / 86_400), "day"], [Math.floor((total % 86_400) / 3600), "hour"]);
}

function unit([value, name]: [number, AgeUnit], locale: string): string {
  return new Intl.NumberFormat(locale, { style: "unit", unit: name, unitDisplay: "short" }).format(value);
}

/** "24 Nov"; with `weekday`, "Tue, 24 Nov". */
export function formatDay(day: Day, locale: string, options: { weekday?: boolean } = {}): string {
  return new Intl.DateTimeFormat(locale, {
    day: "numeric",
    month: "short",
    ...(options.weekday ? { weekday: "short" } : {}),
    timeZone: "UTC",
  }).format(new Date(`${day}T00:00:00Z`));
}

/** A moment in the reader's zone: the time alone when it is today, otherwise with its day. */
export function formatMoment(moment: string, locale: string, now: Date): string {
  const at = new Date(moment);
  const sameDay = at.toDateString() === now.toDateString();
  return new Intl.DateTimeFormat(locale, {
    ...(sameDay ? {} : { day: "numeric", month: "short" }),
    hour: "numeric",
    minute: "2-digit",
    second: "2-digit",
  }).format(at);
}

/** The day that lies `days` after (negative: before) this one. */
export function dayAfter(day: Day, days: number): Day {
  const at = new Date(`${day}T00:00:00Z`);
  at.setUTCDate(at.getUTCDate() + days);
  return at.toISOString().slice(0, 10);
}
