/** The logger over the WebAssembly core: cheap checks here, every rule there. */
import { Event, Fact, Setting, Sign, type Core } from '#core';

import { now } from './clock.js';
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
  readonly #core: Core;
  readonly #transport: Transport;
  readonly #cleanups: (() => void)[] = [];
  readonly #recent: [at: number, level: number, message: string][] = [];
  readonly #captured = new WeakMap<object, string>();
  #threshold: number;
  #consent: Consent = 'granted';
  /** After a trap in the module nothing more is asked of it. */
  #broken = false;

  constructor(core: Core, transport: Transport, level: Level) {
    this.#core = core;
    this.#transport = transport;
    this.#threshold = NAMES.indexOf(level);
  }

  get traceId(): string {
    return this.get(Fact.TraceId);
  }

  get sessionId(): string {
    return this.get(Fact.SessionId);
  }

  enabled(level: Level): boolean {
    return NAMES.indexOf(level) >= this.#threshold;
  }

  log(message: string, fields?: Fields): void {
    this.emit(INFO, Event.Own, message, fields);
  }

  debug(message: string, fields?: Fields): void {
    this.emit(DEBUG, Event.Own, message, fields);
  }

  info(message: string, fields?: Fields): void {
    this.emit(INFO, Event.Own, message, fields);
  }

  warn(message: string, fields?: Fields): void {
    this.emit(WARN, Event.Own, message, fields);
  }

  error(message: string, fields?: Fields): void {
    this.emit(ERROR, Event.Own, message, fields);
  }

  event(eventType: string, message: string, fields?: Fields): void {
    this.emit(INFO, Event.Own, message, fields, { own: eventType });
  }

  /** Hands an entry to the core. A trap in there ends the logger, never the page. */
  emit(level: number, event: Event, message: string, fields?: Fields, more?: More): void {
    if (level < this.#threshold || this.#broken) return;
    try {
      const at = now();
      const text = String(message);
      this.#remember(at, level, text);
      this.#core.log(
        level,
        event,
        more?.own ?? '',
        text,
        fields === undefined ? '' : toJson(fields),
        more?.exception ?? '',
        more?.request ?? -1,
        at,
      );
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
    const verdict = this.use((core) => core.judge(type, message, stack, now())) ?? '';
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
      this.emit(ERROR, Event.FrontendError, message, fields, { exception: json });
    }
    return reference;
  }

  action(name: string, fields?: Fields): void {
    this.acted(Sign.Action, 'action', name, fields);
  }

  /** A person did something to an element: a trace opens and the entry is its first. */
  acted(sign: Sign, action: string, element: string, fields?: Fields): void {
    this.personIsThere();
    this.notice(sign);
    this.emit(INFO, Event.UserAction, `${action} ${element}`, { ...fields, action, element, page: location.pathname });
  }

  /** Keeps the session alive, here and for the next page, or begins the next one. */
  personIsThere(): void {
    if (this.notice(Sign.Person)) {
      this.emit(INFO, Event.SessionStart, 'Session started', {
        page: location.pathname,
        user_agent: navigator.userAgent,
        referrer: document.referrer.split(/[?#]/, 1)[0] || undefined,
        ...this.origin,
      });
    }
    this.keepSession();
  }

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
    this.set(Setting.UserId, id ?? '');
  }

  setOrganization(id: string | null): void {
    this.set(Setting.OrganizationId, id ?? '');
  }

  setConsent(consent: Consent): void {
    this.#consent = consent;
    this.notice(Sign.Consent, CONSENTS.indexOf(consent));
    if (consent === 'granted') {
      this.keepSession();
      this.#transport.wake();
    } else {
      storage(() => localStorage.removeItem(SESSION));
      this.#transport.forgetSaved();
    }
  }

  workflow(id: string, options: { name?: string; runId?: string } = {}): WorkflowRun {
    const runId = options.runId ?? this.get(Fact.NewRunId);
    return runId ? new Run(this, id, options.name ?? id, runId) : NOOP.workflow(id);
  }

  traceHeaders(url: string | URL): Record<string, string> {
    const found = this.use((core) => core.request_start(new URL(url, location.href).href, false, now()));
    return found ? { traceparent: found.slice(0, 55), 'x-request-id': found.slice(55) } : {};
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
  use<T>(ask: (core: Core) => T): T | undefined {
    if (this.#broken) return undefined;
    try {
      return ask(this.#core);
    } catch {
      this.#break();
      return undefined;
    }
  }

  set(what: Setting, value: string): void {
    this.use((core) => core.set(what, value, now()));
  }

  get(what: Fact): string {
    return this.use((core) => core.get(what, now())) ?? '';
  }

  notice(what: Sign, value = 0): boolean {
    return this.use((core) => core.notice(what, value, now())) ?? false;
  }

  /** Lets the next page of this browser go on with the session, if the person agreed. */
  keepSession(): void {
    if (this.#consent === 'granted') {
      const state = this.get(Fact.Session);
      storage(() => localStorage.setItem(SESSION, state));
    }
  }

  /** Takes over the session that another tab or page left. */
  adoptSession(): void {
    const stored = this.#consent === 'granted' && storage(() => localStorage.getItem(SESSION));
    if (stored) this.set(Setting.Session, stored);
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
    console.warn('[omnify OT0602] the logger stopped after an error of its own');
  }
}
