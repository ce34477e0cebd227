import { expect, test } from 'vitest';

import { Interactions, Shifts, rate } from '../src/hooks/vitals.js';
import { retryAfter } from '../src/transport.js';

test('shifts add up within a window, and the worst window counts', () => {
  const shifts = new Shifts();
  shifts.add(0.1, 0);
  shifts.add(0.1, 900);
  shifts.add(0.05, 3_000);
  expect(shifts.worst).toBeCloseTo(0.2);
});

test('a window of many shifts ends after five seconds', () => {
  const shifts = new Shifts();
  for (let turn = 0; turn < 10; turn++) shifts.add(0.01, turn * 900);
  expect(shifts.worst).toBeCloseTo(0.06);
});

test('one interaction in fifty is forgiven, and one interaction is its longest event', () => {
  const interactions = new Interactions();
  interactions.add(1, 100);
  interactions.add(1, 800);
  interactions.add(1, 50);
  for (let id = 2; id < 50; id++) interactions.add(id, 40);
  expect(interactions.inp).toBe(800);
  interactions.add(50, 300);
  expect(interactions.inp).toBe(300);
});

test('ratings follow the published bounds', () => {
  expect([2_500, 4_000, 4_001].map((value) => rate('LCP', value))).toEqual(['good', 'needs-improvement', 'poor']);
});

test.each([
  [null, 0],
  ['2', 2_000],
  ['nonsense', 0],
  ['-5', 0],
  ['999999999', 3_600_000],
])('Retry-After %j is %d ms', (header, pause) => {
  expect(retryAfter(header)).toBe(pause);
});

test('Retry-After may be a date', () => {
  const pause = retryAfter(new Date(Date.now() + 10_000).toUTCString());
  expect(pause).toBeGreaterThan(8_000);
  expect(pause).toBeLessThanOrEqual(10_000);
});
