/** What the Logs tab asks for, read from the address. */
import { useMemo } from 'react';
import { useSearchParams } from 'react-router';
import type { Params } from '../../api/client';
import { useTimeRange } from '../../lib/time-range';

export const LEVELS = ['ERROR', 'WARN', 'INFO', 'DEBUG', 'TRACE'] as const;
export const DEFAULT_COLUMNS = ['timestamp', 'level', 'service.name', 'event_type', 'message'];

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
      columns: columns.length ? columns : DEFAULT_COLUMNS,
      line: search.get('line'),
    };
  }, [search, time]);
}
