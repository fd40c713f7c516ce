/**
 * The event stream, kept open.
 *
 * One connection at a time. Any failure closes it and opens a new one after a growing pause. A stream that has spoken and
 * then says nothing for SILENCE_MS counts as failed too, since a dead network path reports no error. After every (re)opening the
 * listener is told, and reads everything again: events missed meanwhile need no replay.
 */

import type { Freshness } from "../api/types";

export type Connection = "connecting" | "open" | "lost";

export interface StreamListener {
  onConnection(connection: Connection): void;
  onFreshness(freshness: Freshness): void;
  /** What can be read has changed. */
  onRevision(): void;
}

const STREAM = "/api/stream";
const SILENCE_MS = 10_000;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 15_000;

/** Opens the stream; the answer closes it for good. */
export function openStream(listener: StreamListener): () => void {
  let source: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let pause = FIRST_PAUSE_MS;

  const schedule = (action: () => void, delay: number) => {
    clearTimeout(timer);
    timer = setTimeout(action, delay);
  };
  const lose = () => {
    source?.close();
    listener.onConnection("lost");
    schedule(connect, pause);
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  };
  const hear = () => {
    pause = FIRST_PAUSE_MS;
    schedule(lose, SILENCE_MS);
  };
  const connect = () => {
    source = new EventSource(STREAM);
    schedule(lose, SILENCE_MS);
    source.onopen = () => {
      // With no source there is nothing to say yet.
      clearTimeout(timer);
      listener.onConnection("open");
      listener.onRevision();
    };
    source.onerror = lose;
    source.addEventListener("freshness", (event) => {
      hear();
      listener.onFreshness(JSON.parse(event.data) as Freshness);
    });
    source.addEventListener("revision", () => {
      hear();
      listener.onRevision();
    });
  };

  listener.onConnection("connecting");
  connect();
  return () => {
    clearTimeout(timer);
    source?.close();
  };
}
