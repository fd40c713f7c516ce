/** A word with a tone. The word says it; the colour and the mark only underline it. */

import type { Tone } from "../stream/freshness";
import "./badge.css";

export function Badge({ tone, children }: { tone: Tone; children: string }) {
  return (
    <span className="badge" data-tone={tone}>
      {children}
    </span>
  );
}
