/** How old the data is, and how to say it. */

import type { Freshness } from "../api/types";
import type { Connection } from "./connection";

/** What a state means to a reader; colour only underlines the word. */
export type Tone = "good" | "notice" | "bad" | "quiet";

/** A freshness and when it arrived, on the browser's monotonic clock (milliseconds). */
export interface Reading {
  freshness: Freshness;
  arrivedAt: number;
}

/** What the page shows about the age of the data. */
export interface Shown {
  source: string | null;
  state: string;
  tone: Tone;
  /** Null before the first data. */
  ageSeconds: number | null;
  asOf: string | null;
}

const TONES: Readonly<Record<string, Tone>> = {
  live: "good",
  connecting: "quiet",
  no_source: "quiet",
  failed: "bad",
  blind: "bad",
  offline: "bad",
  stopped: "bad",
  agent_silent: "bad",
  database_unreachable: "bad",
  disconnected: "bad",
};

/** The state before any source has been heard of. */
const UNHEARD = { connecting: "connecting", open: "no_source" } as const;

const SEVERITY: Readonly<Record<Tone, number>> = { good: 0, quiet: 1, notice: 2, bad: 3 };

/** Any other state deserves a look, but not an alarm. */
export function toneOf(state: string): Tone {
  return TONES[state] ?? "notice";
}

/** The age now: as told, plus the time since. */
export function ageAt({ freshness, arrivedAt }: Reading, now: number): number | null {
  return freshness.age_seconds === null ? null : freshness.age_seconds + (now - arrivedAt) / 1000;
}

/**
 * What stands for the whole page: the worst source, and of equals the oldest. Without a connection nothing is known to
 * be live, whatever was heard last.
 */
export function shownFreshness(readings: readonly Reading[], connection: Connection, now: number): Shown {
  const worst = readings
    .map((reading) => ({ reading, age: ageAt(reading, now) }))
    .sort((a, b) => severity(b.reading) - severity(a.reading) || older(a.age, b.age))[0];
  const heard = worst?.reading.freshness;
  const state = connection === "lost" ? "disconnected" : (heard?.state ?? UNHEARD[connection]);
  return {
    source: heard?.source ?? null,
    state,
    tone: toneOf(state),
    ageSeconds: worst?.age ?? null,
    asOf: heard?.as_of ?? null,
  };
}

function severity({ freshness }: Reading): number {
  return SEVERITY[toneOf(freshness.state)];
}

function older(a: number | null, b: number | null): number {
  return (b ?? Number.POSITIVE_INFINITY) - (a ?? Number.POSITIVE_INFINITY) || 0;
}
