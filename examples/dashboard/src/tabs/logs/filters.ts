/** What the Logs tab asks for, read from the address. */
import { useMemo } from 'react';
import { useSearchParams } from 'react-router';
import type { Params } from '../../api/client';
import { useTimeRange } from '../../lib/time-range';
import { useNarrow } from '../../ui/use-width';

export const LEVELS = ['ERROR', 'WARN', 'INFO', 'DEBUG', 'TRACE'] as const;
const DEFAULT_COLUMNS = ['timestamp', 'level', 'service.name', 'event_type', 'message'];
/** On a phone the message comes into view at once. */
const NARROW_COLUMNS = ['timestamp', 'level', 'message'];

/** The columns where nobody has chosen any. */
export function useDefaultColumns(): readonly string[] {
  return useNarrow() ? NARROW_COLUMNS : DEFAULT_COLUMNS;
}

export interface LogFilters {
  /** Filters and time, as the API names them. */
  params: Params;
  query: string;
  levels: readonly string[];
  order: 'newest' | 'oldest';
  live: boolean;
  columns: readonly string[];
  /** The line whose details are open. */
  line: string | null;
}

export function useLogFilters(): LogFilters {
  const [search] = useSearchParams();
  const { params: time } = useTimeRange();
  const usual = useDefaultColumns();
  return useMemo(() => {
    const query = search.get('q') ?? '';
    const levels = (search.get('level') ?? '').split(',').filter(Boolean);
    const order = search.get('order') === 'oldest' ? 'oldest' : 'newest';
    const columns = (search.get('cols') ?? '').split(',').filter(Boolean);
    return {
      params: { ...time, search: query || undefined, level: levels.join(',') || undefined },
      query,
      levels,
      order,
      live: search.get('live') === '1' && 'timeRange' in time && order === 'newest',
      columns: columns.length ? columns : usual,
      line: search.get('line'),
    };
  }, [search, time, usual]);
}
