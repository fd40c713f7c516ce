/** Turns any number of "something changed" into few reads, and never loses the last one. */

/**
 * Runs `read` at once, then at most every `pauseMs` and never twice at a time. A call that comes while it runs or
 * pauses leads to one more run afterwards, so the last read always began after the last call.
 */
export function refresher(read: () => Promise<unknown>, pauseMs: number): () => void {
  let busy = false;
  let again = false;

  const run = async () => {
    busy = true;
    again = false;
    try {
      await read();
    } finally {
      setTimeout(() => {
        busy = false;
        if (again) void run();
      }, pauseMs);
    }
  };
  return () => {
    again = true;
    if (!busy) void run();
  };
}
