import { NOOP } from './noop.js';
import type { Logger } from './types.js';

let active: Logger = NOOP;

/** The running logger, or one that does nothing. */
export function getLogger(): Logger {
  return active;
}

export function setActive(logger: Logger | null): void {
  active = logger ?? NOOP;
}
