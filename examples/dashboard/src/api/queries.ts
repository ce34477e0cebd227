/** The questions that the tabs ask, as TanStack queries. */
import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import { ApiError, get, type Params } from './client';
import type {
  Alert,
  ErrorGroup,
  Facets,
  Health,
  Histogram,
  IncompleteItem,
  Issue,
  Line,
  LogPage,
  Performance_,
  Run,
  RunStatus,
  Session,
  Stats,
  Totals,
  Trace,
  WorkflowSummary,
} from './types';

/** How often a view of "until now" asks again. */
const FRESH_MS = 5_000;
/** Rows per page of the log table. */
const PAGE = 200;

/** A relative range keeps moving, a fixed one does not. */
function refetch(time: Params): number | false {
  return time.timeRange ? FRESH_MS : false;
}

export const session = queryOptions({
  queryKey: ['session'],
  queryFn: ({ signal }) => get<Session>('session', {}, signal),
  retry: (count, error) => (error as ApiError).status !== 401 && count < 2,
  staleTime: 60_000,
});

export const stats = (time: Params) =>
  queryOptions({
    queryKey: ['stats', time],
    queryFn: ({ signal }) => get<Stats>('stats', time, signal),
    refetchInterval: refetch(time),
    placeholderData: keepPreviousData,
  });

export const health = queryOptions({
  queryKey: ['health'],
  queryFn: ({ signal }) => get<Health>('health', {}, signal),
  refetchInterval: FRESH_MS * 2,
});

export const alerts = queryOptions({
  queryKey: ['alerts'],
  queryFn: ({ signal }) => get<{ alerts: Alert[] }>('alerts', {}, signal),
  refetchInterval: FRESH_MS * 2,
});

export const logs = (filters: Params, live: boolean) =>
  infiniteQueryOptions({
    queryKey: ['logs', filters],
    queryFn: ({ pageParam, signal }) => get<LogPage>('logs', { ...filters, limit: PAGE, cursor: pageParam }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: keepPreviousData,
    // The live tail brings what is new; asking again would only move the rows under the reader.
    refetchOnWindowFocus: !live,
    // Nothing there yet: it may come.
    refetchInterval: (query) => (filters.timeRange && query.state.data?.pages[0]?.logs.length === 0 ? FRESH_MS : false),
  });

export const histogram = (filters: Params, buckets: number) =>
  queryOptions({
    queryKey: ['histogram', filters, buckets],
    queryFn: ({ signal }) => get<Histogram>('logs/histogram', { ...filters, buckets, by: 'level' }, signal),
    refetchInterval: refetch(filters),
    placeholderData: keepPreviousData,
  });

export const facets = (filters: Params, fields: string, top = 10) =>
  queryOptions({
    queryKey: ['facets', filters, fields, top],
    queryFn: ({ signal }) => get<Facets>('logs/facets', { ...filters, fields, top }, signal),
    staleTime: 30_000,
  });

export const line = (id: string) =>
  queryOptions({
    queryKey: ['line', id],
    queryFn: ({ signal }) => get<Line>(`logs/${encodeURIComponent(id)}`, {}, signal),
    staleTime: Number.POSITIVE_INFINITY,
  });

export const around = (id: string, n: number) =>
  queryOptions({
    queryKey: ['around', id, n],
    queryFn: ({ signal }) =>
      get<{ logs: Line[] }>(`logs/${encodeURIComponent(id)}/context`, { before: n, after: n }, signal),
    placeholderData: keepPreviousData,
  });

export const trace = (id: string) =>
  queryOptions({
    queryKey: ['trace', id],
    queryFn: ({ signal }) => get<Trace>(`traces/${encodeURIComponent(id)}`, {}, signal),
  });

export const workflows = (time: Params) =>
  queryOptions({
    queryKey: ['workflows', time],
    queryFn: ({ signal }) => get<{ totals: Totals; workflows: WorkflowSummary[] }>('workflows', time, signal),
    refetchInterval: refetch(time),
    placeholderData: keepPreviousData,
  });

export const runs = (time: Params, filters: { workflowId?: string | undefined; status?: RunStatus | undefined }) =>
  infiniteQueryOptions({
    queryKey: ['runs', time, filters],
    queryFn: ({ pageParam, signal }) =>
      get<{ runs: Run[]; next_cursor: string | null }>(
        'runs',
        { ...time, ...filters, limit: 50, cursor: pageParam },
        signal,
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    refetchInterval: refetch(time),
    placeholderData: keepPreviousData,
  });

export const run = (id: string) =>
  queryOptions({
    queryKey: ['run', id],
    queryFn: ({ signal }) => get<Run>(`runs/${encodeURIComponent(id)}`, {}, signal),
    refetchInterval: (query) => {
      const status = query.state.data?.status;
      return status === 'active' || status === 'stalled' ? 1_500 : false;
    },
  });

/** `of`: the route that the series is of, instead of all requests. */
export const performance = (time: Params, of: { route?: string | undefined; method?: string | undefined } = {}) =>
  queryOptions({
    queryKey: ['performance', time, of],
    queryFn: ({ signal }) => get<Performance_>('performance', { ...time, ...of }, signal),
    refetchInterval: time.timeRange ? FRESH_MS * 2 : false,
    placeholderData: keepPreviousData,
  });

export const errors = (time: Params) =>
  queryOptions({
    queryKey: ['errors', time],
    queryFn: ({ signal }) => get<{ errors: ErrorGroup[] }>('errors', time, signal),
    refetchInterval: refetch(time),
    placeholderData: keepPreviousData,
  });

export const errorGroup = (fingerprint: string) =>
  queryOptions({
    queryKey: ['error', fingerprint],
    queryFn: ({ signal }) => get<ErrorGroup>(`errors/${encodeURIComponent(fingerprint)}`, {}, signal),
  });

/** Null where nobody has decided yet. */
export const issue = (fingerprint: string) =>
  queryOptions({
    queryKey: ['issue', fingerprint],
    queryFn: ({ signal }) =>
      get<Issue>(`issues/${encodeURIComponent(fingerprint)}`, {}, signal).catch((error: unknown) => {
        if (error instanceof ApiError && error.status === 404) return null;
        throw error;
      }),
  });

export const incomplete = (time: Params) =>
  queryOptions({
    queryKey: ['incomplete', time],
    queryFn: ({ signal }) => get<{ items: IncompleteItem[] }>('incomplete', time, signal),
    refetchInterval: time.timeRange ? FRESH_MS * 4 : false,
    placeholderData: keepPreviousData,
  });
