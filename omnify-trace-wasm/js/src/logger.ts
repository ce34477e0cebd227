/** The logger over the WebAssembly core: cheap checks here, every rule there. */
import type { Core } from '#core';

import { now } from './clock.js';
import { describe, toJson } from './exceptions.js';
import { NOOP } from './noop.js';
import { storage, type Transport } from './transport.js';
import type { Consent, ErrorDetails, Fields, Level, Logger, Stats, WorkflowRun } from './types.js';
import { Run } from './workflow.js';

export const LEVELS: Readonly<Record<Level, number>> = { trace: 0, debug: 1, info: 2, warn: 3, error: 4 };
const CONSENTS: readonly Consent[] = ['denied', 'pending', 'granted'];
export const SESSION = 'omnify.session';

export class BrowserLogger implements Logger {
  readonly #core: Core;
  readonly #transport: Transport;
  readonly #cleanups: (() => void)[] = [];
  #threshold: number;
  #consent: Consent;
  /** After a trap in the module nothing more is asked of it. */
  #broken = false;

  constructor(core: Core, transport: Transport, level: Level, consent: Consent) {
    this.#core = core;
    this.#transport = transport;
    this.#threshold = LEVELS[level];
    this.#consent = consent;
  }

  get traceId(): string {
    return this.use((core) => core.trace_id(now())) ?? '';
  }

  get sessionId(): string {
    return this.use((core) => core.session_id()) ?? '';
  }

  /** Whether an error ended the logger's work. */
  get broken(): boolean {
    return this.#broken;
  }

  enabled(level: Level): boolean {
    return LEVELS[level] >= this.#threshold;
  }

  log(message: string, fields?: Fields): void {
    this.#write(2, '', message, fields);
  }

  debug(message: string, fields?: Fields): void {
    this.#write(1, '', message, fields);
  }

  info(message: string, fields?: Fields): void {
    this.#write(2, '', message, fields);
  }

  warn(message: string, fields?: Fields): void {
    this.#write(3, '', message, fields);
  }

  error(message: string, fields?: Fields): void {
    this.#write(4, '', message, fields);
  }

  event(eventType: string, message: string, fields?: Fields): void {
    this.#write(2, eventType, message, fields);
  }

  #write(level: number, event: string, message: string, fields: Fields | undefined): void {
    if (level < this.#threshold || this.#broken) return;
    try {
      this.#core.log(level, event, String(message), fields === undefined ? '' : toJson(fields), now());
      this.#transport.wake(level > 3);
    } catch {
      this.#break();
    }
  }

  captureError(error: unknown, details: ErrorDetails = {}): string {
    const { type, message, stack, json } = describe(error);
    const reference = this.use(
      (core) =>
        core.error(
          details.kind ?? 'captured',
          type,
          message,
          stack,
          details.componentStack ?? '',
          json,
          details.fields ? toJson(details.fields) : '',
          now(),
        ),
      true,
    );
    return reference ?? '';
  }

  action(name: string, fields?: Fields): void {
    this.use((core) => core.action('action', name, fields ? toJson(fields) : '', now()));
    this.keepSession();
  }

  setLevel(level: Level): void {
    this.#threshold = LEVELS[level] ?? this.#threshold;
  }

  setUser(id: string | null): void {
    this.use((core) => core.set('user_id', id ?? ''));
  }

  setOrganization(id: string | null): void {
    this.use((core) => core.set('organization_id', id ?? ''));
  }

  setConsent(consent: Consent): void {
    this.#consent = consent;
    this.use((core) => core.set_consent(CONSENTS.indexOf(consent)), true);
    if (consent === 'granted') {
      this.keepSession();
    } else {
      storage(() => localStorage.removeItem(SESSION));
      this.#transport.forgetSaved();
    }
  }

  workflow(id: string, options: { name?: string; runId?: string } = {}): WorkflowRun {
    const runId = options.runId ?? this.use((core) => core.new_run_id());
    return runId === undefined ? NOOP.workflow(id) : new Run(this, id, options.name ?? id, runId);
  }

  traceHeaders(url: string | URL): Record<string, string> {
    const found = this.use((core) => core.headers(new URL(url, location.href).href, now()));
    return found ? { traceparent: found.slice(0, 55), 'x-request-id': found.slice(55) } : {};
  }

  recent(): readonly string[] {
    const lines = this.use((core) => core.recent()) ?? '';
    return lines.split('\n').filter(Boolean);
  }

  stats(): Stats {
    const json = this.use((core) => core.stats());
    return json ? (JSON.parse(json) as Stats) : NOOP.stats();
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
  use<T>(ask: (core: Core) => T, urgent = false): T | undefined {
    if (this.#broken) return undefined;
    try {
      const answer = ask(this.#core);
      this.#transport.wake(urgent);
      return answer;
    } catch {
      this.#break();
      return undefined;
    }
  }

  /** Lets the next page of this browser go on with the session, if the person agreed. */
  keepSession(): void {
    if (this.#consent !== 'granted') return;
    const state = this.use((core) => core.session_state());
    if (state) storage(() => localStorage.setItem(SESSION, state));
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
  }
}
