
import { EVENT_NAVIGATION, SIGN_PAGE } from '../codes.js';
import { INFO, type BrowserLogger } from '../logger.js';
import { listen, replace } from './listen.js';

/** Logs page loads, routes of single-page applications, and pages that come back from the browser's cache. */
export function observeNavigation(logger: BrowserLogger): void {
  let shown = route();
  const navigated = (kind: string, from?: string): void => {
    shown = route();
    logger.personIsThere();
    if (from !== undefined) logger.notice(SIGN_PAGE);
    logger.emit(INFO, EVENT_NAVIGATION, `Navigated to ${shown}`, { from, to: shown, kind });
  };
  const changed = (kind: string): void => {
    // Only another path is another page: routers rewrite state and query all the time.
    if (route() !== shown) navigated(kind, shown);
  };
  const timing = performance.getEntriesByType('navigation')[0] as PerformanceNavigationTiming | undefined;
  const type = timing?.type ?? 'navigate';
  navigated(type === 'navigate' ? 'load' : type);
  for (const [method, kind] of [
    ['pushState', 'push'],
    ['replaceState', 'replace'],
  ] as const) {
    replace(logger, history, method, (original) => function (this: History, ...args) {
      original.apply(this, args);
      changed(kind);
    });
  }
  listen(logger, window, 'popstate', () => changed('pop'));
  listen(logger, window, 'hashchange', () => changed('pop'));
  listen<PageTransitionEvent>(logger, window, 'pageshow', (event) => {
    if (event.persisted) navigated('restore', shown);
  });
}

/** The path; with a `#/…` router, its path too. */
function route(): string {
  const { pathname, hash } = location;
  return hash.startsWith('#/') ? pathname + (hash.split('?', 1)[0] ?? '') : pathname;
}
