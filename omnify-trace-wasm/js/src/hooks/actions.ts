import { now } from '../clock.js';
import { toJson } from '../exceptions.js';
import type { BrowserLogger } from '../logger.js';
import { listen } from './listen.js';
import { clicked, nameOf } from './names.js';

/** A click after which nothing changes for this long is dead. */
const DEAD_MS = 1_500;

/** Logs clicks. The listener runs before the page's own, so that what they start is in the click's trace. */
export function observeClicks(logger: BrowserLogger): void {
  listen<MouseEvent>(logger, document, 'click', (event) => {
    const element = clicked(event);
    if (!element) return;
    const name = nameOf(element);
    logger.use((core) => core.action('click', name, '', now()));
    logger.keepSession();
    if (element.matches('button,[role=button]') && !element.closest('form')) watchForLife(logger, name);
  });
}

/** Reports a dead click unless the page changes, requests something or goes elsewhere. */
function watchForLife(logger: BrowserLogger, name: string): void {
  const requests = performance.getEntriesByType('resource').length;
  const address = location.href;
  let alive = false;
  const observer = new MutationObserver(() => {
    alive = true;
    observer.disconnect();
  });
  observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
  setTimeout(() => {
    observer.disconnect();
    alive ||= location.href !== address || document.hidden;
    alive ||= performance.getEntriesByType('resource').length !== requests;
    if (!alive) logger.use((core) => core.dead_click(name, now()));
  }, DEAD_MS);
}

/** Logs submitted forms: which fields there were, never what was in them. */
export function observeForms(logger: BrowserLogger): void {
  listen<SubmitEvent>(logger, document, 'submit', (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement)) return;
    const fields = [...form.elements]
      .map((element) => element.getAttribute('name'))
      .filter((name) => name !== null && name !== '')
      .slice(0, 50);
    logger.use((core) => core.action('submit', nameOf(form), toJson({ fields: [...new Set(fields)] }), now()));
    logger.keepSession();
  });
}
