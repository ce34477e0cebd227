import { now } from '../clock.js';
import type { BrowserLogger } from '../logger.js';

/** Codes that the core knows its metrics by. */
const FCP = 3;
const TTFB = 4;
const PAGE_LOAD = 5;
const LONG_TASK = 6;
const DOM_READY = 7;
/** More long tasks than this on one page are not logged. */
const MOST_LONG_TASKS = 10;

interface Shift extends PerformanceEntry {
  value: number;
  hadRecentInput: boolean;
}

interface Interaction extends PerformanceEntry {
  interactionId?: number;
}

/** Measures web vitals, page load and long tasks, as far as the browser does. */
export function observeVitals(logger: BrowserLogger): void {
  const vital = (code: number, value: number): void => {
    logger.use((core) => core.vital(code, value, now()));
  };
  watch(logger, 'largest-contentful-paint', (entry) => logger.use((core) => core.paint(entry.startTime)));
  watch<Shift>(logger, 'layout-shift', (entry) => {
    if (!entry.hadRecentInput) logger.use((core) => core.shift(entry.value, entry.startTime));
  });
  const interactions = new Map<number, number>();
  watch<Interaction>(logger, 'event', (entry) => {
    const id = entry.interactionId;
    // One interaction is several events; its longest one counts.
    if (!id || (interactions.get(id) ?? 0) >= entry.duration) return;
    if (interactions.size > 50) interactions.clear();
    interactions.set(id, entry.duration);
    logger.use((core) => core.interaction(entry.duration));
  }, { durationThreshold: 40 });
  watch(logger, 'paint', (entry) => {
    if (entry.name === 'first-contentful-paint') vital(FCP, entry.startTime);
  });
  let tasks = 0;
  watch(logger, 'longtask', (entry) => {
    if (tasks++ < MOST_LONG_TASKS) vital(LONG_TASK, entry.duration);
  });
  watch<PerformanceNavigationTiming>(logger, 'navigation', (entry) => {
    if (entry.responseStart > 0) vital(TTFB, entry.responseStart);
    if (entry.domContentLoadedEventEnd > 0) vital(DOM_READY, entry.domContentLoadedEventEnd);
    if (entry.loadEventEnd > 0) vital(PAGE_LOAD, entry.loadEventEnd);
  });
}

function watch<E extends PerformanceEntry>(
  logger: BrowserLogger,
  type: string,
  handle: (entry: E) => void,
  more: object = {},
): void {
  if (!PerformanceObserver.supportedEntryTypes?.includes(type)) return;
  try {
    const observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) handle(entry as E);
    });
    observer.observe({ type, buffered: true, ...more });
    logger.onStop(() => observer.disconnect());
  } catch {
    // Not in this browser.
  }
}
