/** A stand-in for the API: answers by path, and event streams that the test speaks on. */

import { vi } from "vitest";
import type { DailyMetrics, Freshness, Metric, Pipeline, Session } from "../src/api/types";

export const TOKEN = "a-token";

const session: Session = {
  name: "demo",
  tabs: [{ id: "testing", title_es: "Pruebas", title_en: "Testing" }],
};

const metrics: Metric[] = [
  {
    name: "orders_received",
    title_es: "Pedidos",
    title_en: "Orders",
    unit: "orders",
    kind: "sum",
    ready: true,
  },
  {
    name: "line_fill_rate",
    title_es: "Líneas",
    title_en: "Line fill",
    unit: "ratio",
    kind: "ratio",
    ready: false,
  },
];

function figure(metric: string, date: string, warehouse: string, numerator: string, denominator?: string) {
  return { metric, date, warehouse, company: 1, value: null, numerator, denominator: denominator ?? null };
}

export function dailyMetrics(ordersToday: string): DailyMetrics {
  const range = { zone: "America/Puerto_Rico", from: "2026-11-22", to: "2026-11-24" };
  return {
    ranges: [
      { warehouse: "SJU1", ...range },
      { warehouse: "PON1", ...range },
    ],
    results: [
      figure("orders_received", "2026-11-24", "SJU1", ordersToday),
      figure("orders_received", "2026-11-24", "PON1", "100"),
      figure("orders_received", "2026-11-23", "SJU1", "2000"),
      figure("line_fill_rate", "2026-11-24", "SJU1", "99", "100"),
      figure("line_fill_rate", "2026-11-23", "SJU1", "98", "100"),
    ],
  };
}

const pipeline: Pipeline = {
  sources: [
    {
      source: "wms",
      state: "live",
      detail: null,
      position: "9007199254740993",
      hi: "9007199254740999",
      revision: 7,
      as_of: "2026-11-24T12:00:00Z",
      agent_seen_seconds: 0.4,
      tables: [
        {
          name: "orders",
          source_name: "wms.orders",
          phase: "live",
          conditions: [],
          load: null,
          quarantined: 0,
          in_step: true,
        },
        {
          name: "inventory",
          source_name: "wms.inventory",
          phase: "loading",
          conditions: [
            {
              condition: "blind",
              reason: "retention has passed",
              since: "2026-11-24T11:00:00Z",
              by: "agent",
            },
          ],
          load: { kind: "whole", rows: 214_000, scanned: false },
          quarantined: 3,
          in_step: false,
        },
      ],
    },
  ],
};

/** One `EventSource` of the page. */
export class StreamDouble extends EventTarget {
  static opened: StreamDouble[] = [];
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;
  closed = false;

  constructor() {
    super();
    StreamDouble.opened.push(this);
  }

  static get latest(): StreamDouble {
    const latest = StreamDouble.opened.at(-1);
    if (latest === undefined) throw new Error("the page has opened no stream");
    return latest;
  }

  say(event: "freshness" | "revision", data: object) {
    this.dispatchEvent(new MessageEvent(event, { data: JSON.stringify(data) }));
  }

  close() {
    this.closed = true;
  }
}

export const live: Freshness = {
  source: "wms",
  revision: 7,
  as_of: "2026-11-24T12:00:00Z",
  age_seconds: 2,
  state: "live",
};

export interface ApiDouble {
  /** Bodies by path; change them to change the answers. */
  answers: Record<string, unknown>;
  /** While set, everything but the session answers with it. */
  outage: { status: number; detail: string } | null;
  signedIn: boolean;
  /** Whether the browser keeps the session's cookie. */
  keepsCookie: boolean;
  /** Requests so far, as "METHOD path". */
  requests: string[];
}

/** Puts the double in the place of `fetch` and `EventSource`. */
export function installApiDouble({ signedIn }: { signedIn: boolean }): ApiDouble {
  const api: ApiDouble = {
    answers: {
      "/api/session": session,
      "/api/metrics": { results: metrics },
      "/api/data/daily_metrics/": dailyMetrics("400"),
      "/api/pipeline/": pipeline,
    },
    outage: null,
    signedIn,
    keepsCookie: true,
    requests: [],
  };
  StreamDouble.opened = [];
  vi.stubGlobal("fetch", (path: string, init: RequestInit) => Promise.resolve(answer(api, path, init)));
  vi.stubGlobal("EventSource", StreamDouble);
  vi.stubGlobal("ResizeObserver", WideObserver);
  return api;
}

function answer(api: ApiDouble, address: string, init: RequestInit): Response {
  const path = address.split("?")[0] ?? address;
  const method = init.method ?? "GET";
  api.requests.push(`${method} ${address}`);
  if (path === "/api/session" && method !== "GET") {
    const accepted = method === "DELETE" || String(init.body) === JSON.stringify({ token: TOKEN });
    api.signedIn = method === "POST" && accepted && api.keepsCookie;
    return accepted ? new Response(null, { status: 204 }) : problem(401, "wrong token");
  }
  if (!api.signedIn) return problem(401, "no session");
  if (api.outage !== null && path !== "/api/session") return problem(api.outage.status, api.outage.detail);
  return Response.json(api.answers[path]);
}

function problem(status: number, detail: string): Response {
  return new Response(JSON.stringify({ type: "about:blank", title: "Problem", status, detail }), {
    status,
    headers: { "Content-Type": "application/problem+json" },
  });
}

/** Everything is 600 pixels wide. */
class WideObserver {
  private readonly seen: ResizeObserverCallback;

  constructor(seen: ResizeObserverCallback) {
    this.seen = seen;
  }

  observe() {
    const entry = { contentRect: { width: 600 } } as ResizeObserverEntry;
    this.seen([entry], this as unknown as ResizeObserver);
  }
  unobserve() {}
  disconnect() {}
}
