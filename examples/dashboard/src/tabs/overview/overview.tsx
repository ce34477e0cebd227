/** Is it well? What changed? Where to look? */
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense } from 'react';
import { Link } from 'react-router';
import { health, incomplete, stats } from '../../api/queries';
import type { ErrorGroup, Health, Stats } from '../../api/types';
import { changes } from '../../lib/changes';
import { axisDuration, bytes, change, count, duration, percent } from '../../lib/format';
import { fromFirst, whole } from '../../lib/series';
import { useTimeRange } from '../../lib/time-range';
import { useUrlState } from '../../lib/url-state';
import {
  Badge,
  Card,
  Delta,
  Empty,
  Loaded,
  Skeleton,
  SkeletonRows,
  Sparkline,
  Status,
  statusTone,
  Time,
  type Tone,
} from '../../ui/basics';
import { Icon } from '../../ui/icons';
import { useTabLink } from '../../ui/links';

const Chart = lazy(() => import('../../ui/chart').then((m) => ({ default: m.Chart })));

export function Overview() {
  const range = useTimeRange();
  const query = useQuery(stats(range.params));
  return (
    <div className="page">
      <div className="page-head">
        <h1>Overview</h1>
        {query.data && <span className="sub">{count(query.data.total)} log lines</span>}
      </div>
      <Loaded query={query} what="The overview" loading={<Loading />}>
        {(data) => <Content data={data} />}
      </Loaded>
    </div>
  );
}

function Loading() {
  return (
    <>
      <div className="kpis">
        {Array.from({ length: 6 }, (_, i) => (
          <div key={i} className="kpi">
            <Skeleton height={124} />
          </div>
        ))}
      </div>
      <div className="grid">
        <div className="card w8">
          <Skeleton height={266} />
        </div>
        <div className="card w4">
          <Skeleton height={266} />
        </div>
      </div>
    </>
  );
}

function Content({ data }: { data: Stats }) {
  const [, update] = useUrlState();
  const zoom = (from: number, to: number): void => update({ from, to, range: null }, 'push');
  const buckets = fromFirst(whole(data.series.buckets, data.series.step_ms), (b) => b.total === 0);
  const times = buckets.map((b) => new Date(b.start).getTime() / 1000);
  const perSecond = Math.max(1, data.series.step_ms) / 1000;
  return (
    <>
      <Kpis data={data} />
      <div className="grid">
        <Card title="Requests" sub="per second, failed ones in red" className="w8">
          <Suspense fallback={<Skeleton height={208} />}>
            <Chart
              label="Requests and errors over time"
              times={times}
              onZoom={zoom}
              format={(v) => (v === null || v === undefined ? '–' : v >= 10 ? v.toFixed(0) : v.toFixed(1))}
              series={[
                { name: 'Requests', tone: 'accent', values: buckets.map((b) => b.requests / perSecond), fill: true },
                { name: 'Errors', tone: 'error', values: buckets.map((b) => b.errors / perSecond), bars: true },
              ]}
            />
          </Suspense>
        </Card>
        <WhatChanged data={data} />
        <Card title="Latency" sub="95th percentile of requests" className="w8">
          <Suspense fallback={<Skeleton height={208} />}>
            <Chart
              label="95th percentile of request latency over time"
              times={times}
              onZoom={zoom}
              format={duration}
              axis={axisDuration}
              series={[{ name: 'p95', tone: 'info', values: buckets.map((b) => b.p95_ms), fill: true }]}
            />
          </Suspense>
        </Card>
        <HealthCard />
        <TopErrors errors={data.top_errors} />
        <Unfinished />
      </div>
    </>
  );
}

