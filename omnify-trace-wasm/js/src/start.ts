import { SETTING_ALLOWED_ORIGIN, SETTING_APP, SETTING_ENDPOINT, SETTING_REDACT_KEY, SIGN_INTERVAL, SIGN_SAMPLE_RATE } from './codes.js';
import { getLogger, setActive } from './active.js';
import { adjust, now } from './clock.js';
import { create, load } from './core.js';
import { observeClicks, observeForms } from './hooks/actions.js';
import { observeConsole } from './hooks/console.js';
import { observeErrors } from './hooks/errors.js';
import { listen } from './hooks/listen.js';
import { observeNavigation } from './hooks/navigation.js';
import { observeRequests } from './hooks/requests.js';
import { observeVitals } from './hooks/vitals.js';
import { BrowserLogger } from './logger.js';
import { NOOP } from './noop.js';
import { Transport } from './transport.js';
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
    console.warn('[omnify OT0601] no logger:', error);
    return NOOP;
  });
  return starting;
}

async function launch(options: Options): Promise<Logger> {
  if (typeof window === 'undefined' || unwanted(options)) return NOOP;
  await load(options.wasm);
  adjust();
  create(crypto.getRandomValues(new Uint8Array(32)), now());
  const endpoint = new URL(options.endpoint ?? '/api/logs/frontend', location.href).href;
  const transport = new Transport(endpoint);
  const logger = new BrowserLogger(transport, options.level ?? 'info');
  configure(logger, options, endpoint);
  // Hooks first: what they log as the page goes away is still taken by the last beacon.
  for (const [name, hook] of Object.entries(HOOKS)) {
    if (options.observe?.[name as keyof Observe] ?? true) hook(logger);
  }
  if (options.captureConsole) observeConsole(logger);
  lifecycle(logger, transport);
  transport.restore();
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

function configure(logger: BrowserLogger, options: Options, endpoint: string): void {
  logger.set(SETTING_APP, options.app);
  logger.set(SETTING_ENDPOINT, endpoint);
  for (const origin of [location.origin, ...(options.allowedOrigins ?? [])]) logger.set(SETTING_ALLOWED_ORIGIN, origin);
  for (const key of options.redactKeys ?? []) logger.set(SETTING_REDACT_KEY, key);
  logger.notice(SIGN_SAMPLE_RATE, options.sampleRate ?? 1);
  if (options.flushIntervalMs !== undefined) logger.notice(SIGN_INTERVAL, options.flushIntervalMs);
  logger.origin = { release: options.release, environment: options.environment };
  const consent = options.consent ?? 'granted';
  if (consent === 'granted') logger.adoptSession();
  logger.setConsent(consent);
}

/** The page comes and goes. */
function lifecycle(logger: BrowserLogger, transport: Transport): void {
  const beacon = (): void => {
    logger.use(() => transport.beacon());
  };
  listen(logger, document, 'visibilitychange', () => {
    if (document.visibilityState === 'hidden') {
      beacon();
      return;
    }
    adjust();
    // Another tab may have gone on with the session.
    logger.adoptSession();
    logger.personIsThere();
  });
  listen(logger, window, 'pagehide', () => {
    beacon();
    logger.use(() => transport.save());
    logger.keepSession();
  });
  listen<PageTransitionEvent>(logger, window, 'pageshow', (event) => {
    // Back from the browser's cache, with the queue still in memory.
    if (event.persisted) transport.forgetSaved();
  });
  listen(logger, window, 'online', () => logger.use(() => transport.wake(true)));
}
