/** Small parts that every tab uses. */
import { type ReactNode, useEffect, useState } from 'react';
import { ApiError } from '../api/client';
import type { Level, Partial_ } from '../api/types';
import { ago, clock, dateTime, utc } from '../lib/format';
import { Icon, type IconName } from './icons';

export type Tone = 'error' | 'warn' | 'info' | 'ok' | 'purple' | 'gray' | 'accent';

const LEVEL_TONE: Record<Level, Tone> = {
  ERROR: 'error',
  WARN: 'warn',
  INFO: 'info',
  DEBUG: 'gray',
  TRACE: 'gray',
  UNKNOWN: 'purple',
};
const STATUS_TONE: Record<string, Tone> = {
  active: 'info',
  completed: 'ok',
  ok: 'ok',
  failed: 'error',
  error: 'error',
  stalled: 'warn',
  degraded: 'warn',
  waiting: 'info',
  interrupted: 'purple',
  skipped: 'gray',
  new: 'error',
  regressed: 'error',
  ongoing: 'warn',
  resolved: 'ok',
};

export const levelTone = (level: string): Tone => LEVEL_TONE[level as Level] ?? 'gray';
export const statusTone = (status: string): Tone => STATUS_TONE[status] ?? 'gray';

export function Badge({ tone = 'gray', children, title }: { tone?: Tone; children: ReactNode; title?: string }) {
  return (
    <span className={`badge ${tone}`} title={title}>
      {children}
    </span>
  );
}

export function Status({ status }: { status: string }) {
  const tone = statusTone(status);
  return (
    <span className={`badge ${tone}`}>
      <span className={`dot ${tone}${status === 'active' ? ' pulse' : ''}`} />
      {status}
    </span>
  );
}

/** A time in the reader's zone; UTC on hover. */
export function Time({ iso, as = 'dateTime' }: { iso: string | null | undefined; as?: 'dateTime' | 'clock' | 'ago' }) {
  if (!iso) return <span>–</span>;
  return (
    <time dateTime={iso} title={as === 'ago' ? `${dateTime(iso)} · ${utc(iso)}` : utc(iso)}>
      {as === 'ago' ? <Ago iso={iso} /> : as === 'clock' ? clock(iso) : dateTime(iso)}
    </time>
  );
}

function Ago({ iso }: { iso: string }) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 5_000);
    return () => clearInterval(timer);
  }, []);
  return <>{ago(iso, Math.max(now, Date.now()))}</>;
}

export function Card({
  title,
  sub,
  actions,
  children,
  className = '',
  flush = false,
  label,
}: {
  title?: ReactNode;
  sub?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  className?: string;
  flush?: boolean;
  label?: string;
}) {
  return (
    <section className={`card ${className}`} aria-label={label ?? (typeof title === 'string' ? title : undefined)}>
      {title !== undefined && (
        <header>
          <h2>{title}</h2>
          {sub !== undefined && <span className="sub">{sub}</span>}
          {actions && <div className="actions">{actions}</div>}
        </header>
      )}
      <div className={flush ? 'flush' : 'body'}>{children}</div>
    </section>
  );
}

/** One named fact of a `<dl class="facts">`. */
export function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

export function Empty({
  icon = 'inbox',
  title,
  children,
  action,
}: {
  icon?: IconName;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}) {
  return (
    <div className="state">
      <Icon name={icon} size={28} />
      <p className="state-title">{title}</p>
      {children && <p>{children}</p>}
      {action}
    </div>
  );
}

