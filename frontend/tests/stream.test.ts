import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Connection, openStream } from "../src/stream/connection";
import { shownFreshness, toneOf } from "../src/stream/freshness";
import { refresher } from "../src/stream/refresher";
import { installApiDouble, live, StreamDouble } from "./api_double";

beforeEach(() => {
  vi.useFakeTimers();
  installApiDouble({ signedIn: true });
});
afterEach(() => {
  vi.useRealTimers();
});

describe("the stream", () => {
  function listen() {
    const connections: Connection[] = [];
    const heard = { freshness: 0, revisions: 0 };
    const close = openStream({
      onConnection: (connection) => connections.push(connection),
      onFreshness: () => heard.freshness++,
      onRevision: () => heard.revisions++,
    });
    return { connections, heard, close };
  }

  it("has everything read again whenever it opens", () => {
    const { connections, heard } = listen();
    StreamDouble.latest.onopen?.();
    expect(connections).toEqual(["connecting", "open"]);
    expect(heard.revisions).toBe(1);
  });

  it("comes back after an error, more slowly each time, until it is heard again", () => {
    const { connections } = listen();
    for (const pause of [1_000, 2_000, 4_000, 8_000, 15_000, 15_000]) {
      const lost = StreamDouble.latest;
      lost.onerror?.();
      expect(lost.closed).toBe(true);
      vi.advanceTimersByTime(pause - 1);
      expect(StreamDouble.latest).toBe(lost);
      vi.advanceTimersByTime(1);
      expect(StreamDouble.latest).not.toBe(lost);
    }
    StreamDouble.latest.say("freshness", live);
    StreamDouble.latest.onerror?.();
    const opened = StreamDouble.opened.length;
    vi.advanceTimersByTime(1_000);
    expect(StreamDouble.opened).toHaveLength(opened + 1);
    expect(connections.at(-1)).toBe("lost");
  });

  it("counts silence as a loss, and is quiet once closed", () => {
    const { connections, heard, close } = listen();
    StreamDouble.latest.onopen?.();
    StreamDouble.latest.say("freshness", live);
    vi.advanceTimersByTime(9_999);
    expect(connections.at(-1)).toBe("open");
    vi.advanceTimersByTime(1);
    expect(connections.at(-1)).toBe("lost");
    expect(heard.freshness).toBe(1);

    close();
    const opened = StreamDouble.opened.length;
    vi.advanceTimersByTime(60_000);
    expect(StreamDouble.opened).toHaveLength(opened);
  });
});

describe("the refresher", () => {
  it("reads once for many changes, never twice at a time, and once more for a change during a read", async () => {
    let reads = 0;
    let finish = () => {};
    const changed = refresher(() => {
      reads++;
      return new Promise<void>((resolve) => {
        finish = resolve;
      });
    }, 1_000);

    changed();
    changed();
    changed();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(reads).toBe(1);
    finish();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(reads).toBe(2);
    finish();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(reads).toBe(2);
  });
});

describe("freshness", () => {
  const reading = (change: object, arrivedAt = 0) => ({ freshness: { ...live, ...change }, arrivedAt });

  it("ages by the browser's own clock between events", () => {
    expect(shownFreshness([reading({ age_seconds: 2 }, 1_000)], "open", 6_500).ageSeconds).toBe(7.5);
    expect(shownFreshness([reading({ age_seconds: null })], "open", 6_500).ageSeconds).toBeNull();
  });

  it("is never live without a connection", () => {
    const shown = shownFreshness([reading({})], "lost", 0);
    expect(shown).toMatchObject({ state: "disconnected", tone: "bad", ageSeconds: 2 });
    expect(shownFreshness([], "connecting", 0).state).toBe("connecting");
    expect(shownFreshness([], "open", 0).state).toBe("no_source");
  });

  it("is that of the worst source, and of the oldest among equals", () => {
    const readings = [
      reading({ source: "a", age_seconds: 90 }),
      reading({ source: "b", state: "offline", age_seconds: 5 }),
      reading({ source: "c", state: "agent_silent", age_seconds: 60 }),
      reading({ source: "d", state: "catching_up", age_seconds: 900 }),
    ];
    expect(shownFreshness(readings, "open", 0)).toMatchObject({ source: "c", state: "agent_silent" });
  });

  it("treats a state it does not know as one to look at", () => {
    expect(toneOf("something_new")).toBe("notice");
  });
});
