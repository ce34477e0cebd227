/** Links that keep the time range. */
import { useCallback } from 'react';
import { useSearchParams } from 'react-router';
import { rangeSearch } from '../lib/time-range';
import { type Changes, withChanges } from '../lib/url-state';

export function useTabLink(): (path: string, changes?: Changes) => string {
  const [search] = useSearchParams();
  const keep = rangeSearch(search);
  return useCallback(
    (path, changes = {}) => {
      const text = withChanges(new URLSearchParams(keep), changes).toString();
      return text ? `${path}?${text}` : path;
    },
    [keep],
  );
}
