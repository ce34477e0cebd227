import { describe, expect, it } from 'vitest';
import type { Line, Stats } from '../src/api/types';
import { changes } from '../src/lib/changes';
import { groups, valueAt } from '../src/lib/flatten';
import { before, bounds, rangeSearch, readRange } from '../src/lib/time-range';
import { withChanges } from '../src/lib/url-state';

describe('the time range of the address', () => {
  const read = (text: string) => readRange(new URLSearchParams(text));
  it('is relative, fixed, or the default', () => {
    expect(read('range=24h').params).toEqual({ timeRange: '24h' });
    expect(read('from=1000&to=2000').params).toEqual({ from: 1000, to: 2000 });
    expect(read('from=2000&to=1000').params).toEqual({ timeRange: '15m' });
    expect(read('range=forever').params).toEqual({ timeRange: '15m' });
  });
  it('knows its ends and the time before', () => {
    expect(bounds(read('range=5m'), 1_000_000)).toEqual([700_000, 1_000_000]);
    expect(before(read('from=1000&to=2000'))).toEqual({ from: 0, to: 1000 });
  });
  it('is all that links to other tabs keep', () => {
    expect(rangeSearch(new URLSearchParams('range=5m&q=x&line=1'))).toBe('?range=5m');
    expect(rangeSearch(new URLSearchParams('q=x'))).toBe('');
  });
});

it('changes of the address add, replace and take away', () => {
  expect(withChanges(new URLSearchParams('a=1&b=2'), { a: null, b: 3, c: 'x' }).toString()).toBe('b=3&c=x');
});

describe('fields of a line', () => {
  const line = {
    id: '1',
    file: 'backend.log',
    timestamp: 't',
    level: 'INFO',
    message: 'm',
    context: { user_id: 'u' },
    extra: { 'db.statement': 'select', nested: { a: 1 }, list: [1] },
  } as unknown as Line;
  it('are grouped and named as a query names them', () => {
    const found = groups(line).flatMap((g) => g.fields.map((f) => [f.path, f.value, f.filterable]));
    expect(found).toContainEqual(['context.user_id', 'u', true]);
    expect(found).toContainEqual(['extra.nested.a', 1, true]);
    expect(found).toContainEqual(['extra.list', [1], false]);
  });
  it('bare names reach into context and extra', () => {
    expect(valueAt(line, 'user_id')).toBe('u');
    expect(valueAt(line, 'context.user_id')).toBe('u');
    expect(valueAt(line, 'service.name')).toBeUndefined();
  });
});

describe('what changed', () => {
  const quiet: Stats = {
    from: '',
    to: '',
    total: 10,
    by_level: {},
    by_event_type: {},
    requests: { count: 100, errors: 1, error_rate: 0.01, per_second: 1, p50_ms: 5, p95_ms: 10, p99_ms: 20 },
    workflows: { active: 0, completed: 1, failed: 0, stalled: 0, interrupted: 0 },
    frontend: { events: 0, errors: 0, sessions: 0 },
    incidents: { panics: 0, incomplete_code: 0, stalled: 0, deadlocks: 0, suspicious: 0, log_loss: 0 },
    previous: { total: 10, errors: 1, requests: 100, request_errors: 1, p95_ms: 10 },
    series: { step_ms: 1000, buckets: [] },
    top_errors: [],
  };
  it('is nothing when numbers stay', () => expect(changes(quiet)).toEqual([]));
  it('names incidents first, then rates', () => {
    const loud = changes({
      ...quiet,
      incidents: { ...quiet.incidents, panics: 2 },
      requests: { ...quiet.requests, error_rate: 0.08, p95_ms: 40 },
    });
    expect(loud.map((c) => c.text)).toEqual([
      '2 panics happened',
      'The error rate rose from 1.0% to 8.0%',
      '95% of requests now need up to 40 ms (before: 10 ms)',
    ]);
  });
});
