/** One action and everything it caused, from the click to the database. */
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { Link, useParams, useSearchParams } from 'react-router';
import { trace as traceQuery } from '../../api/queries';
import type { Line, Span, Trace } from '../../api/types';
import { axisDuration, count, duration, shortId } from '../../lib/format';
import { ticks } from '../../lib/lanes';
import { type Row, rows } from '../../lib/waterfall';
import { Badge, Card, CopyButton, Empty, Loaded, Skeleton, SkeletonRows, Time } from '../../ui/basics';
import { Icon } from '../../ui/icons';
import { useTabLink } from '../../ui/links';
import { Story } from '../../ui/story';

const SERVICE_TONES = ['accent', 'info', 'ok', 'purple', 'warn', 'gray'] as const;

export default function TracePage() {
  const { traceId = '' } = useParams();
  const query = useQuery(traceQuery(traceId));
  return (
    <div className="page">
      <Loaded
        query={query}
        what="This trace"
        loading={
          <>
            <div className="page-head">
              <Skeleton height={28} width={340} />
            </div>
            <div className="card pad">
              <SkeletonRows rows={12} height={20} />
            </div>
          </>
        }
      >
        {(data) => <Content trace={data} />}
      </Loaded>
    </div>
  );
}

/** What a browser measured came through a server's intake, and bears that service's name. */
const serviceOf = (span: Span): string => (span.kind === 'browser' ? 'browser' : span.service);

function Content({ trace }: { trace: Trace }) {
  const link = useTabLink();
  const [search] = useSearchParams();
  const focus = search.get('focus');
  const services = [...new Set(trace.spans.map(serviceOf))];
  const tone = (service: string): string =>
    SERVICE_TONES[Math.max(0, services.indexOf(service)) % SERVICE_TONES.length] ?? 'gray';
  const focused = (line: Line): string =>
    line.id === focus
      ? 'focus exact'
      : focus !== null && (line.context?.request_id === focus || line.context?.run_id === focus)
        ? 'focus'
        : '';
  const root = trace.spans.find((s) => !s.parent_span_id) ?? trace.spans[0];
  const errors = trace.logs.filter((l) => l.level === 'ERROR').length;
  return (
    <>
      <div className="page-head">
        <h1>{root?.name ?? 'Trace'}</h1>
        <span className="mono muted row">
          {shortId(trace.trace_id, 12)}
          <CopyButton text={trace.trace_id} label="Copy the trace's id" />
        </span>
        <span className="sub">
          {duration(trace.duration_ms)} · <Time iso={trace.started_at} />
        </span>
        {errors > 0 && (
          <Badge tone="error">
            {count(errors)} {errors === 1 ? 'error' : 'errors'}
          </Badge>
        )}
        <span className="grow" />
        <Link
          className="button"
          to={link('/logs', { q: `trace_id:${trace.trace_id}`, order: 'oldest', range: '7d', from: null, to: null })}
        >
          <Icon name="logs" size={14} />
          In the logs
        </Link>
      </div>
      <Card
        title="Waterfall"
        sub={
          <span className="legend">
            {services.map((s) => (
              <span key={s}>
                <i className={`fill-${tone(s)}`} />
                {s}
              </span>
            ))}
          </span>
        }
        flush
      >
        {trace.spans.length ? (
          <Waterfall trace={trace} tone={tone} />
        ) : (
          <Empty icon="trace" title="No timed spans">
            The lines below are all that is known.
          </Empty>
        )}
      </Card>
      <Card
        title="What happened, in order"
        sub={`${count(trace.logs.length)} lines${focus ? ', what was searched for is marked' : ''}`}
        flush
      >
        <Story lines={trace.logs} focus={focused} ofTrace={trace.trace_id} />
      </Card>
    </>
  );
}

function Waterfall({ trace, tone }: { trace: Trace; tone: (service: string) => string }) {
  const list = useMemo(() => rows(trace.spans, trace.started_at), [trace]);
  const length = Math.max(0.001, trace.duration_ms, ...list.map((r) => r.offset + (r.span.duration_ms ?? 0)));
  const start = Math.min(0, ...list.map((r) => r.offset));
  const marks = ticks(length - start, 5);
  const share = (ms: number): number => ((ms - start) / (length - start)) * 100;
  return (
    <div className="waterfall" role="region" aria-label="Spans over time" tabIndex={0}>
      <div className="wf-row wf-head" aria-hidden="true">
        <span className="wf-name">Span</span>
        <div className="wf-track">
          {marks.map((t) => (
            <span key={t} style={{ left: `${(t / (length - start)) * 100}%` }}>
              {t === 0 ? '0' : axisDuration(t)}
            </span>
          ))}
        </div>
      </div>
      {list.map((row) => (
        <SpanRow
          key={`${row.span.span_id}${row.offset}${row.span.name}`}
          row={row}
          share={share}
          marks={marks.map((t) => (t / (length - start)) * 100)}
          tone={tone(serviceOf(row.span))}
        />
      ))}
    </div>
  );
}

function SpanRow({
  row,
  share,
  marks,
  tone,
}: {
  row: Row;
  share: (ms: number) => number;
  marks: readonly number[];
  tone: string;
}) {
  const link = useTabLink();
  const { span, depth, offset } = row;
  const left = Math.max(0, share(offset));
  const open = span.status === 'open';
  const width = open ? 100 - left : Math.max(0, share(offset + (span.duration_ms ?? 0)) - left);
  // At the right end of a long bar there is no room beside it.
  const inside = left + width > 82 && left < 15;
  const label = open ? 'still open' : duration(span.duration_ms);
  const colour = span.status === 'error' ? 'error' : tone;
  const name = <SpanName span={span} />;
  return (
    <div className="wf-row">
      <div className="wf-name" style={{ paddingLeft: 16 + depth * 14 }}>
        <i className={`svc fill-${tone}`} title={serviceOf(span)} />
        {span.line_id ? (
          <Link className="ellipsis line" to={link('/logs', { line: span.line_id })}>
            {name}
          </Link>
        ) : (
          <span className="ellipsis">{name}</span>
        )}
      </div>
      <div className="wf-track">
        {marks.map((m) => (
          <i key={m} className="tick" style={{ left: `${m}%` }} />
        ))}
        <div
          className={`wf-bar fill-${colour}${open ? ' open' : ''}`}
          style={{ left: `${Math.min(left, 99.6)}%`, width: `${width}%` }}
          title={`${span.name}: ${label}`}
        />
        <span
          className={`wf-time${inside ? ' inside' : ''}`}
          style={
            inside
              ? { right: `${Math.max(0, 100 - left - width)}%` }
              : left + width > 82
                ? { right: `${100 - left}%` }
                : { left: `${left + width}%` }
          }
        >
          {label}
        </span>
      </div>
    </div>
  );
}

function SpanName({ span }: { span: Span }) {
  return (
    <>
      {span.status === 'error' && (
        <span className="error-text">
          <Icon name="alert" size={12} />{' '}
        </span>
      )}
      {span.name} <span className="small muted">{span.kind.replaceAll('_', ' ')}</span>
    </>
  );
}