function Kpis({ data }: { data: Stats }) {
  const link = useTabLink();
  const { requests, previous, workflows, frontend, incidents } = data;
  const buckets = fromFirst(whole(data.series.buckets, data.series.step_ms), (b) => b.total === 0);
  const rateBefore = previous.requests ? previous.request_errors / previous.requests : null;
  const incidentCount =
    incidents.panics +
    incidents.deadlocks +
    incidents.stalled +
    incidents.incomplete_code +
    incidents.suspicious +
    incidents.log_loss;
  return (
    <div className="kpis">
      <Kpi
        to={link('/performance')}
        name="Throughput"
        value={requests.per_second.toFixed(requests.per_second < 10 ? 1 : 0)}
        unit="req/s"
        foot={
          <>
            <Delta share={change(requests.count, previous.requests)} worse="neither" />
            {count(requests.count)} requests
          </>
        }
        spark={buckets.map((b) => b.requests)}
        tone="accent"
      />
      <Kpi
        to={link('/logs', { q: 'event_type:request_error' })}
        name="Error rate"
        value={percent(requests.error_rate)}
        foot={
          <>
            <Delta share={change(requests.error_rate, rateBefore)} />
            {count(requests.errors)} failed
          </>
        }
        spark={buckets.map((b) => b.errors)}
        tone={requests.error_rate > 0.05 ? 'error' : 'gray'}
      />
      <Kpi
        to={link('/performance')}
        name="Latency p95"
        value={duration(requests.p95_ms)}
        foot={
          <>
            <Delta share={change(requests.p95_ms, previous.p95_ms)} />
            p50 {duration(requests.p50_ms)}
          </>
        }
        spark={buckets.map((b) => b.p95_ms)}
        tone="info"
      />
      <Kpi
        to={link('/workflows')}
        name="Active workflows"
        value={count(workflows.active)}
        foot={`${count(workflows.completed)} completed · ${count(workflows.failed)} failed`}
        meter={[
          ['ok', workflows.completed],
          ['info', workflows.active],
          ['warn', workflows.stalled],
          ['purple', workflows.interrupted],
          ['error', workflows.failed],
        ]}
      />
      <Kpi
        to={link('/logs', { q: 'source:frontend' })}
        name="Browser sessions"
        value={count(frontend.sessions)}
        foot={`${count(frontend.events)} events · ${count(frontend.errors)} errors`}
        meter={[
          ['error', frontend.errors],
          ['info', Math.max(0, frontend.events - frontend.errors)],
        ]}
      />
      <Kpi
        to={link('/logs', { level: 'ERROR,WARN' })}
        name="Incidents"
        value={count(incidentCount)}
        foot={incidentFoot(incidents)}
        meter={[
          ['error', incidents.panics + incidents.deadlocks + incidents.log_loss],
          ['warn', incidents.stalled + incidents.incomplete_code],
          ['purple', incidents.suspicious],
        ]}
      />
    </div>
  );
}

function incidentFoot(incidents: Stats['incidents']): string {
  const names: Record<keyof Stats['incidents'], string> = {
    panics: 'panics',
    deadlocks: 'deadlocks',
    stalled: 'stalled',
    incomplete_code: 'unfinished',
    suspicious: 'suspicious',
    log_loss: 'losses',
  };
  const parts = (Object.keys(names) as (keyof Stats['incidents'])[])
    .filter((key) => incidents[key] > 0)
    .map((key) => `${names[key]} ${count(incidents[key])}`);
  return parts.length ? parts.slice(0, 2).join(' · ') : 'none';
}

function Kpi({
  to,
  name,
  value,
  unit,
  foot,
  spark,
  tone = 'accent',
  meter,
}: {
  to: string;
  name: string;
  value: string;
  unit?: string;
  foot: React.ReactNode;
  spark?: readonly (number | null)[];
  tone?: Tone;
  meter?: readonly (readonly [tone: string, n: number])[];
}) {
  return (
    <Link to={to} className="kpi">
      <span className="name">{name}</span>
      <span className="value">
        {value}
        {unit && <small>{unit}</small>}
      </span>
      <span className="foot">{foot}</span>
      <span className="spark kpi-extra">
        {spark && <Sparkline values={spark} tone={tone} label={`${name} over time`} />}
        {meter && <Meter parts={meter} />}
      </span>
    </Link>
  );
}

function Meter({ parts }: { parts: readonly (readonly [tone: string, n: number])[] }) {
  const total = parts.reduce((sum, [, n]) => sum + n, 0);
  return (
    <span className="meter" aria-hidden="true">
      {total > 0 &&
        parts.map(([tone, n]) => (
          <i key={tone} className={`fill-${tone}`} style={{ width: `${(n / total) * 100}%` }} />
        ))}
    </span>
  );
}

