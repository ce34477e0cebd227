import { toJson } from '../exceptions.js';
import type { BrowserLogger } from '../logger.js';
import { replace } from './listen.js';

const LONGEST = 2_000;

/** Logs what the page writes to the console at `warn` and `error`. Only on request. */
export function observeConsole(logger: BrowserLogger): void {
  let inside = false;
  for (const level of ['warn', 'error'] as const) {
    replace(logger, console, level, (original) => function (this: Console, ...args: unknown[]) {
      original.apply(this, args);
      // Something below may itself write to the console.
      if (inside) return;
      inside = true;
      try {
        logger[level](args.map(shown).join(' ').slice(0, LONGEST), { logger: 'console' });
      } finally {
        inside = false;
      }
    });
  }
}

function shown(value: unknown): string {
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  return typeof value === 'object' && value !== null ? toJson(value) : String(value);
}
