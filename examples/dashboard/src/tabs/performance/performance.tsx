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
import { type SortColumn, SortTable } from '../../ui/sort-table';
import { Table } from '../../ui/table';
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
  const route = search.get('route');
  const query = useQuery(performanceQuery(range.params, routeOf(route)));
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
        {(data) => <Content data={data} old={compare ? old.data : undefined} route={route} />}
      </Loaded>
    </div>
  );
}

/** `GET /api/users/{id}` taken apart, as the address has it. */
function routeOf(text: string | null): { method?: string; route?: string } {
  const [, method, route] = /^(\S+) (.+)$/.exec(text ?? '') ?? [];
  return method && route ? { method, route } : {};
}

const nameOfRoute = ({ method, route }: { method: string; route: string }): string => `${method} ${route}`;

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

function Content({
  data,
  old,
  route,
}: {
  data: Performance_;
  old: Performance_ | undefined;
  /** Whose percentiles are shown over time; of all requests without. */
  route: string | null;
}) {
  const [, update] = useUrlState();
  const buckets = fromFirst(whole(data.series.buckets, data.series.step_ms), (b) => b.requests === 0);
  return (
    <div className="grid">
      <Card
        title="Latency of requests"
        sub="percentiles over time"
        actions={
          <RouteMenu data={data} route={route} onChoose={(chosen) => update({ route: chosen || null }, 'push')} />
        }
      >
        <Suspense fallback={<Skeleton height={218} />}>
          <Chart
            label={`Latency percentiles of ${route ?? 'requests'} over time`}
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
      <Routes data={data} old={old} route={route} onChoose={(chosen) => update({ route: chosen }, 'push')} />
      <div className="stack w4">
        <WebVitals data={data} />
        <LineList title="Slow queries" sub="slowest first" lines={data.slow_queries} empty="No slow query" />
      </div>
      <div className="w6">
        <LineList
          title="Slow requests"
          sub="beyond their budget"
          lines={data.slow_requests}
          empty="No request was beyond its budget"
        />
      </div>
      <div className="stack w6">
        <ExternalApis data={data} old={old} />
        <Agents data={data} />
      </div>
    </div>
  );
}

function RouteMenu({
  data,
  route,
  onChoose,
}: {
  data: Performance_;
  route: string | null;
  onChoose: (route: string) => void;
}) {
  const names = data.routes.filter((r) => r.route).map(nameOfRoute);
  // One that had no request in this range is still the one that was chosen.
  const all = route && !names.includes(route) ? [route, ...names] : names;
  return (
    <select
      className="button s route-menu"
      aria-label="Route"
      value={route ?? ''}
      onChange={(event) => onChoose(event.target.value)}
    >
      <option value="">All routes</option>
      {[...all].sort().map((name) => (
        <option key={name} value={name}>
          {name}
        </option>
      ))}
    </select>
  );
}

type RouteRow = Performance_['routes'][number];

function Routes({
  data,
  old,
  route,
  onChoose,
}: {
  data: Performance_;
  old: Performance_ | undefined;
  route: string | null;
  onChoose: (route: string | null) => void;
}) {
  const link = useTabLink();
  const was = new Map(old?.routes.map((r) => [nameOfRoute(r), r]));
  const columns: SortColumn<RouteRow>[] = [
    {
      name: 'Route',
      by: (r) => r.route,
      cut: true,
      cell: (r) => (
        <span className="row">
          <button
            type="button"
            className="button s icon ghost hide-m"
            aria-label={`Percentiles of ${nameOfRoute(r)} over time`}
            title="Over time"
            aria-pressed={nameOfRoute(r) === route}
            disabled={!r.route}
            onClick={() => onChoose(nameOfRoute(r) === route ? null : nameOfRoute(r))}
          >
            <Icon name="performance" size={14} />
          </button>
          <Link className="ellipsis" to={link('/logs', { q: `extra.route:"${r.route}" extra.method:${r.method}` })}>
            <span className="method">{r.method}</span> {r.route || <em className="muted">no route</em>}
          </Link>
        </span>
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
      cell: (r) => <Versus now={r.p95_ms} before={was.get(nameOfRoute(r))?.p95_ms} />,
    },
    { name: 'p99', by: (r) => r.p99_ms ?? 0, right: true, cell: (r) => duration(r.p99_ms), hideSmall: true },
    { name: 'Max', by: (r) => r.max_ms ?? 0, right: true, cell: (r) => duration(r.max_ms), hideSmall: true },
  ];
  return (
    <Card title="Routes" className="w8" flush>
      <SortTable
        rows={data.routes}
        columns={columns}
        name="routes"
        id={nameOfRoute}
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
    <Card title="Web vitals" sub="as browsers measured them, 75th percentile">
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
    <Card title={title} sub={sub} flush>
      {lines.length === 0 ? (
        <Empty icon="check" title={empty} />
      ) : (
        <Table
          rows={lines.slice(0, 10)}
          id={(l) => l.id}
          columns={[
            {
              name: 'What',
              cut: true,
              cell: (l) => (
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
              ),
            },
            {
              name: 'Took',
              right: true,
              cell: (l) => duration(Number(l.extra?.duration_ms ?? Number.NaN)),
            },
            { name: 'When', right: true, className: 'muted', cell: (l) => <Time iso={l.timestamp} as="ago" /> },
          ]}
        />
      )}
    </Card>
  );
}

type ApiRow = Performance_['external_apis'][number];

function ExternalApis({ data, old }: { data: Performance_; old: Performance_ | undefined }) {
  const was = new Map(old?.external_apis.map((a) => [`${a.api}${a.host}`, a]));
  const columns: SortColumn<ApiRow>[] = [
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
    <Card title="External APIs" flush>
      <SortTable
        rows={data.external_apis}
        columns={columns}
        name="apis"
        id={(a) => `${a.api}${a.host}`}
        start="Count"
        empty={<Empty title="No external API was called" />}
      />
    </Card>
  );
}

type AgentRow = Performance_['agents'][number];

function Agents({ data }: { data: Performance_ }) {
  const columns: SortColumn<AgentRow>[] = [
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
    {
      name: 'p95',
      by: (a) => a.p95_ms ?? 0,
      right: true,
      cell: (a) => duration(a.p95_ms),
      hideSmall: true,
    },
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
    <Card title="Agents" sub="models and what they cost" flush>
      <SortTable
        rows={data.agents}
        columns={columns}
        name="agents"
        id={(a) => `${a.agent}${a.model}`}
        start="Calls"
        empty={<Empty title="No agent was called" />}
      />
    </Card>
  );
}