function WhatChanged({ data }: { data: Stats }) {
  const link = useTabLink();
  const list = changes(data);
  return (
    <Card title="What changed" sub="against the time before" className="w4">
      {list.length === 0 ? (
        <Empty icon="check" title="Nothing unusual">
          Numbers are close to those of the range before.
        </Empty>
      ) : (
        <ul className="changes">
          {list.map((c) => (
            <li key={c.text}>
              <span className={`dot ${c.tone}`} />
              {c.query ? <Link to={link('/logs', { q: c.query })}>{c.text}</Link> : <span>{c.text}</span>}
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

function HealthCard() {
  const query = useQuery(health);
  return (
    <Card
      title="Health"
      className="w4"
      actions={query.data && <Badge tone={statusTone(query.data.status)}>{query.data.status}</Badge>}
    >
      <Loaded query={query} what="Health" loading={<SkeletonRows rows={5} height={22} />}>
        {(data: Health) => (
          <ul className="components">
            {data.components.map((c) => (
              <li key={c.name}>
                <span className={`dot ${statusTone(c.status)}`} />
                <span className="name">{c.name}</span>
                <span className="muted ellipsis small" title={c.detail ?? ''}>
                  {c.detail ?? c.status}
                </span>
              </li>
            ))}
            <li>
              <span className="dot ok" />
              <span className="name">storage</span>
              <span className="muted small">
                {count(data.store.lines)} lines · {bytes(data.store.bytes)}
              </span>
            </li>
            <li>
              <span className="dot ok" />
              <span className="name">uptime</span>
              <span className="muted small">{duration(data.uptime_s * 1000)}</span>
            </li>
          </ul>
        )}
      </Loaded>
    </Card>
  );
}

function TopErrors({ errors }: { errors: readonly ErrorGroup[] }) {
  const link = useTabLink();
  return (
    <Card title="Top errors" sub="grouped by what they have in common" className="w8" flush>
      {errors.length === 0 ? (
        <Empty icon="check" title="No errors in this range" />
      ) : (
        <table className="table">
          <thead>
            <tr>
              <th scope="col">Error</th>
              <th scope="col">State</th>
              <th scope="col" className="hide-m">
                Trend
              </th>
              <th scope="col" className="right">
                Count
              </th>
              <th scope="col" className="right hide-m">
                Users
              </th>
              <th scope="col" className="right">
                Last seen
              </th>
            </tr>
          </thead>
          <tbody>
            {errors.map((e) => (
              <tr key={e.fingerprint}>
                <td className="cut">
                  <Link to={link(`/errors/${encodeURIComponent(e.fingerprint)}`)}>{e.message}</Link>
                  <span className="small muted">{e.type}</span>
                </td>
                <td>
                  <Status status={e.state} />
                </td>
                <td className="hide-m trend">
                  <Sparkline values={e.trend} tone="error" label="Trend" />
                </td>
                <td className="right num">{count(e.count)}</td>
                <td className="right num hide-m">{count(e.users)}</td>
                <td className="right nowrap muted">
                  <Time iso={e.last_seen} as="ago" />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Card>
  );
}

function Unfinished() {
  const range = useTimeRange();
  const link = useTabLink();
  const query = useQuery(incomplete(range.params));
  return (
    <Card title="Unfinished code" sub="reached while running" className="w4">
      <Loaded query={query} what="Unfinished code" loading={<SkeletonRows rows={3} />}>
        {(data) =>
          data.items.length === 0 ? (
            <Empty icon="check" title="None was reached" />
          ) : (
            <ul className="components">
              {data.items.slice(0, 8).map((item) => (
                <li key={`${item.location}${item.kind}`} className="two">
                  <Icon name="alert" />
                  <span className="grow ellipsis">
                    <Link to={link('/logs', { q: 'event_type:incomplete_code' })} className="mono">
                      {item.location}
                    </Link>
                    <span className="small muted ellipsis block">{item.message || item.kind}</span>
                  </span>
                  <Badge tone="warn">{count(item.count)}×</Badge>
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </Card>
  );
}
