/** What the page reads, and under which keys it is kept. */

import { QueryCache, QueryClient, type UseQueryResult, useQuery } from "@tanstack/react-query";
import { get, Problem, SESSION_PATH } from "./client";
import type { DailyMetrics, Metric, Pipeline, Results, Session } from "./types";

/** Key of the session. */
export const SESSION = ["session"] as const;
/** First part of the key of everything that the stream's revision makes stale. */
export const DATA = ["data"] as const;

/** Named ranges move at midnight, which no revision announces. */
const RANGE_REFRESH_MS = 60_000;
/** The agent's sign of life and the progress of loads move without a revision. */
const PIPELINE_REFRESH_MS = 5_000;
const RETRY_MS = 5_000;

/** The page's cache. Whatever learns that the session has ended has the session asked again, which shows the sign-in. */
export function pageCache(): QueryClient {
  const client: QueryClient = new QueryClient({
    queryCache: new QueryCache({
      onError(problem, query) {
        const ended = problem instanceof Problem && problem.kind === "signed_out";
        if (ended && query.queryKey[0] !== SESSION[0]) void client.invalidateQueries({ queryKey: SESSION });
      },
    }),
    defaultOptions: {
      queries: {
        retry: false,
        staleTime: Number.POSITIVE_INFINITY,
        networkMode: "always",
      },
    },
  });
  return client;
}

export function useSession(): UseQueryResult<Session, Problem> {
  return useAnswer<Session>(SESSION, SESSION_PATH);
}

export function useMetrics(): UseQueryResult<Results<Metric>, Problem> {
  return useAnswer<Results<Metric>>([...DATA, "metrics"], "/api/metrics");
}

/** The last 30 days of the given metrics, per company and warehouse; asked for once the names are known. */
export function useDailyMetrics(names: readonly string[]): UseQueryResult<DailyMetrics, Problem> {
  const query = new URLSearchParams({ metric: names.join(","), date_range: "last_30_days" });
  return useAnswer<DailyMetrics>([...DATA, "daily", ...names], `/api/data/daily_metrics/?${query}`, {
    enabled: names.length > 0,
    refreshMs: RANGE_REFRESH_MS,
  });
}

export function usePipeline(): UseQueryResult<Pipeline, Problem> {
  return useAnswer<Pipeline>([...DATA, "pipeline"], "/api/pipeline/", { refreshMs: PIPELINE_REFRESH_MS });
}

interface AnswerOptions {
  enabled?: boolean;
  /** Read again on its own after this long; without it only when the stream says so. */
  refreshMs?: number;
}

function useAnswer<T>(
  key: readonly string[],
  path: string,
  { enabled = true, refreshMs }: AnswerOptions = {},
): UseQueryResult<T, Problem> {
  return useQuery<T, Problem>({
    queryKey: key,
    queryFn: ({ signal }) => get<T>(path, signal),
    enabled,
    // A failure that may pass is tried again on its own; meanwhile the last answer stays in sight.
    refetchInterval: ({ state }) => (mayPass(state.error) ? RETRY_MS : (refreshMs ?? false)),
  });
}

function mayPass(error: unknown): boolean {
  return error instanceof Problem && error.kind !== "signed_out" && error.kind !== "refused";
}
