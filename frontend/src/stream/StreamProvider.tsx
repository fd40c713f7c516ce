/** Holds the page's one stream: tells the freshness to whoever shows it, and has the data read again when it changes. */

import { useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from "react";
import { DATA, SESSION } from "../api/queries";
import { type Connection, openStream } from "./connection";
import type { Reading } from "./freshness";
import { refresher } from "./refresher";

/** Traffic changes the data every second; no one reads figures faster than this. */
const REFRESH_PAUSE_MS = 1_000;

interface Stream {
  connection: Connection;
  readings: readonly Reading[];
}

const StreamContext = createContext<Stream | null>(null);

export function StreamProvider({ children }: { children: ReactNode }) {
  const client = useQueryClient();
  const [connection, setConnection] = useState<Connection>("connecting");
  const [readings, setReadings] = useState<readonly Reading[]>([]);

  useEffect(() => {
    const refresh = refresher(() => client.invalidateQueries({ queryKey: DATA }), REFRESH_PAUSE_MS);
    return openStream({
      onConnection(connection) {
        setConnection(connection);
        // The stream's error has no status: whether the session has ended is asked separately.
        if (connection === "lost") void client.invalidateQueries({ queryKey: SESSION });
      },
      onFreshness(freshness) {
        const reading = { freshness, arrivedAt: performance.now() };
        setReadings((known) => [
          ...known.filter((earlier) => earlier.freshness.source !== freshness.source),
          reading,
        ]);
      },
      onRevision: refresh,
    });
  }, [client]);

  const stream = useMemo(() => ({ connection, readings }), [connection, readings]);
  return <StreamContext value={stream}>{children}</StreamContext>;
}

export function useStream(): Stream {
  const stream = useContext(StreamContext);
  if (stream === null) throw new Error("useStream needs a StreamProvider above it");
  return stream;
}
