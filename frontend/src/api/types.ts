/** What the API answers. Versions and figures are strings: neither fits a float without loss. */

import type { Day } from "../format/time";

export interface Session {
  name: string;
  tabs: Tab[];
}

/** A tab that this person may see; the server decides which. */
export interface Tab {
  id: string;
  title_es: string;
  title_en: string;
}

export interface Results<T> {
  results: T[];
}

export interface Metric {
  name: string;
  title_es: string;
  title_en: string;
  unit: string;
  kind: "sum" | "ratio";
  /** False while its figures are being built: they are not complete. */
  ready: boolean;
}

/** One figure of one day, company and warehouse; a day without facts has none. */
export interface DailyFigure {
  date: Day;
  metric: string;
  /** Null where a ratio's denominator is 0. */
  value: string | null;
  numerator: string;
  denominator: string | null;
  company: number | string;
  warehouse: string;
}

/** The days that a named range means in a warehouse's zone. */
export interface WarehouseRange {
  warehouse: string;
  zone: string;
  from: Day;
  to: Day;
}

export interface DailyMetrics extends Results<DailyFigure> {
  ranges: WarehouseRange[];
}

export interface Pipeline {
  sources: Source[];
}

export interface Source {
  source: string;
  state: string;
  detail: string | null;
  position: string | null;
  hi: string | null;
  revision: string | number;
  as_of: string | null;
  agent_seen_seconds: number | null;
  tables: Table[];
}

export interface Table {
  name: string;
  source_name: string;
  phase: string;
  conditions: Condition[];
  load: Load | null;
  quarantined: number;
  in_step: boolean;
}

export interface Condition {
  condition: string;
  reason: string;
  since: string;
  by: string;
}

export interface Load {
  kind: string;
  /** Rows applied so far. */
  rows: number;
  /** Whether its last chunk was applied. */
  scanned: boolean;
}

/** One source's freshness, as the stream tells it. */
export interface Freshness {
  source: string;
  revision: string | number;
  as_of: string | null;
  age_seconds: number | null;
  state: string;
}
