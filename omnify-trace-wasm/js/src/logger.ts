/** The logger over the WebAssembly core: cheap checks here, every rule there. */
import * as core from './core.js';

import { EVENT_FRONTEND_ERROR, EVENT_OWN, EVENT_SESSION_START, EVENT_USER_ACTION, FACT_NEW_RUN_ID, FACT_SESSION, FACT_SESSION_ID, FACT_TRACE_ID, SETTING_ORGANIZATION_ID, SETTING_SESSION, SETTING_USER_ID, SIGN_ACTION, SIGN_CONSENT, SIGN_PERSON } from './codes.js';
import { decode, now } from './clock.js';
import { describe, toJson } from './exceptions.js';
import { NOOP } from './noop.js';
import { storage, type Transport } from './transport.js';
import type { Consent, ErrorDetails, Fields, Level, Logger, Stats, WorkflowRun } from './types.js';
import { Run } from './workflow.js';

const NAMES = ['trace', 'debug', 'info', 'warn', 'error'] as const;
export const TRACE = 0;
export const DEBUG = 1;
export const INFO = 2;
export const WARN = 3;
export const ERROR = 4;

const CONSENTS: readonly Consent[] = ['denied', 'pending', 'granted'];
export const SESSION = 'omnify.session';
export const BAGGAGE = 'baggage';
/** Entries kept for a problem report. */
const RECENT = 20;
/** A reference's length; what follows it says for how many errors it stands. */
const REFERENCE = 9;

/** An entry's rarer parts. */
interface More {
  /** The application's own event type. */
  own?: string;
  /** The exception as JSON. */
  exception?: string;
  /** The number of the request that the entry tells of. */
  request?: number;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

export class BrowserLogger implements Logger {
  /** Requests that were followed so far. */
  asked = 0;
  readonly #transport: Transport;
  readonly #cleanups: (() => void)[] = [];
  readonly #recent: [at: number, level: number, message: string][] = [];
  readonly #captured = new WeakMap<object, string>();
  #threshold: number;
  #consent: Consent = 'granted';
  /** After a trap in the module nothing more is asked of it. */
  #broken = false;

  constructor(transport: Transport, level: Level) {
    this.#transport = transport;
    this.#threshold = NAMES.indexOf(level);
  }

  get traceId(): string {
    return this.get(FACT_TRACE_ID);
  }

  get sessionId(): string {
    return this.get(FACT_SESSION_ID);
  }

  enabled(level: Level): boolean {
    return NAMES.indexOf(level) >= this.#threshold;
  }

  log(message: string, fields?: Fields): void {
    this.emit(INFO, EVENT_OWN, message, fields);
  }

  debug(message: string, fields?: Fields): void {
    this.emit(DEBUG, EVENT_OWN, message, fields);
  }

  info(message: string, fields?: Fields): void {
    this.emit(INFO, EVENT_OWN, message, fields);
  }

  warn(message: string, fields?: Fields): void {
    this.emit(WARN, EVENT_OWN, message, fields);
  }

  error(message: string, fields?: Fields): void {
    this.emit(ERROR, EVENT_OWN, message, fields);
  }

  event(eventType: string, message: string, fields?: Fields): void {
    this.emit(INFO, EVENT_OWN, message, fields, { own: eventType });
  }

