import { act, cleanup, configure, fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { App } from "../src/app/App";
import { formatDay } from "../src/format/time";
import { type ApiDouble, dailyMetrics, installApiDouble, live, StreamDouble, TOKEN } from "./api_double";

// The page waits up to a second before it reads again.
configure({ asyncUtilTimeout: 5_000 });

let api: ApiDouble;

beforeEach(() => {
  vi.stubGlobal("navigator", { ...navigator, languages: ["es-PR"] });
  localStorage.clear();
  window.history.replaceState(null, "", "/");
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

async function open({ signedIn = true } = {}) {
  api = installApiDouble({ signedIn });
  render(<App />);
  if (!signedIn) return;
  await screen.findByTestId("card-orders_received");
  act(() => {
    StreamDouble.latest.onopen?.();
    StreamDouble.latest.say("freshness", live);
  });
}

describe("signing in", () => {
  const submit = (token: string) => {
    fireEvent.change(screen.getByTestId("sign-in-token"), { target: { value: token } });
    fireEvent.click(screen.getByTestId("sign-in-submit"));
  };

  it("says what is wrong with a token, then opens the first tab, and keeps no token", async () => {
    await open({ signedIn: false });
    await screen.findByTestId("sign-in-token");
    submit("wrong");
    await screen.findByText(/El token no es válido/);
    submit(` ${TOKEN} `);
    await screen.findByTestId("card-orders_received");
    expect(window.location.pathname).toBe("/testing");
    expect(JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])).not.toContain(
      TOKEN,
    );
  });

  it("says so when the browser does not keep the session", async () => {
    await open({ signedIn: false });
    await screen.findByTestId("sign-in-token");
    api.keepsCookie = false;
    submit(TOKEN);
    await screen.findByText(/El navegador no guardó la sesión/);
  });

  it("comes back when the session ends or is left", async () => {
    await open();
    api.signedIn = false;
    act(() => StreamDouble.latest.say("revision", { revision: 8 }));
    await screen.findByTestId("sign-in-token");
    submit(TOKEN);
    fireEvent.click(await screen.findByText("Salir"));
    await screen.findByTestId("sign-in-token");
    expect(StreamDouble.latest.closed).toBe(true);
  });
});

describe("the cards", () => {
  it("show the total of all warehouses, yesterday's and each warehouse's part", async () => {
    await open();
    const card = within(screen.getByTestId("card-orders_received"));
    expect(card.getByText("500")).toBeTruthy();
    expect(card.getByText("25.0% de ayer")).toBeTruthy();
    const rows = card.getAllByRole("row").map((row) => row.textContent);
    expect(rows).toEqual(["AlmacénHoyAyer", "PON11000", "SJU14002,000"]);

    expect(card.queryByText(/aún incompleto/)).toBeNull();

    const ratio = within(screen.getByTestId("card-line_fill_rate"));
    expect(ratio.getByText(/\+1\.0 puntos sobre ayer/)).toBeTruthy();
    expect(ratio.getByText(/aún incompleto/)).toBeTruthy();
    expect(ratio.getAllByText("99.0%")).toHaveLength(2);
    expect(ratio.getAllByText("sin datos")).toHaveLength(2);
  });

  it("move when the stream names a new revision", async () => {
    await open();
    api.answers["/api/data/daily_metrics/"] = dailyMetrics("9007199254740993");
    act(() => StreamDouble.latest.say("revision", { revision: 8 }));
    const card = within(screen.getByTestId("card-orders_received"));
    await card.findByText("9,007,199,254,741,093");
    expect(card.getByText(/\+9,007,199,254,739,093 sobre ayer/)).toBeTruthy();
  });

  it("stay in sight, with the reason and the remedy, while the API has no data", async () => {
    await open();
    api.outage = { status: 503, detail: "PostgreSQL refuses connections" };
    act(() => StreamDouble.latest.say("revision", { revision: 8 }));
    const [alert] = await screen.findAllByRole("alert");
    expect(alert?.textContent).toContain("El servidor no alcanza su base de datos");
    expect(alert?.textContent).toContain("PostgreSQL refuses connections");
    expect(screen.getByTestId("card-orders_received")).toBeTruthy();

    api.outage = null;
    for (const retry of screen.getAllByText("Intentar de nuevo")) fireEvent.click(retry);
    await waitFor(() => expect(screen.queryByText("PostgreSQL refuses connections")).toBeNull());
  });

  it("are never guessed: a figure that is no number takes its tab down, not the page", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    await open();
    api.answers["/api/data/daily_metrics/"] = dailyMetrics("1e5");
    act(() => StreamDouble.latest.say("revision", { revision: 8 }));
    expect((await screen.findByRole("alert")).textContent).toContain('not a decimal number: "1e5"');
    expect(screen.getByTestId("age").textContent).toContain("hace");
  });

  it("say what to do when there are none", async () => {
    api = installApiDouble({ signedIn: true });
    api.answers["/api/metrics"] = { results: [] };
    render(<App />);
    expect(await screen.findByText("Aún no hay métricas")).toBeTruthy();
    expect(api.requests.some((request) => request.includes("daily_metrics"))).toBe(false);
  });
});

