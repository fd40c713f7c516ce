import { type RefCallback, useCallback, useState } from "react";

/** An element's width in CSS pixels, followed as it changes; 0 until it is on the page. */
export function useWidth(): [number, RefCallback<Element>] {
  const [width, setWidth] = useState(0);
  const measure = useCallback((element: Element | null) => {
    if (element === null) return undefined;
    const observer = new ResizeObserver(([entry]) => setWidth(entry?.contentRect.width ?? 0));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [width, measure];
}
