/** State in the address: what is seen can be linked to. */
import { useCallback } from 'react';
import { useSearchParams } from 'react-router';

export type Changes = Record<string, string | number | null | undefined>;

/** A copy with the changes; empty values take a key away. */
export function withChanges(search: URLSearchParams, changes: Changes): URLSearchParams {
  const next = new URLSearchParams(search);
  for (const [key, value] of Object.entries(changes)) {
    if (value === null || value === undefined || value === '') next.delete(key);
    else next.set(key, String(value));
  }
  return next;
}

/** The address's parameters and a way to change some. Small changes replace the entry of the history. */
export function useUrlState(): [URLSearchParams, (changes: Changes, push?: 'push' | 'replace') => void] {
  const [search, setSearch] = useSearchParams();
  const update = useCallback(
    (changes: Changes, how: 'push' | 'replace' = 'replace') =>
      setSearch((current) => withChanges(current, changes), { replace: how === 'replace', preventScrollReset: true }),
    [setSearch],
  );
  return [search, update];
}
