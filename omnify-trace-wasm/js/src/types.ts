/** How serious an entry is. Below the logger's level an entry costs next to nothing. */
export type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error';

/** Typed values of one entry; they land in the line's `extra`. Keys that name secrets are redacted. */
export type Fields = Readonly<Record<string, unknown>>;

/** Whether the person in front of the page agreed to being logged. */
export type Consent = 'granted' | 'pending' | 'denied';

/** Settings of {@link start}. Only `app` is required. */
export interface Options {
  /** Name of the page or application: the lines' `target`. */
  app: string;
  /** Where batches are posted. Defaults to `/api/logs/frontend`. */
  endpoint?: string;
  /** Version of the page's code, such as a git hash. */
  release?: string;
  /** Such as `production`. */
  environment?: string;
  /** The least level that is logged. Defaults to `info`. */
  level?: Level;
  /** Share of sessions that are logged, 0 to 1, decided by the session's id. Errors are always logged. Defaults to 1. */
  sampleRate?: number;
  /** Origins besides the page's own that get `traceparent`, `X-Request-ID` and `X-Session-ID`: `https://api.example.com`. */
  allowedOrigins?: readonly string[];
  /** `pending` keeps entries in memory until {@link Logger.setConsent}; `denied` drops them. Defaults to `granted`. */
  consent?: Consent;
  /** Stay silent for browsers that send Do-Not-Track or Global Privacy Control. Defaults to `false`. */
  respectDoNotTrack?: boolean;
  /** More names whose values are replaced by `[redacted]`, besides the built-in ones. */
  redactKeys?: readonly string[];
  /** Also log calls of `console.warn` and `console.error`. Defaults to `false`. */
  captureConsole?: boolean;
  /** Longest time an entry waits for company, in milliseconds. Defaults to 3000. */
  flushIntervalMs?: number;
  /** What to observe by itself. All default to `true`. */
  observe?: Partial<Observe>;
  /** Where the WebAssembly module is, if not beside this script: an address, or the module. */
  wasm?: string | URL | WebAssembly.Module | BufferSource;
}

/** What the logger observes without being asked. */
export interface Observe {
  /** Clicks, with a stable name; also rage and dead clicks. */
  clicks: boolean;
  /** Submitted forms: field names, never values. */
  forms: boolean;
  /** Page loads, SPA history, back/forward cache. */
  navigation: boolean;
  /** `fetch` and `XMLHttpRequest`, with trace headers to allowed origins. */
  requests: boolean;
  /** LCP, INP, CLS, FCP, TTFB, page load, long tasks. */
  vitals: boolean;
  /** Errors, unhandled rejections, failed resources, CSP violations. */
  errors: boolean;
}

/** More about a captured error. */
export interface ErrorDetails {
  /** Where it was caught: `error`, `unhandledrejection`, `react`, … Defaults to `captured`. */
  kind?: string;
  /** React's component stack. */
  componentStack?: string | null | undefined;
  /** Further fields. */
  fields?: Fields;
}

/** What became of the entries so far. */
export interface Stats {
  /** Entries accepted by the server. */
  sent: number;
  /** Entries waiting. */
  queued: number;
  /** Entries dropped, by reason. */
  dropped: Readonly<Record<string, number>>;
}

/**
 * The run of a workflow as the page sees it. Its requests to the page's own and to allowed origins carry its
 * ids in `baggage`, so that the server's lines of them, and a workflow that it starts, belong to the same run.
 */
export interface WorkflowRun {
  /** The definition's id. */
  readonly id: string;
  /** This run's id, given or made. */
  readonly runId: string;
  /** The trace that the run belongs to. */
  readonly traceId: string;
  /** Logs the start. Further calls do nothing. */
  start(fields?: Fields): this;
  /** Logs that a step began; an earlier open step is completed by that. */
  step(stepId: string, fields?: Fields): this;
  /** Logs that the open step failed; the run goes on. */
  stepFailed(error: unknown, fields?: Fields): this;
  /** Logs the good end. */
  complete(fields?: Fields): void;
  /** Logs the bad end, with the error's chain of causes. */
  fail(error: unknown, fields?: Fields): void;
  /** Headers that join a request to this run. */
  headers(): Record<string, string>;
}

/** The logger. Every method is safe to call at any time and never throws. */
export interface Logger {
  /** The current trace: that of the latest user action, or of the page. */
  readonly traceId: string;
  /** The current session. */
  readonly sessionId: string;
  /** Whether entries of a level are logged. */
  enabled(level: Level): boolean;
  /** Logs at `info`. */
  log(message: string, fields?: Fields): void;
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
  /** Logs an event of the application's own type. */
  event(eventType: string, message: string, fields?: Fields): void;
  /** Logs an error with its stack and causes. Answers a reference that a person can tell to support. */
  captureError(error: unknown, details?: ErrorDetails): string;
  /** Logs a user action by name and opens a trace for it, as a click does. */
  action(name: string, fields?: Fields): void;
  setLevel(level: Level): void;
  /** Who uses the page; `null` forgets. */
  setUser(id: string | null): void;
  /** On behalf of which customer; `null` forgets. */
  setOrganization(id: string | null): void;
  setConsent(consent: Consent): void;
  /** The run of a workflow; nothing is logged before {@link WorkflowRun.start}. */
  workflow(id: string, options?: { name?: string; runId?: string }): WorkflowRun;
  /** Headers for a request that neither `fetch` nor `XMLHttpRequest` makes. Empty where they must not go. */
  traceHeaders(url: string | URL): Record<string, string>;
  /** The last entries, newest last, for a problem report. */
  recent(): readonly string[];
  stats(): Stats;
  /** Sends what waits; settles when the server answered or sending was put off. */
  flush(): Promise<void>;
  /** Sends what waits and takes every hook out of the page. */
  stop(): Promise<void>;
}
