/** Which workflows run, how they end, and every run of the range. */
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, useSearchParams } from 'react-router';
import { runs, workflows } from '../../api/queries';
import type { Run, RunStatus, WorkflowSummary } from '../../api/types';
import { count, duration, shortId } from '../../lib/format';
import { useTimeRange } from '../../lib/time-range';
import { useUrlState } from '../../lib/url-state';
import { Card, Empty, Failure, Loaded, Skeleton, SkeletonRows, Status, statusTone, Time } from '../../ui/basics';
import { useTabLink } from '../../ui/links';
import { type Column, Table } from '../../ui/table';

const STATUSES: readonly RunStatus[] = ['active', 'completed', 'failed', 'stalled', 'interrupted'];
const isStatus = (text: string | null): text is RunStatus => STATUSES.includes(text as RunStatus);

export default function Workflows() {
  const range = useTimeRange();
  const [search] = useSearchParams();
  const [, update] = useUrlState();
  const query = useQuery(workflows(range.params));
  const asked = search.get('status');
  const status = isStatus(asked) ? asked : undefined;
  const workflowId = search.get('workflow') ?? undefined;
  return (
    <div className="page">
      <div className="page-head">
        <h1>Workflows</h1>
      </div>
      <Loaded
        query={query}
        what="Workflows"
        loading={
          <div className="kpis">
            {STATUSES.map((s) => (
              <div key={s} className="kpi">
                <Skeleton height={52} />
              </div>
            ))}
          </div>
        }
      >
        {(data) => (
          <div className="kpis" role="group" aria-label="Runs by state">
            {STATUSES.map((s) => (
              <button
                key={s}
                type="button"
                className="kpi"
                aria-pressed={status === s}
                onClick={() => update({ status: status === s ? null : s }, 'push')}
              >
                <span className="name">
                  <span className={`dot ${statusTone(s)}`} />
                  {s[0]?.toUpperCase()}
                  {s.slice(1)}
                </span>
                <span className="value">{count(data.totals[s])}</span>
              </button>
            ))}
          </div>
        )}
      </Loaded>
      <div className="split">
        <Card title="Workflows" flush>
          <Loaded
            query={query}
            what="Workflows"
            loading={
              <div className="pad">
                <SkeletonRows rows={5} height={36} />
              </div>
            }
          >
            {(data) =>
              data.workflows.length === 0 ? (
                <Empty icon="workflows" title="No runs in this range">
                  Start one, or widen the time range.
                </Empty>
              ) : (
                <ul className="wf-list">
                  {data.workflows.map((w) => (
                    <li key={w.workflow_id}>
                      <Summary
                        workflow={w}
                        chosen={w.workflow_id === workflowId}
                        onChoose={() =>
                          update({ workflow: w.workflow_id === workflowId ? null : w.workflow_id }, 'push')
                        }
                      />
                    </li>
                  ))}
                </ul>
              )
            }
          </Loaded>
        </Card>
        <Runs status={status} workflowId={workflowId} />
      </div>
    </div>
  );
}

function Summary({
  workflow: w,
  chosen,
  onChoose,
}: {
  workflow: WorkflowSummary;
  chosen: boolean;
  onChoose: () => void;
}) {
  const parts = STATUSES.map((s) => [s, w[s] ?? 0] as const).filter(([, n]) => n > 0);
  return (
    <button type="button" aria-pressed={chosen} onClick={onChoose}>
      <span className="row">
        <strong className="ellipsis grow">{w.name || w.workflow_id}</strong>
        <span className="small muted num">{count(w.runs)} runs</span>
      </span>
      <span className="meter">
        {parts.map(([s, n]) => (
          <i key={s} className={`fill-${statusTone(s)}`} style={{ width: `${(n / Math.max(1, w.runs)) * 100}%` }} />
        ))}
      </span>
      <span className="row small muted">
        <span className="grow">
          p50 {duration(w.p50_ms)} · p95 {duration(w.p95_ms)}
        </span>
        <Time iso={w.last_started_at} as="ago" />
      </span>
    </button>
  );
}

function Runs({ status, workflowId }: { status: RunStatus | undefined; workflowId: string | undefined }) {
  const range = useTimeRange();
  const query = useInfiniteQuery(runs(range.params, { status, workflowId }));
  const list = query.data?.pages.flatMap((p) => p.runs) ?? [];
  const what = [status, workflowId].filter(Boolean).join(' · ');
  const link = useTabLink();
  const columns: Column<Run>[] = [
    {
      name: 'Run',
      cut: true,
      cell: (r) => (
        <>
          <Link to={link(`/runs/${encodeURIComponent(r.run_id)}`)}>
            {r.name || r.workflow_id} <span className="mono muted">{shortId(r.run_id)}</span>
          </Link>
          <span className="small muted">{r.error ?? (r.current_step ? `at ${r.current_step}` : null)}</span>
        </>
      ),
    },
    { name: 'State', cell: (r) => <Status status={r.status} /> },
    {
      name: 'Steps',
      hideSmall: true,
      className: 'num nowrap',
      cell: (r) => `${r.steps_done}${r.steps_total ? ` of ${r.steps_total}` : ''}`,
    },
    { name: 'Took', right: true, cell: (r) => duration(r.duration_ms) },
    {
      name: 'User',
      hideSmall: true,
      whole: true,
      cell: (r) =>
        r.user_id ? (
          <Link to={link('/support', { client: r.user_id })}>{r.user_id}</Link>
        ) : (
          <span className="muted">–</span>
        ),
    },
    { name: 'Started', right: true, className: 'muted', cell: (r) => <Time iso={r.started_at} as="ago" /> },
  ];
  return (
    <Card title="Runs" sub={what || 'newest first'} flush>
      {query.error && !query.data ? (
        <Failure error={query.error} what="Runs" retry={() => query.refetch()} />
      ) : !query.data ? (
        <div className="pad">
          <SkeletonRows rows={10} height={24} />
        </div>
      ) : list.length === 0 ? (
        <Empty icon="workflows" title="No such runs">
          Nothing in this time range matches.
        </Empty>
      ) : (
        <>
          <Table rows={list} id={(r) => r.run_id} columns={columns} />
          {query.hasNextPage && (
            <div className="pad">
              <button
                type="button"
                className="button"
                disabled={query.isFetchingNextPage}
                onClick={() => query.fetchNextPage()}
              >
                Load more
              </button>
            </div>
          )}
        </>
      )}
    </Card>
  );
}
