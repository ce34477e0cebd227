import init, { Core } from '#core';

import { getLogger, setActive } from './active.js';
import { adjust, now } from './clock.js';
import { observeClicks, observeForms } from './hooks/actions.js';
import { observeConsole } from './hooks/console.js';
import { observeErrors } from './hooks/errors.js';
import { listen } from './hooks/listen.js';
import { observeNavigation } from './hooks/navigation.js';
import { observeRequests } from './hooks/requests.js';
import { observeVitals } from './hooks/vitals.js';
import { BrowserLogger, SESSION } from './logger.js';
import { NOOP } from './noop.js';
import { Transport, storage } from './transport.js';
import type { Logger, Observe, Options } from './types.js';

const HOOKS: Readonly<Record<keyof Observe, (logger: BrowserLogger) => void>> = {
  // Errors first: they tell of what goes wrong in the others.
  errors: observeErrors,
  navigation: observeNavigation,
  clicks: observeClicks,
  forms: observeForms,
  requests: observeRequests,
  vitals: observeVitals,
};

let starting: Promise<Logger> | undefined;

/**
 * Starts the logger. A second call answers the running one. On a server, without WebAssembly, or where
 * tracking is not wanted, it answers a logger that does nothing; it never rejects.
 */
export function start(options: Options): Promise<Logger> {
  starting ??= launch(options).catch((error: unknown) => {
    starting = undefined;
    console.warn('[omnify OT0601] the logger did not start:', error);
    return NOOP;
  });
  return starting;
}

async function launch(options: Options): Promise<Logger> {
  if (typeof window === 'undefined' || unwanted(options)) return NOOP;
  await (options.wasm === undefined ? init() : init({ module_or_path: options.wasm }));
  adjust();
  const endpoint = new URL(options.endpoint ?? '/api/logs/frontend', location.href).href;
  const consent = options.consent ?? 'granted';
  const core = new Core(
    options.app,
    location.origin,
    (options.allowedOrigins ?? []).join('\n'),
    endpoint,
    (consent === 'granted' && storage(() => localStorage.getItem(SESSION))) || '',
    crypto.getRandomValues(new Uint8Array(32)),
    now(),
  );
  configure(core, options);
  const transport = new Transport(core, endpoint);
  const logger = new BrowserLogger(core, transport, options.level ?? 'info', consent);
  logger.setConsent(consent);
  transport.restore();
  lifecycle(logger, transport);
  for (const [name, hook] of Object.entries(HOOKS)) {
    if (options.observe?.[name as keyof Observe] ?? true) hook(logger);
  }
  if (options.captureConsole) observeConsole(logger);
  logger.onStop(() => {
    starting = undefined;
    if (getLogger() === logger) setActive(null);
  });
  setActive(logger);
  return logger;
}

function unwanted(options: Options): boolean {
  const { doNotTrack, globalPrivacyControl } = navigator as Navigator & { globalPrivacyControl?: boolean };
  return options.respectDoNotTrack === true && (doNotTrack === '1' || globalPrivacyControl === true);
}

function configure(core: Core, options: Options): void {
  core.set('user_agent', navigator.userAgent);
  core.set('referrer', document.referrer.split(/[?#]/, 1)[0] ?? '');
  core.set('release', options.release ?? '');
  core.set('environment', options.environment ?? '');
  for (const key of options.redactKeys ?? []) core.set('redact_key', key);
  core.set_sample_rate(options.sampleRate ?? 1);
  if (options.flushIntervalMs !== undefined) core.set_interval(options.flushIntervalMs);
}

/** The page comes and goes. */
function lifecycle(logger: BrowserLogger, transport: Transport): void {
  const leave = (): void => {
    logger.use((core) => core.hidden(now()));
    logger.use(() => transport.beacon());
  };
  listen(logger, document, 'visibilitychange', () => {
    if (document.visibilityState === 'hidden') {
      leave();
      return;
    }
    adjust();
    const stored = storage(() => localStorage.getItem(SESSION));
    logger.use((core) => {
      if (stored) core.adopt(stored, now());
      core.visible(now());
    });
    logger.keepSession();
  });
  listen(logger, window, 'pagehide', () => {
    leave();
    logger.use(() => transport.save());
    logger.keepSession();
  });
  listen<PageTransitionEvent>(logger, window, 'pageshow', (event) => {
    // Back from the browser's cache, with the queue still in memory.
    if (event.persisted) transport.forgetSaved();
  });
  listen(logger, window, 'online', () => logger.use(() => transport.wake(true)));
}
