
import { EVENT_PAGE_PERFORMANCE } from '../codes.js';
import { INFO, type BrowserLogger } from '../logger.js';
import { listen } from './listen.js';

/** Bounds of a good and of a poor value, as web.dev gives them. */
const BOUNDS = {
  LCP: [2_500, 4_000],
  INP: [200, 500],
  CLS: [0.1, 0.25],
  FCP: [1_800, 3_000],
  TTFB: [800, 1_800],
  dom_ready: [2_000, 4_000],
  page_load: [3_000, 6_000],
  long_task: [50, 200],
} as const;

type Metric = keyof typeof BOUNDS;

/** More long tasks than this on one page are not logged. */
const MOST_LONG_TASKS = 10;
/** The worst interactions that are remembered. */
const WORST = 10;

/** CLS: the worst session window of layout shifts; a window ends after a second of calm, or after five. */
export class Shifts {
  worst = 0;
  #window = 0;
  #began = 0;
  #last = 0;

  add(value: number, at: number): void {
    const goesOn = this.#window > 0 && at - this.#last < 1_000 && at - this.#began < 5_000;
    this.#window = goesOn ? this.#window + value : value;
    if (!goesOn) this.#began = at;
    this.#last = at;
    this.worst = Math.max(this.worst, this.#window);
  }
}

/** INP: the worst interaction, one in fifty forgiven. One interaction is several events; its longest counts. */
export class Interactions {
  #count = 0;
  #worst: { id: number; duration: number }[] = [];

  add(id: number, duration: number): void {
    const known = this.#worst.find((interaction) => interaction.id === id);
    if (known) {
      known.duration = Math.max(known.duration, duration);
    } else {
      this.#count++;
      this.#worst.push({ id, duration });
    }
    this.#worst.sort((a, b) => b.duration - a.duration);
    this.#worst.length = Math.min(this.#worst.length, WORST);
  }

  get inp(): number {
    return this.#worst[Math.min(Math.floor(this.#count / 50), this.#worst.length - 1)]?.duration ?? 0;
  }
}

export function rate(metric: Metric, value: number): string {
  const [good, poor] = BOUNDS[metric];
  return value <= good ? 'good' : value <= poor ? 'needs-improvement' : 'poor';
}

interface Shift extends PerformanceEntry {
  value: number;
  hadRecentInput: boolean;
}

interface Interaction extends PerformanceEntry {
  interactionId?: number;
}

/** Measures web vitals, page load and long tasks, as far as the browser does. */
export function observeVitals(logger: BrowserLogger): void {
  const page = location.pathname;
  const tell = (metric: Metric, raw: number): void => {
    const value = Math.round(raw * 10_000) / 10_000;
    logger.emit(INFO, EVENT_PAGE_PERFORMANCE, `${metric} ${value}`, { metric, value, rating: rate(metric, value), page });
  };
  const shifts = new Shifts();
  const interactions = new Interactions();
  let lcp = 0;
  let tasks = 0;
  watch(logger, 'largest-contentful-paint', (entry) => (lcp = entry.startTime));
  watch<Shift>(logger, 'layout-shift', (entry) => {
    if (!entry.hadRecentInput) shifts.add(entry.value, entry.startTime);
  });
  watch<Interaction>(logger, 'event', ({ interactionId, duration }) => {
    if (interactionId) interactions.add(interactionId, duration);
  }, { durationThreshold: 40 });
  watch(logger, 'paint', (entry) => {
    if (entry.name === 'first-contentful-paint') tell('FCP', entry.startTime);
  });
  watch(logger, 'longtask', (entry) => {
    if (tasks++ < MOST_LONG_TASKS) tell('long_task', entry.duration);
  });
  watch<PerformanceNavigationTiming>(logger, 'navigation', (entry) => {
    if (entry.responseStart > 0) tell('TTFB', entry.responseStart);
    if (entry.domContentLoadedEventEnd > 0) tell('dom_ready', entry.domContentLoadedEventEnd);
    if (entry.loadEventEnd > 0) tell('page_load', entry.loadEventEnd);
  });
  // These can grow while the page lives: they are told when it is hidden, and again only if they grew.
  const told = new Map<Metric, number>();
  const tellFinal = (): void => {
    const calm = lcp > 0 && supported('layout-shift');
    for (const [metric, value] of [['LCP', lcp], ['INP', interactions.inp], ['CLS', shifts.worst]] as const) {
      // No shift at all is a good CLS, worth telling of a page that painted, if the browser looks for shifts.
      const last = told.get(metric) ?? (metric === 'CLS' && calm ? -1 : 0);
      if (value <= last) continue;
      told.set(metric, value);
      tell(metric, value);
    }
  };
  listen(logger, document, 'visibilitychange', () => {
    if (document.visibilityState === 'hidden') tellFinal();
  });
  listen(logger, window, 'pagehide', tellFinal);
}

function watch<E extends PerformanceEntry>(
  logger: BrowserLogger,
  type: string,
  handle: (entry: E) => void,
  more: object = {},
): void {
  if (!supported(type)) return;
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) handle(entry as E);
  });
  observer.observe({ type, buffered: true, ...more });
  logger.onStop(() => observer.disconnect());
}

function supported(type: string): boolean {
  return PerformanceObserver.supportedEntryTypes?.includes(type) ?? false;
}
