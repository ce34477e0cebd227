/** What a typed text leads to: an id to its trace, a reference number to its error, anything else to the logs. */
import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useState } from 'react';
import { useNavigate, useSearchParams } from 'react-router';
import { get } from '../api/client';
import type { LogPage, Run } from '../api/types';
import { asId, asReference, isTraceId } from '../lib/search';
import { rangeSearch } from '../lib/time-range';
import { withChanges } from '../lib/url-state';

/** The trace that an id (of a request, trace or run) belongs to, or null. */
export async function traceOf(id: string): Promise<string | null> {
  if (isTraceId(id)) {
    const page = await get<LogPage>('logs', { traceId: id, timeRange: '7d', limit: 1 });
    if (page.logs.length) return id;
  }
  for (const key of ['requestId', 'runId'] as const) {
    const page = await get<LogPage>('logs', { [key]: id, timeRange: '7d', limit: 1 });
    const found = page.logs[0]?.context?.trace_id;
    if (found) return found;
  }
  const run = await get<Run>(`runs/${encodeURIComponent(id)}`).catch(() => null);
  return run?.trace_id ?? null;
}

export function useFinder(): { find: (text: string) => Promise<void>; busy: boolean } {
  const navigate = useNavigate();
  const client = useQueryClient();
  const [search] = useSearchParams();
  const [busy, setBusy] = useState(false);

  const find = useCallback(
    async (text: string) => {
      const reference = asReference(text);
      if (reference) {
        // Whoever reads one out does so minutes or days after the error.
        navigate(`/logs?${withChanges(new URLSearchParams(), { q: `reference:${reference}`, range: '7d' })}`);
        return;
      }
      const id = asId(text);
      const keep = rangeSearch(search);
      if (id) {
        setBusy(true);
        const trace = await client
          .fetchQuery({ queryKey: ['trace-of', id], queryFn: () => traceOf(id), staleTime: 5_000 })
          .catch(() => null);
        setBusy(false);
        if (trace) {
          const focus = withChanges(new URLSearchParams(keep), { focus: id === trace ? null : id }).toString();
          navigate(`/trace/${trace}${focus && `?${focus}`}`);
          return;
        }
      }
      navigate(`/logs?${withChanges(new URLSearchParams(keep), { q: text.trim() })}`);
    },
    [client, navigate, search],
  );
  return { find, busy };
}