/** What went wrong, what it is called on the server, and a way on. */
export function Failure({ error, retry, what }: { error: unknown; retry?: () => void; what: string }) {
  const problem = error instanceof ApiError ? error.problem : {};
  return (
    <div className="state error" role="alert">
      <Icon name="alert" size={28} />
      <p className="state-title">{what} could not be loaded</p>
      <p>{error instanceof Error ? error.message : String(error)}</p>
      {(problem.code ?? problem.request_id) && (
        <p className="small mono">
          {[problem.code, problem.request_id && `request ${problem.request_id}`].filter(Boolean).join(' · ')}
        </p>
      )}
      {retry && (
        <button type="button" className="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}

export function Skeleton({ height, width = '100%' }: { height: number; width?: number | string }) {
  return <div className="skeleton" style={{ height, width }} aria-hidden="true" />;
}

/** Rows of a table that is on its way: same height as the real ones, so that nothing jumps. */
export function SkeletonRows({ rows = 5, height = 20 }: { rows?: number; height?: number }) {
  return (
    <div className="stack-s" role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, i) => (
        <Skeleton key={i} height={height} width={`${96 - ((i * 17) % 30)}%`} />
      ))}
    </div>
  );
}

/** One of loading, failed, empty or the data. */
export function Loaded<T>({
  query,
  what,
  loading,
  children,
}: {
  query: { data: T | undefined; error: unknown; refetch: () => unknown };
  what: string;
  loading: ReactNode;
  children: (data: T) => ReactNode;
}) {
  if (query.data !== undefined) return <>{children(query.data)}</>;
  if (query.error) return <Failure error={query.error} what={what} retry={() => query.refetch()} />;
  return <>{loading}</>;
}

/** Says that the answer is only a part, and how far it goes. */
export function PartialNote({ partial }: { partial: Partial_ | undefined }) {
  if (!partial) return null;
  const reached = typeof partial.reached === 'string' ? partial.reached : new Date(partial.reached / 1e6).toISOString();
  return (
    <div className="note warn" role="status">
      <Icon name="alert" />
      <span>
        Not everything was searched: the {partial.reason} budget ended at <Time iso={reached} />. Narrow the time range
        or add a filter.
      </span>
    </div>
  );
}

/** Change against the time before. `worse` tells which way is bad. */
export function Delta({ share, worse = 'up' }: { share: number | null; worse?: 'up' | 'down' | 'neither' }) {
  if (share === null) return null;
  const rounded = Math.round(share * 100);
  if (rounded === 0) return <span className="delta same">±0%</span>;
  const bad = worse === 'neither' ? 'same' : rounded > 0 === (worse === 'up') ? 'bad' : 'good';
  const shown = Math.abs(rounded) > 999 ? '>999' : String(Math.abs(rounded));
  return (
    <span className={`delta ${bad}`}>
      <Icon name={rounded > 0 ? 'up' : 'down'} size={11} />
      {shown}%
    </span>
  );
}

/** A line that follows the values; the area below it tinted. */
export function Sparkline({
  values,
  tone = 'accent',
  label,
}: {
  values: readonly (number | null)[];
  tone?: Tone;
  label: string;
}) {
  const max = Math.max(1e-9, ...values.map((v) => v ?? 0));
  const x = (i: number): number => (values.length < 2 ? 0 : (i / (values.length - 1)) * 100);
  const points = values.map((v, i) => `${x(i).toFixed(2)},${(26 - ((v ?? 0) / max) * 24).toFixed(2)}`);
  return (
    <svg className="spark" viewBox="0 0 100 28" preserveAspectRatio="none" role="img" aria-label={label}>
      {values.length > 1 && (
        <>
          <polygon points={`0,28 ${points.join(' ')} 100,28`} className={`fill-${tone}`} opacity="0.13" />
          <polyline
            points={points.join(' ')}
            fill="none"
            className={`stroke-${tone}`}
            strokeWidth="1.5"
            vectorEffect="non-scaling-stroke"
            strokeLinejoin="round"
          />
        </>
      )}
    </svg>
  );
}

export function CopyButton({ text, label, children }: { text: string; label: string; children?: ReactNode }) {
  const [done, setDone] = useState(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text).catch(() => undefined);
    setDone(true);
    setTimeout(() => setDone(false), 1200);
  };
  return (
    <button
      type="button"
      className={`button s ghost ${children ? '' : 'icon'}`}
      onClick={copy}
      aria-label={label}
      title={label}
    >
      <Icon name={done ? 'check' : 'copy'} size={14} />
      {children}
    </button>
  );
}
