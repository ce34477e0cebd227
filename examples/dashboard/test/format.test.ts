import { describe, expect, it } from 'vitest';
import { ago, bytes, change, count, duration, money, percent, utc } from '../src/lib/format';

describe('format', () => {
  it('durations', () => {
    expect([0.4, 4.25, 120, 1250, 59_949, 184_000, 7_500_000].map((ms) => duration(ms))).toEqual([
      '0.40 ms',
      '4.3 ms',
      '120 ms',
      '1.25 s',
      '59.9 s',
      '3 min 4 s',
      '2 h 5 min',
    ]);
    expect(duration(null)).toBe('–');
    expect(duration(Number.NaN)).toBe('–');
  });
  it('numbers', () => {
    expect(count(1234)).toBe('1,234');
    expect(count(1_234_567)).toBe('1.2M');
    expect(percent(0.0042)).toBe('0.42%');
    expect(percent(0)).toBe('0%');
    expect(percent(0.123)).toBe('12%');
    expect(bytes(1536)).toBe('1.5 KB');
    expect(money(0.00123)).toBe('$0.0012');
    expect(money(0)).toBe('$0.00');
  });
  it('a change needs something to compare with', () => {
    expect(change(5, 0)).toBeNull();
    expect(change(5, null)).toBeNull();
    expect(change(15, 10)).toBe(0.5);
  });
  it('times keep their nanoseconds in UTC', () => {
    expect(utc('2026-11-21T09:10:11.123456789Z')).toBe('2026-11-21 09:10:11.123456789 UTC');
    expect(ago(new Date(1_000_000).toISOString(), 1_000_000 + 65_000)).toBe('1 min ago');
  });
});

it('small amounts of money keep two digits that say something', () => {
  expect([1234.5, 0.42, 0.0042, 0.000031, 0, null].map(money)).toEqual([
    '$1234.50',
    '$0.42',
    '$0.0042',
    '$0.000031',
    '$0.00',
    '–',
  ]);
});
