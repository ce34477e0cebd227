import { describe, expect, it } from 'vitest';
import type { Span } from '../src/api/types';
import { lanes, ticks } from '../src/lib/lanes';
import { fromFirst, whole } from '../src/lib/series';
import { rows } from '../src/lib/waterfall';

describe('lanes', () => {
  it('puts parallel bars below each other and reuses what is free', () => {
    expect(
      lanes([
        { start: 0, end: 10 },
        { start: 5, end: 20 },
        { start: 6, end: 8 },
        { start: 10, end: 15 },
      ]),
    ).toEqual([0, 1, 2, 0]);
  });
  it('never lets two bars of a lane overlap', () => {
    const bars = Array.from({ length: 200 }, (_, i) => ({
      start: (i * 37) % 101,
      end: ((i * 37) % 101) + 1 + ((i * 13) % 17),
    }));
    const at = lanes(bars);
    for (const [i, a] of bars.entries()) {
      for (const [j, b] of bars.entries())
        if (i < j && at[i] === at[j]) expect(a.end <= b.start || b.end <= a.start).toBe(true);
    }
  });
  it('ticks are round and few', () => {
    expect(ticks(950, 6)).toEqual([0, 200, 400, 600, 800]);
    expect(ticks(0)).toEqual([0]);
  });
});

const span = (span_id: string, parent_span_id: string | null, ms: number): Span => ({
  span_id,
  parent_span_id,
  name: span_id,
  kind: 'internal',
  service: 's',
  started_at: new Date(1_700_000_000_000 + ms).toISOString(),
  duration_ms: 5,
  status: 'ok',
  line_id: null,
});
const START = new Date(1_700_000_000_000).toISOString();

describe('a series', () => {
  it('begins where there is something, but is never too short', () => {
    const series = [...Array(20).fill(0), ...Array(10).fill(5)] as number[];
    expect(fromFirst(series, (n) => n === 0)).toEqual([0, ...Array(10).fill(5)]);
    expect(fromFirst([...Array(29).fill(0), 5] as number[], (n) => n === 0)).toHaveLength(8);
    expect(fromFirst([0, 0], (n) => n === 0)).toEqual([0, 0]);
  });
});

it('a bucket that has just begun is left out', () => {
  const at = (ms: number) => ({ start: new Date(ms).toISOString() });
  const series = [at(0), at(1000), at(2000)];
  expect(whole(series, 1000, 2500)).toHaveLength(2);
  expect(whole(series, 1000, 3000)).toHaveLength(3);
});

describe('waterfall', () => {
  it('goes depth first, in order of time', () => {
    const list = rows([span('c', 'a', 20), span('a', null, 0), span('b', 'a', 10), span('d', 'b', 12)], START);
    expect(list.map((r) => [r.span.span_id, r.depth, r.offset])).toEqual([
      ['a', 0, 0],
      ['b', 1, 10],
      ['d', 2, 12],
      ['c', 1, 20],
    ]);
  });
  it('a lost parent makes a root, a circle loses no span', () => {
    const list = rows([span('a', 'lost', 0), span('x', 'y', 1), span('y', 'x', 2), span('s', 's', 3)], START);
    expect(list.map((r) => r.span.span_id).sort()).toEqual(['a', 's', 'x', 'y']);
  });
  it('two spans of one id both show, the children once', () => {
    const list = rows([span('a', null, 0), span('a', null, 1), span('b', 'a', 2)], START);
    expect(list.map((r) => r.span.span_id)).toEqual(['a', 'b', 'a']);
  });
});
