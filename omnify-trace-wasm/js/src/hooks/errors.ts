import type { BrowserLogger } from '../logger.js';
import { listen } from './listen.js';

/** What the early stub collected before the logger was there. */
interface Early {
  q: Event[];
  s: () => void;
}

declare global {
  interface Window {
    omnifyEarly?: Early;
  }
}

/** Logs errors, rejections that nobody handles, resources that do not load, and CSP violations. */
export function observeErrors(logger: BrowserLogger): void {
  const onError = (event: Event): void => {
    if (event instanceof ErrorEvent) {
      logger.captureError(event.error ?? withMessage(event), { kind: 'error' });
    } else if (event.target instanceof Element) {
      resource(logger, event.target);
    }
  };
  const onRejection = (event: Event): void => {
    logger.captureError((event as PromiseRejectionEvent).reason, { kind: 'unhandledrejection' });
  };
  const early = window.omnifyEarly;
  if (early) {
    early.s();
    for (const event of early.q.splice(0)) (event.type === 'error' ? onError : onRejection)(event);
  }
  listen(logger, window, 'error', onError);
  listen(logger, window, 'unhandledrejection', onRejection);
  listen<SecurityPolicyViolationEvent>(logger, document, 'securitypolicyviolation', (event) => {
    logger.captureError(
      { name: 'CspViolation', message: `${event.effectiveDirective} blocked ${bare(event.blockedURI)}` },
      { kind: 'csp', fields: { source: bare(event.sourceFile), line: event.lineNumber } },
    );
  });
}

function withMessage(event: ErrorEvent): object {
  const place = event.filename ? `\n    at ${event.filename}:${event.lineno}:${event.colno}` : '';
  return { name: 'Error', message: event.message, stack: event.message + place };
}

function resource(logger: BrowserLogger, element: Element): void {
  const url = element.getAttribute('src') ?? element.getAttribute('href') ?? '';
  const tag = element.tagName.toLowerCase();
  logger.captureError({ name: 'ResourceError', message: `${tag} did not load: ${bare(url)}` }, { kind: 'resource' });
}

/** An address without query and fragment. */
function bare(url: string): string {
  return url.split(/[?#]/, 1)[0] ?? '';
}
