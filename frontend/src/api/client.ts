/**
 * Requests to the API. The session is a cookie that scripts cannot read; nothing secret is kept here.
 * Answers carry an ETag, and the browser's own cache revalidates with it: an unchanged answer costs a 304.
 */

export const SESSION_PATH = "/api/session";

/** A request without an answer for this long has failed: what waits for it would wait for ever on a dead network path. */
const PATIENCE_MS = 15_000;

/** Where a failed request leaves the reader. */
export type ProblemKind = "unreachable" | "signed_out" | "no_cookie" | "refused" | "unavailable" | "failed";

/** A failed request: the API's problem document, or what is known where there was none. */
export class Problem extends Error {
  readonly kind: ProblemKind;
  readonly status: number | null;
  readonly detail: string | null;

  constructor(kind: ProblemKind, title: string, status: number | null = null, detail: string | null = null) {
    super(title);
    this.name = "Problem";
    this.kind = kind;
    this.status = status;
    this.detail = detail;
  }
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  const response = await send(path, {
    cache: "no-cache",
    headers: { Accept: "application/json" },
    signal: signal ?? null,
  });
  return (await bodyOf(response)) as T;
}

/** Exchanges a token for the session's cookie, and sees to it that the browser has kept the cookie. */
export async function signIn(token: string): Promise<void> {
  await send(SESSION_PATH, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ token }),
  });
  try {
    await get(SESSION_PATH);
  } catch (error) {
    const refused = error instanceof Problem && error.kind === "signed_out";
    throw refused ? new Problem("no_cookie", error.message) : error;
  }
}

export async function signOut(): Promise<void> {
  await send(SESSION_PATH, { method: "DELETE" });
}

async function send(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    const patience = AbortSignal.timeout(PATIENCE_MS);
    const signal = init.signal ? AbortSignal.any([init.signal, patience]) : patience;
    response = await fetch(path, { credentials: "same-origin", ...init, signal });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new Problem("unreachable", String(error));
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}

async function problemOf(response: Response): Promise<Problem> {
  const { status } = response;
  const document = response.headers.get("Content-Type")?.startsWith("application/problem+json")
    ? ((await bodyOf(response)) as { title?: string; detail?: string })
    : {};
  return new Problem(kindOf(status), document.title ?? response.statusText, status, document.detail ?? null);
}

async function bodyOf(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch (error) {
    const kind = error instanceof SyntaxError ? "failed" : "unreachable";
    throw new Problem(kind, "the answer cannot be read", response.status, String(error));
  }
}

function kindOf(status: number): ProblemKind {
  if (status === 401) return "signed_out";
  if (status === 502 || status === 503 || status === 504) return "unavailable";
  return status < 500 ? "refused" : "failed";
}
