/** The numbers at the top, each a way to what it counts. */
import { Link } from 'react-router';
import type { Stats } from '../../api/types';
import { change, count, duration, percent } from '../../lib/format';
import { fromFirst, whole } from '../../lib/series';
import { Delta, Sparkline, type Tone } from '../../ui/basics';
import { useTabLink } from '../../ui/links';

export function Kpis({ data }: { data: Stats }) {
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
