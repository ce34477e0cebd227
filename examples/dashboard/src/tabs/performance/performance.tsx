/** How fast it is, where it is slow, and whether it was better before. */
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense } from 'react';
import { Link, useSearchParams } from 'react-router';
import { performance as performanceQuery } from '../../api/queries';
import type { Line, Performance_ } from '../../api/types';
import { axisDuration, count, duration, money } from '../../lib/format';
import { fromFirst, whole } from '../../lib/series';
import { before, useTimeRange } from '../../lib/time-range';
import { useUrlState } from '../../lib/url-state';
import { Badge, Card, Empty, Loaded, Skeleton, SkeletonRows, Time, type Tone } from '../../ui/basics';
import { Icon } from '../../ui/icons';
import { useTabLink } from '../../ui/links';
import { type Column, SortTable } from '../../ui/sort-table';
import { Versus } from './versus';

const Chart = lazy(() => import('../../ui/chart').then((m) => ({ default: m.Chart })));

/** The range before, in whole minutes so that asking again finds the answer in the cache. */
function earlier(range: ReturnType<typeof useTimeRange>): { from: number; to: number } {
  const { from, to } = before(range, Math.floor(Date.now() / 60_000) * 60_000);
  return { from, to };
}

export default function PerformanceTab() {
  const range = useTimeRange();
  const [search] = useSearchParams();
  const [, update] = useUrlState();
  const compare = search.get('compare') === '1';
  const query = useQuery(performanceQuery(range.params));
  const old = useQuery({ ...performanceQuery(earlier(range)), enabled: compare });
  return (
    <div className="page">
      <div className="page-head">
        <h1>Performance</h1>
        <span className="grow" />
        <button
          type="button"
          className={`button${compare ? ' on' : ''}`}
          aria-pressed={compare}
          onClick={() => update({ compare: compare ? null : '1' })}
        >
          Compare with the time before
        </button>
      </div>
      {compare && <ComparisonNote query={old} />}
      <Loaded query={query} what="Performance" loading={<Loading />}>
        {(data) => <Content data={data} old={compare ? old.data : undefined} />}
      </Loaded>
    </div>
  );
}

/** Why there is nothing to compare with, if so. */
function ComparisonNote({ query }: { query: { data: Performance_ | undefined; error: unknown } }) {
  if (!query.error && query.data?.routes.length !== 0) return null;
  return (
    <div className="note" role="status">
      <Icon name="alert" />
      <span>
        {query.error
          ? 'The time before could not be loaded; nothing is compared.'
          : 'There were no requests in the time before: nothing to compare with.'}
      </span>
    </div>
  );
}

function Loading() {
  return (
    <div className="grid">
      <div className="card">
        <Skeleton height={264} />
      </div>
      <div className="card w7">
        <div className="pad">
          <SkeletonRows rows={10} height={22} />
        </div>
      </div>
      <div className="card w5">
        <div className="pad">
          <SkeletonRows rows={10} height={22} />
        </div>
      </div>
    </div>
  );
}

function Content({ data, old }: { data: Performance_; old: Performance_ | undefined }) {
  const [, update] = useUrlState();
  const buckets = fromFirst(whole(data.series.buckets, data.series.step_ms), (b) => b.requests === 0);
  return (
    <div className="grid">
      <Card title="Latency of requests" sub="percentiles over time">
        <Suspense fallback={<Skeleton height={218} />}>
          <Chart
            label="Latency percentiles of requests over time"
            times={buckets.map((b) => new Date(b.start).getTime() / 1000)}
            format={duration}
            axis={axisDuration}
            height={200}
            onZoom={(from, to) => update({ from, to, range: null }, 'push')}
            series={[
              { name: 'p50', tone: 'ok', values: buckets.map((b) => b.p50_ms) },
              { name: 'p95', tone: 'info', values: buckets.map((b) => b.p95_ms), fill: true },
              { name: 'p99', tone: 'purple', values: buckets.map((b) => b.p99_ms) },
            ]}
          />
        </Suspense>
      </Card>
      <Routes data={data} old={old} />
      <WebVitals data={data} />
      <LineList
        title="Slow requests"
        sub="beyond their budget"
        lines={data.slow_requests}
        empty="No request was beyond its budget"
      />
      <LineList title="Slow queries" sub="slowest first" lines={data.slow_queries} empty="No slow query" />
      <ExternalApis data={data} old={old} />
      <Agents data={data} />
    </div>
  );
}

