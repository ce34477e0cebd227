import { expect, test } from 'vitest';
import type { Alert, ErrorGroup } from '../src/api/types';
import { firing, measured } from '../src/lib/alerts';
import { groupsOf } from '../src/lib/groups';

const alert = (id: string, change: Partial<Alert>): Alert => ({
  id,
  name: id,
  kind: 'count',
  search: null,
  threshold: 1,
  window: '5m',
  severity: 'warning',
  enabled: true,
  status: 'firing',
  since: '2026-11-21T10:00:00Z',
  value: 3,
  silenced_until: null,
  ...change,
});

test('open alerts come in the order in which one looks at them', () => {
  const order = firing([
    alert('well', { status: 'ok' }),
    alert('off', { enabled: false }),
    alert('silent', { severity: 'critical', silenced_until: '2026-11-21T11:00:00Z' }),
    alert('pending', { status: 'pending' }),
    alert('older', {}),
    alert('newer', { since: '2026-11-21T10:05:00Z' }),
    alert('grave', { severity: 'critical' }),
  ]);
  expect(order.map(({ id }) => id)).toEqual(['grave', 'newer', 'older', 'pending', 'silent']);
});

test('what was measured is said in the words of its kind', () => {
  expect(measured(alert('a', {}))).toBe('3 in 5m');
  expect(measured(alert('a', { kind: 'error_rate', value: 0.25 }))).toBe('25% failed in 5m');
  expect(measured(alert('a', { kind: 'p95', value: 1500, window: '10m' }))).toBe('p95 1.50 s in 10m');
  expect(measured(alert('a', { kind: 'absence', value: 0 }))).toBe('only 0 in 5m');
  expect(measured(alert('a', { value: null, window: null }))).toBe('not measured');
});

test("a report's patterns lead to their error groups", () => {
  const group = (type: string, message: string): ErrorGroup => ({ type, message, fingerprint: message }) as ErrorGroup;
  const pattern = (text: string) => ({ pattern: text, count: 1, last_seen: '', example_id: '' });
  const groups = [group('E', 'b'), group('E', 'a'), group('F', 'c')];
  const found = groupsOf({ error_patterns: [pattern('E: a'), pattern('E: gone'), pattern('F: c')] }, groups);
  expect(found.map(({ fingerprint }) => fingerprint)).toEqual(['a', 'c']);
});
