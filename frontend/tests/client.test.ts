import { describe, expect, it, vi } from "vitest";
import { get } from "../src/api/client";

const PROBLEM = { headers: { "Content-Type": "application/problem+json" } };

describe("a request that fails", () => {
  it.each([
    ["unreachable", () => Promise.reject(new TypeError("connection refused")), null],
    ["signed_out", () => Response.json({ detail: "no session" }, { status: 401, ...PROBLEM }), "no session"],
    ["refused", () => Response.json({ detail: "metric x" }, { status: 400, ...PROBLEM }), "metric x"],
    ["unavailable", () => new Response("<h1>Bad gateway</h1>", { status: 502 }), null],
    ["failed", () => new Response("", { status: 500 }), null],
  ])("is %s", async (kind, answer, detail) => {
    vi.stubGlobal("fetch", async () => answer());
    await expect(get("/api/metrics")).rejects.toMatchObject({ kind, detail });
  });

  it("has failed too when its answer is not JSON", async () => {
    vi.stubGlobal("fetch", async () => new Response("<!doctype html>"));
    await expect(get("/api/metrics")).rejects.toMatchObject({ kind: "failed", status: 200 });
  });

  it("passes on the caller's own cancellation", async () => {
    const cancelled = new AbortController();
    vi.stubGlobal("fetch", async (_path: string, { signal }: RequestInit) => signal?.throwIfAborted());
    cancelled.abort(new Error("left the page"));
    await expect(get("/api/metrics", cancelled.signal)).rejects.toThrow("left the page");
  });
});