type RouteRow = Performance_['routes'][number];

function Routes({ data, old }: { data: Performance_; old: Performance_ | undefined }) {
  const link = useTabLink();
  const was = new Map(old?.routes.map((r) => [`${r.method} ${r.route}`, r]));
  const columns: Column<RouteRow>[] = [
    {
      name: 'Route',
      by: (r) => r.route,
      cut: true,
      cell: (r) => (
        <Link to={link('/logs', { q: `extra.route:"${r.route}" extra.method:${r.method}` })}>
          <span className="method">{r.method}</span> {r.route || <em className="muted">no route</em>}
        </Link>
      ),
    },
    { name: 'Count', by: (r) => r.count, right: true, cell: (r) => count(r.count) },
    {
      name: 'Errors',
      by: (r) => r.errors,
      right: true,
      cell: (r) => (r.errors ? <span className="error-text">{count(r.errors)}</span> : '0'),
    },
    { name: 'p50', by: (r) => r.p50_ms ?? 0, right: true, cell: (r) => duration(r.p50_ms), hideSmall: true },
    {
      name: 'p95',
      by: (r) => r.p95_ms ?? 0,
      right: true,
      cell: (r) => <Versus now={r.p95_ms} before={was.get(`${r.method} ${r.route}`)?.p95_ms} />,
    },
    { name: 'p99', by: (r) => r.p99_ms ?? 0, right: true, cell: (r) => duration(r.p99_ms), hideSmall: true },
    { name: 'Max', by: (r) => r.max_ms ?? 0, right: true, cell: (r) => duration(r.max_ms), hideSmall: true },
  ];
  return (
    <Card title="Routes" className="w8" flush>
      <SortTable
        rows={data.routes}
        columns={columns}
        id={(r) => `${r.method} ${r.route}`}
        start="p95"
        empty={<Empty title="No requests in this range" />}
      />
    </Card>
  );
}

const RATING: Record<string, Tone> = {
  good: 'ok',
  'needs-improvement': 'warn',
  needs_improvement: 'warn',
  poor: 'error',
};

/** The vitals first, in the order in which one asks for them; then what else browsers told of. */
const VITALS = ['LCP', 'INP', 'CLS', 'FCP', 'TTFB'];
const rank = (metric: string): number => (VITALS.indexOf(metric) + VITALS.length + 1) % (VITALS.length + 1);

