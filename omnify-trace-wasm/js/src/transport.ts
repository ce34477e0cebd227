/** Sends what the core hands out: batches while the page lives, beacons as it goes, the rest next time. */
import * as core from './core.js';

import { COUNT_DUPLICATE, COUNT_NO_CONSENT, COUNT_QUEUED, COUNT_QUEUE_FULL, COUNT_RATE_LIMITED, COUNT_REJECTED, COUNT_SENT, COUNT_TOO_LARGE, EVENT_LOG_LOSS, FACT_UNSENT, SETTING_UNSENT } from './codes.js';
import { adjust, decode, now } from './clock.js';
import type { Stats } from './types.js';

const BATCH_BYTES = 48 * 1024;
/** Browsers allow 64 KiB of beacons and keepalive requests in flight, for the whole page. */
const BEACON_BYTES = 60 * 1024;
const TIMEOUT_MS = 10_000;
const SAVED = 'omnify.queue';
/** Why entries are dropped: the wire names of the core's counters. */
const LOSSES = {
  queue_full: COUNT_QUEUE_FULL,
  rate_limited: COUNT_RATE_LIMITED,
  duplicate: COUNT_DUPLICATE,
  rejected: COUNT_REJECTED,
  too_large: COUNT_TOO_LARGE,
  no_consent: COUNT_NO_CONSENT,
} as const;

export class Transport {
  readonly endpoint: string;
  readonly #fetch: typeof fetch;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #sending: Promise<void> | undefined;
  #flight = 0;
  #refused = false;
  readonly #reported = new Map<string, number>();
  #stopped = false;

  constructor(endpoint: string) {
    this.endpoint = endpoint;
    // As it was before the logger's own hook.
    this.#fetch = window.fetch.bind(window);
  }

  /** Takes up what an earlier page could not send. */
  restore(): void {
    const saved = storage(() => localStorage.getItem(SAVED));
    if (saved) {
      this.forgetSaved();
      core.set(SETTING_UNSENT, saved, now());
      this.wake();
    }
  }

  forgetSaved(): void {
    storage(() => localStorage.removeItem(SAVED));
  }

  /** Something waits: sets the timer unless it runs. `soon` looks again at a running one. */
  wake(soon = false): void {
    if (this.#stopped || this.#sending) return;
    if (this.#timer !== undefined) {
      if (!soon) return;
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
    const due = core.due(now());
    if (due >= 0) {
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        void this.flush();
      }, due);
    }
  }

  /** Sends until nothing waits or sending is put off. */
  flush(): Promise<void> {
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = undefined;
      this.wake();
    });
    return this.#sending;
  }

  async #sendAll(): Promise<void> {
    adjust();
    for (;;) {
      this.#reportLosses();
      const body = core.take(BATCH_BYTES, false, now());
      if (body.length === 0) return;
      const id = ++this.#flight;
      const { status, rejected, pause } = await this.#post(body);
      core.done(id, status, rejected, pause, now());
    }
  }

  async #post(body: Uint8Array<ArrayBuffer>): Promise<{ status: number; rejected: number; pause: number }> {
    const answer = { status: 0, rejected: 0, pause: 0 };
    try {
      const response = await this.#fetch(this.endpoint, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json' },
        // The batch arrives even if the page goes away meanwhile; unless the browser counts too much of that
        // under way already, the page's own included, and refuses.
        keepalive: !this.#refused,
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      answer.status = response.status;
      this.#refused = false;
      answer.pause = retryAfter(response.headers.get('retry-after'));
      const { rejected } = (await response.json()) as { rejected?: unknown };
      if (Array.isArray(rejected)) answer.rejected = rejected.length;
    } catch {
      // No answer, or one without JSON: the status says which.
      this.#refused = answer.status === 0;
    }
    return answer;
  }

  /** The page is hidden, perhaps for good: beacons, as far as the browser takes them. */
  beacon(): void {
    let budget = BEACON_BYTES;
    this.#reportLosses();
    for (;;) {
      const body = core.take(Math.min(budget, BATCH_BYTES), true, now());
      if (body.length === 0) return;
      const id = ++this.#flight;
      const blob = new Blob([body], { type: 'application/json' });
      const taken = navigator.sendBeacon(this.endpoint, blob);
      core.done(id, taken ? 202 : 0, 0, 0, now());
      if (!taken) return;
      budget -= blob.size;
    }
  }

  /** The page goes away: what no beacon took waits for the next page. */
  save(): void {
    const rest = decode(core.get(FACT_UNSENT, now()));
    if (rest) storage(() => localStorage.setItem(SAVED, rest));
  }

  /** What became of the entries so far. */
  stats(): Stats {
    return { sent: core.count(COUNT_SENT), queued: core.count(COUNT_QUEUED), dropped: Object.fromEntries(this.#losses()) };
  }

  #losses(): [reason: string, count: number][] {
    return Object.entries(LOSSES)
      .map(([reason, counter]): [string, number] => [reason, core.count(counter)])
      .filter(([, count]) => count > 0);
  }

  /** Nothing is dropped silently: an entry tells how many were, and why. */
  #reportLosses(): void {
    for (const [reason, total] of this.#losses()) {
      const count = total - (this.#reported.get(reason) ?? 0);
      if (count === 0 || reason === 'no_consent') continue;
      this.#reported.set(reason, total);
      core.log(3, EVENT_LOG_LOSS, `\0${JSON.stringify({ count, reason })}\0\0Entries lost`, -1, now());
    }
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }
}

/** `Retry-After` in milliseconds: seconds or a date; 0 if absent or nonsense. */
export function retryAfter(value: string | null): number {
  if (!value) return 0;
  const seconds = Number(value);
  const pause = Number.isFinite(seconds) ? seconds * 1_000 : Date.parse(value) - Date.now();
  return Number.isFinite(pause) ? Math.max(0, Math.min(pause, 3_600_000)) : 0;
}

/** Storage may be absent, full or forbidden; the logger then does without. */
export function storage<T>(use: () => T): T | null {
  try {
    return use();
  } catch {
    return null;
  }
}
