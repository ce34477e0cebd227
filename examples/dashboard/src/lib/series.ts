/** Time series as they are shown. */

/** Fewer points than this say nothing. */
const LEAST = 8;

/** Without the empty time before there was anything: a fresh deployment's first minutes fill the chart. */
export function fromFirst<T>(buckets: readonly T[], isEmpty: (bucket: T) => boolean): readonly T[] {
  const first = buckets.findIndex((bucket) => !isEmpty(bucket));
  if (first <= 0) return buckets;
  return buckets.slice(Math.max(0, Math.min(first - 1, buckets.length - LEAST)));
}

/** Without the bucket that has just begun: half a minute's count beside whole ones looks like a fall. */
export function whole<T extends { start: string }>(
  buckets: readonly T[],
  stepMs: number,
  now = Date.now(),
): readonly T[] {
  const last = buckets.at(-1);
  const unfinished = last !== undefined && new Date(last.start).getTime() + stepMs > now;
  return unfinished && buckets.length > 2 ? buckets.slice(0, -1) : buckets;
}
