/** Alerts in a person's order and words. */
import type { Alert } from '../api/types';
import { count, duration, percent } from './format';

const WEIGHT: Record<Alert['severity'], number> = { critical: 0, warning: 1, info: 2 };

/** What is open: loud before silenced, grave before slight, firing before pending, newest first. */
export function firing(alerts: readonly Alert[]): Alert[] {
  const rank = (a: Alert): number =>
    (a.silenced_until === null ? 0 : 100) + WEIGHT[a.severity] * 10 + (a.status === 'firing' ? 0 : 1);
  return alerts
    .filter((a) => a.enabled && a.status !== 'ok')
    .sort((a, b) => rank(a) - rank(b) || b.since.localeCompare(a.since));
}

/** `63 in 5m`: what was measured, and over which time. */
export function measured({ kind, value, window }: Alert): string {
  const over = window ? ` in ${window}` : '';
  if (value === null) return `not measured${over}`;
  switch (kind) {
    case 'error_rate':
      return `${percent(value)} failed${over}`;
    case 'p95':
      return `p95 ${duration(value)}${over}`;
    case 'absence':
      return `only ${count(value)}${over}`;
    case 'new_errors':
      return `${count(value)} new${over}`;
    default:
      return `${count(value)}${over}`;
  }
}
