/** Time series as they are shown. */

/** Fewer points than this say nothing. */
const LEAST = 8;

/** Without the empty time before there was anything: a fresh deployment's first minutes fill the chart. */
export function fromFirst<T>(buckets: readonly T[], isEmpty: (bucket: T) => boolean): readonly T[] {
  const first = buckets.findIndex((bucket) => !isEmpty(bucket));
  if (first <= 0) return buckets;
  return buckets.slice(Math.max(0, Math.min(first - 1, buckets.length - LEAST)));
}
