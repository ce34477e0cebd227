/** "What changed": the sentences of the overview, from the numbers now and those of the time before. */
import type { Stats } from '../api/types';
import { change, count, duration, percent } from './format';

export interface Change {
  text: string;
  tone: 'error' | 'warn' | 'ok' | 'info';
  /** Logs that show it, as a query. */
  query: string | null;
}

/** A change below this share is noise. */
const NOTEWORTHY = 0.25;

export function changes(stats: Stats): Change[] {
  const { incidents, previous, requests, workflows } = stats;
  const found: Change[] = [];
  const incident = (n: number, one: string, many: string, query: string, tone: Change['tone'] = 'error'): void => {
    if (n > 0) found.push({ text: n === 1 ? one : `${count(n)} ${many}`, tone, query });
  };
  incident(incidents.deadlocks, 'A deadlock was found', 'deadlocks were found', 'event_type:deadlock_detected');
  incident(incidents.panics, 'A panic happened', 'panics happened', 'event_type:panic');
  incident(incidents.log_loss, 'Log lines were lost', 'times log lines were lost', 'event_type:log_loss');
  incident(incidents.stalled, 'An operation stalled', 'operations stalled', 'event_type:operation_stalled', 'warn');
  incident(
    incidents.incomplete_code,
    'Unfinished code was reached',
    'times unfinished code was reached',
    'event_type:incomplete_code',
    'warn',
  );
  incident(
    incidents.suspicious,
    'A suspicious request came in',
    'suspicious requests came in',
    'event_type:suspicious_request',
    'warn',
  );
  incident(
    workflows.interrupted,
    'A run was interrupted',
    'runs were interrupted',
    'event_type:crash_detected',
    'warn',
  );

  const fresh = stats.top_errors.filter((e) => e.state === 'new' || e.state === 'regressed');
  if (fresh.length) {
    const first = fresh[0];
    found.push({
      text:
        fresh.length === 1 && first
          ? `${first.state === 'new' ? 'New' : 'Back again'}: ${first.message}`
          : `${fresh.length} new or returned error groups`,
      tone: 'error',
      query: 'level:ERROR',
    });
  }

  const rateBefore = previous.requests ? previous.request_errors / previous.requests : null;
  if (rateBefore !== null && requests.count > 0) {
    const up = requests.error_rate - rateBefore;
    if (Math.abs(up) >= 0.01 && Math.abs(change(requests.error_rate, rateBefore) ?? 1) >= NOTEWORTHY) {
      found.push({
        text: `The error rate ${up > 0 ? 'rose' : 'fell'} from ${percent(rateBefore)} to ${percent(requests.error_rate)}`,
        tone: up > 0 ? 'error' : 'ok',
        query: up > 0 ? 'event_type:request_error' : null,
      });
    }
  }
  const latency = change(requests.p95_ms, previous.p95_ms);
  if (latency !== null && Math.abs(latency) >= NOTEWORTHY) {
    found.push({
      text: `95% of requests ${latency > 0 ? 'now need up to' : 'are back to'} ${duration(requests.p95_ms)} (before: ${duration(previous.p95_ms)})`,
      tone: latency > 0 ? 'warn' : 'ok',
      query: latency > 0 ? 'event_type:slow_request' : null,
    });
  }
  const traffic = change(requests.count, previous.requests);
  if (traffic !== null && Math.abs(traffic) >= NOTEWORTHY) {
    found.push({
      text: `Traffic ${traffic > 0 ? 'grew' : 'shrank'} by ${percent(Math.abs(traffic))}`,
      tone: 'info',
      query: null,
    });
  }
  return found;
}
