/** Is it well? What changed? Where to look? */
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense } from 'react';
import { stats } from '../../api/queries';
import type { Stats } from '../../api/types';
import { axisDuration, count, duration } from '../../lib/format';
import { fromFirst, whole } from '../../lib/series';
import { useTimeRange } from '../../lib/time-range';
import { useUrlState } from '../../lib/url-state';
import { Card, Loaded, Skeleton } from '../../ui/basics';
import { AlertsCard, HealthCard, TopErrors, Unfinished, WhatChanged } from './cards';
import { Kpis } from './kpis';

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
        <WhatChanged />
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
        <AlertsCard />
        <TopErrors errors={data.top_errors} />
        <div className="stack w4">
          <HealthCard />
          <Unfinished />
        </div>
      </div>
    </>
  );
}