describe("the age of the data", () => {
  it("ticks between events and changes its words with the state", async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    await open();
    expect(screen.getByTestId("age").textContent).toBe("hace 2 s");
    expect(screen.getByTestId("state").textContent).toBe("En vivo");
    act(() => {
      vi.advanceTimersByTime(5_000);
    });
    expect(screen.getByTestId("age").textContent).toMatch(/^hace [67] s$/);

    act(() => StreamDouble.latest.say("freshness", { ...live, state: "agent_silent", age_seconds: 190 }));
    expect(screen.getByTestId("state").textContent).toBe("Agente sin señal");
    expect(screen.getByTestId("age").textContent).toBe("hace 3 min 10 s");
    expect(screen.getByTestId("state").closest("[data-tone]")?.getAttribute("data-tone")).toBe("bad");
  });

  it("is not live once the stream is lost, and is again when it comes back", async () => {
    await open();
    act(() => StreamDouble.latest.onerror?.());
    expect(screen.getByTestId("state").dataset.state).toBe("disconnected");
    await waitFor(() => expect(StreamDouble.latest.closed).toBe(false));
    act(() => {
      StreamDouble.latest.onopen?.();
      StreamDouble.latest.say("freshness", live);
    });
    expect(screen.getByTestId("state").dataset.state).toBe("live");
  });
});

describe("the chart", () => {
  const day = (date: string) => formatDay(date, "es-MX", { weekday: true });

  it("reads out each day by keyboard, per warehouse too, and stands beside a table", async () => {
    await open();
    const chart = screen.getByTestId("chart");
    expect(chart.getAttribute("aria-valuetext")).toBe(`${day("2026-11-24")} (en curso): Total 500`);
    fireEvent.keyDown(chart, { key: "ArrowLeft" });
    expect(chart.getAttribute("aria-valuetext")).toBe(`${day("2026-11-23")}: Total 2,000`);
    fireEvent.click(screen.getByRole("radio", { name: "Por almacén" }));
    expect(chart.getAttribute("aria-valuetext")).toBe(`${day("2026-11-23")}: PON1 0, SJU1 2,000`);
    fireEvent.keyDown(chart, { key: "Home" });
    fireEvent.click(screen.getByRole("radio", { name: "Líneas" }));
    expect(chart.getAttribute("aria-valuetext")).toBe(`${day("2026-11-22")}: PON1 –, SJU1 –`);

    fireEvent.click(screen.getByText("Ver como tabla"));
    const table = within(screen.getByRole("table", { name: "Líneas, Últimos 30 días" }));
    expect(table.getAllByRole("row").map((row) => row.textContent)).toEqual([
      "DíaPON1SJU1",
      `${day("2026-11-24")} en curso–99.0%`,
      `${day("2026-11-23")}–98.0%`,
      `${day("2026-11-22")}––`,
    ]);
  });
});

describe("the pipeline", () => {
  it("shows each table's phase, load, conditions with reason, and quarantine", async () => {
    await open();
    expect((await screen.findByTestId("pipeline-table-orders")).textContent).toContain(
      "al día con el origen",
    );
    const inventory = screen.getByTestId("pipeline-table-inventory").textContent;
    for (const part of [
      "Cargando",
      "214,000 filas",
      "Historial perdido",
      "retention has passed",
      "3 en cuarentena",
    ]) {
      expect(inventory).toContain(part);
    }
    expect(screen.getByText("9,007,199,254,740,993")).toBeTruthy();
    expect(screen.getByText("Versiones por aplicar").nextSibling?.textContent).toBe("6");
  });
});

describe("the shell", () => {
  it("switches language at once and for the next visit", async () => {
    await open();
    fireEvent.click(screen.getByTestId("language"));
    expect(screen.getByText("Testing").getAttribute("aria-current")).toBe("page");
    expect(screen.getByTestId("state").textContent).toBe("Live");
    expect(document.documentElement.lang).toBe("en");
    cleanup();
    await open();
    expect(screen.getByText("Sign out")).toBeTruthy();
  });

  it("names an address that is no tab, and a tab that it does not know", async () => {
    window.history.replaceState(null, "", "/nowhere");
    api = installApiDouble({ signedIn: true });
    api.answers["/api/session"] = {
      name: "demo",
      tabs: [{ id: "later", title_es: "Luego", title_en: "Later" }],
    };
    render(<App />);
    fireEvent.click(await screen.findByText("Ir a la primera sección"));
    expect(await screen.findByText(/no conoce la sección later/)).toBeTruthy();
  });
});