function WebVitals({ data }: { data: Performance_ }) {
  const vitals = [...data.web_vitals].sort((a, b) => rank(a.metric) - rank(b.metric));
  return (
    <Card title="Web vitals" sub="as browsers measured them, 75th percentile" className="w4">
      {data.web_vitals.length === 0 ? (
        <Empty title="No browser has reported yet">Open the customer page and use it.</Empty>
      ) : (
        <ul className="components">
          {vitals.map((v) => (
            <li key={v.metric}>
              <span className="name vital">{v.metric}</span>
              <span className="row">
                <strong className="num">{v.metric === 'CLS' ? v.p75.toFixed(3) : duration(v.p75)}</strong>
                {v.rating in RATING && <Badge tone={RATING[v.rating] ?? 'gray'}>{v.rating.replace(/[-_]/, ' ')}</Badge>}
                <span className="small muted num">{count(v.count)}×</span>
              </span>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

function LineList({ title, sub, lines, empty }: { title: string; sub: string; lines: readonly Line[]; empty: string }) {
  const link = useTabLink();
  const what = (l: Line): string => {
    const extra = l.extra ?? {};
    return String(
      extra['db.statement'] ?? (extra.method ? `${extra.method} ${extra.route ?? extra.path ?? ''}` : l.message),
    );
  };
  return (
    <Card title={title} sub={sub} className="w6" flush>
      {lines.length === 0 ? (
        <Empty icon="check" title={empty} />
      ) : (
        <table className="table">
          <thead>
            <tr>
              <th scope="col">What</th>
              <th scope="col" className="right">
                Took
              </th>
              <th scope="col" className="right">
                When
              </th>
            </tr>
          </thead>
          <tbody>
            {lines.slice(0, 10).map((l) => (
              <tr key={l.id}>
                <td className="cut">
                  <Link
                    className="mono"
                    to={
                      l.context?.trace_id
                        ? link(`/trace/${l.context.trace_id}`, { focus: l.id })
                        : link('/logs', { line: l.id })
                    }
                  >
                    {what(l)}
                  </Link>
                </td>
                <td className="right num nowrap">{duration(Number(l.extra?.duration_ms ?? Number.NaN))}</td>
                <td className="right nowrap muted">
                  <Time iso={l.timestamp} as="ago" />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Card>
  );
}

type ApiRow = Performance_['external_apis'][number];

function ExternalApis({ data, old }: { data: Performance_; old: Performance_ | undefined }) {
  const was = new Map(old?.external_apis.map((a) => [`${a.api}${a.host}`, a]));
  const columns: Column<ApiRow>[] = [
    {
      name: 'API',
      by: (a) => a.api,
      cut: true,
      cell: (a) => (
        <>
          <strong>{a.api}</strong>
          <span className="small muted">{a.host ?? ''}</span>
        </>
      ),
    },
    { name: 'Count', by: (a) => a.count, right: true, cell: (a) => count(a.count) },
    {
      name: 'Errors',
      by: (a) => a.errors,
      right: true,
      cell: (a) => (a.errors ? <span className="error-text">{count(a.errors)}</span> : '0'),
    },
    { name: 'p50', by: (a) => a.p50_ms ?? 0, right: true, cell: (a) => duration(a.p50_ms), hideSmall: true },
    {
      name: 'p95',
      by: (a) => a.p95_ms ?? 0,
      right: true,
      cell: (a) => <Versus now={a.p95_ms} before={was.get(`${a.api}${a.host}`)?.p95_ms} />,
    },
  ];
  return (
    <Card title="External APIs" className="w6" flush>
      <SortTable
        rows={data.external_apis}
        columns={columns}
        id={(a) => `${a.api}${a.host}`}
        start="Count"
        empty={<Empty title="No external API was called" />}
      />
    </Card>
  );
}

type AgentRow = Performance_['agents'][number];

function Agents({ data }: { data: Performance_ }) {
  const columns: Column<AgentRow>[] = [
    {
      name: 'Agent',
      by: (a) => a.agent,
      cut: true,
      cell: (a) => (
        <>
          <strong>{a.agent}</strong>
          <span className="small muted">{[a.provider, a.model].filter(Boolean).join(' · ')}</span>
        </>
      ),
    },
    { name: 'Calls', by: (a) => a.count, right: true, cell: (a) => count(a.count) },
    {
      name: 'Errors',
      by: (a) => a.errors,
      right: true,
      cell: (a) => (a.errors ? <span className="error-text">{count(a.errors)}</span> : '0'),
    },
    { name: 'p95', by: (a) => a.p95_ms ?? 0, right: true, cell: (a) => duration(a.p95_ms) },
    {
      name: 'Tokens',
      by: (a) => a.input_tokens + a.output_tokens,
      right: true,
      cell: (a) => count(a.input_tokens + a.output_tokens),
      hideSmall: true,
    },
    { name: 'Cost', by: (a) => a.cost_usd, right: true, cell: (a) => money(a.cost_usd || null) },
  ];
  return (
    <Card title="Agents" sub="models and what they cost" className="w6" flush>
      <SortTable
        rows={data.agents}
        columns={columns}
        id={(a) => `${a.agent}${a.model}`}
        start="Calls"
        empty={<Empty title="No agent was called" />}
      />
    </Card>
  );
}
