/** The time range of the address: `range=1h`, or `from` and `to` in Unix milliseconds. */
import { useMemo } from 'react';
import { useSearchParams } from 'react-router';

export const RANGES = [
  ['5m', 'Last 5 minutes', 5 * 60_000],
  ['15m', 'Last 15 minutes', 15 * 60_000],
  ['1h', 'Last hour', 3_600_000],
  ['6h', 'Last 6 hours', 6 * 3_600_000],
  ['24h', 'Last 24 hours', 86_400_000],
  ['7d', 'Last 7 days', 7 * 86_400_000],
] as const;

export const DEFAULT_RANGE = '15m';

/** What the API wants to know about time. */
export type TimeParams = { timeRange: string } | { from: number; to: number };

export interface TimeRange {
  params: TimeParams;
  /** Name of the relative range, or null for a fixed one. */
  relative: string | null;
  /** Length in milliseconds. */
  length: number;
}

/** Reads the range; nonsense means the default. */
export function readRange(search: URLSearchParams): TimeRange {
  const from = Number(search.get('from'));
  const to = Number(search.get('to'));
  if (search.has('from') && search.has('to') && from > 0 && to > from) {
    return { params: { from, to }, relative: null, length: to - from };
  }
  const known =
    RANGES.find(([name]) => name === search.get('range')) ?? RANGES.find(([name]) => name === DEFAULT_RANGE);
  const [name, , length] = known ?? RANGES[0];
  return { params: { timeRange: name }, relative: name, length };
}

/** First and last millisecond, as of now. */
export function bounds(range: TimeRange, now = Date.now()): [number, number] {
  return 'from' in range.params ? [range.params.from, range.params.to] : [now - range.length, now];
}

/** The range of equal length just before. */
export function before(range: TimeRange, now = Date.now()): { from: number; to: number } {
  const [from] = bounds(range, now);
  return { from: Math.round(from - range.length), to: Math.round(from) };
}

/** Only what links to other tabs should keep: the range. */
export function rangeSearch(search: URLSearchParams): string {
  const kept = new URLSearchParams();
  for (const key of ['range', 'from', 'to']) {
    const value = search.get(key);
    if (value) kept.set(key, value);
  }
  const text = kept.toString();
  return text && `?${text}`;
}

export function useTimeRange(): TimeRange {
  const [search] = useSearchParams();
  const key = [search.get('range'), search.get('from'), search.get('to')].join('|');
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key stands for the parts of the address that matter
  return useMemo(() => readRange(search), [key]);
}
