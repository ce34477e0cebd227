
import { EVENT_USER_ACTION, SIGN_ACTION, SIGN_SUBMIT } from '../codes.js';
import { INFO, type BrowserLogger } from '../logger.js';
import { listen } from './listen.js';
import { clicked, nameOf } from './names.js';

/** A click after which nothing changes for this long is dead. */
const DEAD_MS = 1_500;
/** So many clicks on one thing, each within this time of the one before, are rage. */
const RAGE_CLICKS = 3;
const RAGE_MS = 700;

/** Logs clicks. The listener runs before the page's own, so that what they start is in the click's trace. */
export function observeClicks(logger: BrowserLogger): void {
  let last = '';
  let at = 0;
  let clicks = 0;
  listen<MouseEvent>(logger, document, 'click', (event) => {
    const element = clicked(event);
    if (!element) return;
    const name = nameOf(element);
    logger.acted(SIGN_ACTION, 'click', name);
    clicks = name === last && event.timeStamp - at < RAGE_MS ? clicks + 1 : 1;
    last = name;
    at = event.timeStamp;
    if (clicks === RAGE_CLICKS) sorry(logger, 'rage_click', name);
    if (element.matches('button,[role=button]') && !element.closest('form')) watchForLife(logger, name, event.timeStamp);
  });
}

/** A click that made nobody happy: an entry in its trace. */
function sorry(logger: BrowserLogger, action: string, element: string): void {
  logger.emit(INFO, EVENT_USER_ACTION, `${action} ${element}`, { action, element, page: location.pathname });
}

/** Reports a dead click unless the page changes, requests something or goes elsewhere after it. */
function watchForLife(logger: BrowserLogger, name: string, since: number): void {
  const { asked } = logger;
  const address = location.href;
  let alive = false;
  const observer = new MutationObserver(() => {
    alive = true;
    observer.disconnect();
  });
  observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
  setTimeout(() => {
    observer.disconnect();
    alive ||= location.href !== address || document.hidden || logger.asked > asked;
    // Images and the like, which only the browser knows of.
    alive ||= performance.getEntriesByType('resource').some(({ name, startTime }) => startTime >= since && name !== logger.endpoint);
    if (!alive) sorry(logger, 'dead_click', name);
  }, DEAD_MS);
}

/** Logs submitted forms: which fields there were, never what was in them. */
export function observeForms(logger: BrowserLogger): void {
  listen<SubmitEvent>(logger, document, 'submit', (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement)) return;
    const fields = [...form.elements]
      .map((element) => element.getAttribute('name'))
      .filter(Boolean)
      .slice(0, 50);
    logger.acted(SIGN_SUBMIT, 'submit', nameOf(form), { fields: [...new Set(fields)] });
  });
}
