import * as core from '../core.js';

import { EVENT_API_ERROR, EVENT_API_REQUEST, EVENT_API_RESPONSE } from '../codes.js';
import { decode, now } from '../clock.js';
import { BAGGAGE, DEBUG, ERROR, INFO, WARN, type BrowserLogger } from '../logger.js';
import { replace } from './listen.js';

const TRACEPARENT = 'traceparent';

/** A request that is being followed. */
export interface Followed {
  /** Headers to send; absent where they must not go. */
  headers?: Record<string, string>;
  /** `sent` is the request's body. */
  end: (status: number, bytes: number, error?: string, sent?: unknown) => void;
}

/** Begins to follow a request; `undefined` if it is not to be followed. */
export function follow(logger: BrowserLogger, method: string, { href, origin, pathname }: URL): Followed | undefined {
  if (!href.startsWith('http')) return undefined;
  const started = now();
  const ticket = decode(logger.use(() => core.request_start(href, true, started)));
  if (!ticket) return undefined;
  logger.asked++;
  const silent = ticket[0] === '-';
  const ids = silent ? ticket.slice(1) : ticket;
  const request = parseInt(ids.slice(91), 10);
  const path = (origin === location.origin ? pathname : origin + pathname).slice(0, 1_000);
  const told = { method, path };
  logger.emit(DEBUG, EVENT_API_REQUEST, `${method} ${path}`, told, { request });
  const end: Followed['end'] = (status, bytes, error = '', sent) => {
    const [event, level] = weigh(status, error);
    const fields = {
      ...told,
      status_code: status || undefined,
      duration_ms: Math.round((now() - started) * 100) / 100,
      request_bytes: sizeOf(sent),
      response_bytes: bytes < 0 ? undefined : bytes,
      error: error || undefined,
    };
    logger.emit(level, event, `${method} ${path}${error && `: ${error}`}`, fields, { request });
    logger.use(() => core.request_end(request, now()));
  };
  return silent ? { end } : { end, headers: logger.headersOf(ids) };
}

function weigh(status: number, error: string): [event: number, level: number] {
  // The page changed its mind.
  if (error === 'AbortError') return [EVENT_API_ERROR, INFO];
  if (status === 0 || status >= 500) return [EVENT_API_ERROR, ERROR];
  return status >= 400 ? [EVENT_API_ERROR, WARN] : [EVENT_API_RESPONSE, INFO];
}

/** Follows `fetch` and `XMLHttpRequest`. Requests that already carry a `traceparent` are left alone. */
export function observeRequests(logger: BrowserLogger): void {
  observeFetch(logger);
  observeXhr(logger);
}

function observeFetch(logger: BrowserLogger): void {
  replace(logger, window, 'fetch', (original) => function (this: unknown, input, init) {
    const plan = planFetch(logger, input, init);
    const sent = original.call(window, input, plan?.init ?? init);
    if (!plan) return sent;
    return sent.then(
      (response) => {
        plan.followed.end(response.status, length(response.headers.get('content-length')), '', init?.body);
        return response;
      },
      (error: unknown) => {
        plan.followed.end(0, -1, nameOf(error), init?.body);
        throw error;
      },
    );
  });
}

function planFetch(
  logger: BrowserLogger,
  input: RequestInfo | URL,
  init: RequestInit | undefined,
): { followed: Followed; init: RequestInit | undefined } | undefined {
  try {
    const request = input instanceof Request ? input : undefined;
    const url = new URL(request ? request.url : String(input), document.baseURI);
    const method = (init?.method ?? request?.method ?? 'GET').toUpperCase();
    const given = init?.headers ?? request?.headers;
    const headers = given && new Headers(given);
    if (headers?.has(TRACEPARENT)) return undefined;
    const followed = follow(logger, method, url);
    if (!followed) return undefined;
    // A request without CORS cannot carry headers of ours.
    const silent = (init?.mode ?? request?.mode) === 'no-cors';
    if (!followed.headers || silent) return { followed, init };
    if (headers) {
      for (const [name, value] of Object.entries(followed.headers)) {
        // What the page sends itself is its own to say; of baggage both are sent.
        if (name === BAGGAGE || !headers.has(name)) headers.append(name, value);
      }
    }
    return { followed, init: { ...init, headers: headers ?? followed.headers } };
  } catch {
    return undefined;
  }
}

interface Planned {
  method: string;
  url: string;
  traced: boolean;
}

function observeXhr(logger: BrowserLogger): void {
  const plans = new WeakMap<XMLHttpRequest, Planned>();
  const prototype = XMLHttpRequest.prototype;
  replace(logger, prototype, 'open', (original) => function (this: XMLHttpRequest, ...args: unknown[]) {
    const [method, url] = args;
    plans.set(this, { method: String(method).toUpperCase(), url: String(url), traced: false });
    return (original as (...args: unknown[]) => void).apply(this, args);
  } as typeof original);
  replace(logger, prototype, 'setRequestHeader', (original) => function (this: XMLHttpRequest, name, value) {
    const plan = plans.get(this);
    if (plan && name.toLowerCase() === TRACEPARENT) plan.traced = true;
    return original.call(this, name, value);
  });
  replace(logger, prototype, 'send', (original) => function (this: XMLHttpRequest, body) {
    const plan = plans.get(this);
    if (plan && !plan.traced) followXhr(logger, this, plan, body);
    return original.call(this, body);
  });
}

function followXhr(logger: BrowserLogger, xhr: XMLHttpRequest, plan: Planned, body: unknown): void {
  try {
    const followed = follow(logger, plan.method, new URL(plan.url, document.baseURI));
    if (!followed) return;
    let error = '';
    xhr.addEventListener('error', () => (error = 'NetworkError'));
    xhr.addEventListener('timeout', () => (error = 'TimeoutError'));
    xhr.addEventListener('abort', () => (error = 'AbortError'));
    xhr.addEventListener('loadend', () => {
      followed.end(xhr.status, length(xhr.getResponseHeader('content-length')), error, body);
    });
    for (const [name, value] of Object.entries(followed.headers ?? {})) xhr.setRequestHeader(name, value);
  } catch {
    // The request goes on without us.
  }
}

/** A body's bytes; `undefined` where there is none, or only the browser knows. */
function sizeOf(body: unknown): number | undefined {
  const given = body instanceof URLSearchParams ? String(body) : body;
  if (typeof given === 'string') return core.encoder.encode(given).length;
  return (given as Blob | undefined)?.size ?? (given as ArrayBuffer | undefined)?.byteLength;
}

function length(value: string | null): number {
  return value === null ? -1 : Number(value) || 0;
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : 'Error';
}