  /** Hands an entry to the core. A trap in there ends the logger, never the page. */
  emit(level: number, event: number, message: string, fields?: Fields, more?: More): void {
    if (level < this.#threshold || this.#broken) return;
    try {
      const at = now();
      const text = String(message);
      this.#remember(at, level, text);
      const extra = fields === undefined ? '' : toJson(fields);
      const parts = `${more?.own ?? ''}\0${extra}\0${more?.exception ?? ''}\0${text}`;
      core.log(level, event, parts, more?.request ?? -1, at);
      this.#transport.wake(level === ERROR);
    } catch {
      this.#break();
    }
  }

  #remember(at: number, level: number, message: string): void {
    if (this.#recent.length === RECENT) this.#recent.shift();
    this.#recent.push([at, level, message]);
  }

  captureError(error: unknown, details: ErrorDetails = {}): string {
    // React tells of one error in several ways, and what is caught may be thrown again.
    const known = isObject(error) && this.#captured.get(error);
    if (known) return known;
    const { type, message, stack, json } = describe(error);
    const verdict = decode(this.use(() => core.judge(`${type}\0${stack}\0${message}`, now())));
    const reference = verdict.slice(0, REFERENCE);
    if (isObject(error)) this.#captured.set(error, reference);
    const count = Number(verdict.slice(REFERENCE));
    if (count > 0) {
      const fields = {
        ...details.fields,
        kind: details.kind ?? 'captured',
        page: location.pathname,
        component_stack: details.componentStack?.slice(0, 4_000),
        count,
        reference,
      };
      this.emit(ERROR, EVENT_FRONTEND_ERROR, message, fields, { exception: json });
    }
    return reference;
  }

  action(name: string, fields?: Fields): void {
    this.acted(SIGN_ACTION, 'action', name, fields);
  }

  /** A person did something to an element: a trace opens and the entry is its first. */
  acted(sign: number, action: string, element: string, fields?: Fields): void {
    this.personIsThere();
    this.notice(sign);
    this.emit(INFO, EVENT_USER_ACTION, `${action} ${element}`, { ...fields, action, element, page: location.pathname });
  }

  /** Keeps the session alive, here and for the next page, or begins the next one. */
  personIsThere(): void {
    if (this.notice(SIGN_PERSON)) {
      this.emit(INFO, EVENT_SESSION_START, 'Session started', {
        page: location.pathname,
        user_agent: navigator.userAgent,
        referrer: document.referrer.split(/[?#]/, 1)[0] || undefined,
        ...this.origin,
      });
    }
    this.keepSession();
  }

  /** What requests of the open run carry along. */
  baggage = '';

  /** Release and environment, told once a session. */
  origin: Fields = {};

  /** Where batches are posted. */
  get endpoint(): string {
    return this.#transport.endpoint;
  }

  setLevel(level: Level): void {
    this.#threshold = Math.max(0, NAMES.indexOf(level));
  }

  setUser(id: string | null): void {
    this.set(SETTING_USER_ID, id ?? '');
  }

  setOrganization(id: string | null): void {
    this.set(SETTING_ORGANIZATION_ID, id ?? '');
  }

  setConsent(consent: Consent): void {
    this.#consent = consent;
    this.notice(SIGN_CONSENT, CONSENTS.indexOf(consent));
    if (consent === 'granted') {
      this.keepSession();
      this.#transport.wake();
    } else {
      storage(() => localStorage.removeItem(SESSION));
      this.#transport.forgetSaved();
    }
  }

  workflow(id: string, options: { name?: string; runId?: string } = {}): WorkflowRun {
    const runId = options.runId ?? this.get(FACT_NEW_RUN_ID);
    return runId ? new Run(this, id, options.name ?? id, runId) : NOOP.workflow(id);
  }

  traceHeaders(url: string | URL): Record<string, string> {
    return this.headersOf(decode(this.use(() => core.request_start(new URL(url, location.href).href, false, now()))));
  }

  /** A request's headers by their names, from what the core answers. */
  headersOf(ticket: string): Record<string, string> {
    const headers: Record<string, string> = {};
    if (ticket) {
      const [ids = '', session] = ticket.split(' ');
      headers['traceparent'] = ids.slice(0, 55);
      headers['x-request-id'] = ids.slice(55, 91);
      if (session) headers['x-session-id'] = session;
      if (ids.endsWith('+')) headers[BAGGAGE] = this.baggage;
    }
    return headers;
  }

  recent(): readonly string[] {
    return this.#recent.map(
      ([at, level, message]) => `${new Date(at).toISOString()} ${NAMES[level]?.toUpperCase() ?? ''} ${message}`,
    );
  }

  stats(): Stats {
    return this.use(() => this.#transport.stats()) ?? NOOP.stats();
  }

  async flush(): Promise<void> {
    if (this.#broken) return;
    try {
      await this.#transport.flush();
    } catch {
      this.#break();
    }
  }

  async stop(): Promise<void> {
    await this.flush();
    this.#unhook();
    this.#transport.stop();
  }

  /** Asks the core for something; a trap in it ends the logger, never the page. */
  use<T>(ask: () => T): T | undefined {
    if (this.#broken) return undefined;
    try {
      return ask();
    } catch {
      this.#break();
      return undefined;
    }
  }

  set(what: number, value: string): void {
    this.use(() => core.set(what, value, now()));
  }

  get(what: number): string {
    return decode(this.use(() => core.get(what, now())));
  }

  notice(what: number, value = 0): boolean {
    return this.use(() => core.notice(what, value, now())) ?? false;
  }

  /** Lets the next page of this browser go on with the session, if the person agreed. */
  keepSession(): void {
    if (this.#consent === 'granted') {
      const state = this.get(FACT_SESSION);
      storage(() => localStorage.setItem(SESSION, state));
    }
  }

  /** Takes over the session that another tab or page left. */
  adoptSession(): void {
    const stored = this.#consent === 'granted' && storage(() => localStorage.getItem(SESSION));
    if (stored) this.set(SETTING_SESSION, stored);
  }

  /** Registers what undoes a hook. */
  onStop(cleanup: () => void): void {
    this.#cleanups.push(cleanup);
  }

  #unhook(): void {
    for (const cleanup of this.#cleanups.splice(0)) cleanup();
  }

  #break(): void {
    this.#broken = true;
    this.#unhook();
    this.#transport.stop();
    console.warn('[omnify OT0602] the logger stopped');
  }
}
