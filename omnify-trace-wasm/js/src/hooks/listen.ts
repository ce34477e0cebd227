import type { BrowserLogger } from '../logger.js';

/** Adds a listener for as long as the logger runs. Whatever the listener throws stays away from the page. */
export function listen<E extends Event>(
  logger: BrowserLogger,
  target: EventTarget,
  type: string,
  handle: (event: E) => void,
  options: AddEventListenerOptions = { capture: true, passive: true },
): void {
  const safely = (event: Event): void => {
    try {
      handle(event as E);
    } catch {
      // A hook must not be the error that it looks for.
    }
  };
  target.addEventListener(type, safely, options);
  logger.onStop(() => target.removeEventListener(type, safely, options));
}

/** Replaces a method for as long as the logger runs, unless someone else replaced it again meanwhile. */
export function replace<T extends object, K extends keyof T>(
  logger: BrowserLogger,
  target: T,
  name: K,
  make: (original: T[K]) => T[K],
): void {
  const original = target[name];
  const replacement = make(original);
  target[name] = replacement;
  logger.onStop(() => {
    if (target[name] === replacement) target[name] = original;
  });
}
