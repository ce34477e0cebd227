/** Lines in order, as a story: when, which service, how serious, what. */
import { Link } from 'react-router';
import type { Line } from '../api/types';
import { Message } from '../tabs/logs/log-table';
import { levelTone, Time } from './basics';
import { Icon } from './icons';
import { useTabLink } from './links';

/** Which service, or that it was the browser. */
export const origin = (line: Line): string => (line.source === 'frontend' ? 'browser' : (line.service?.name ?? ''));

export function Story({
  lines,
  focus,
  tall = false,
  ofTrace,
}: {
  lines: readonly Line[];
  focus?: (line: Line) => string;
  tall?: boolean;
  /** All lines are of this trace: none needs a way to it. */
  ofTrace?: string;
}) {
  const link = useTabLink();
  return (
    <ol className={`story${tall ? ' tall' : ''}`}>
      {lines.map((line) => (
        <li
          key={line.id}
          className={focus?.(line)}
          data-level={line.level}
          data-event={line.event_type}
          data-service={origin(line)}
        >
          <span className="mono muted">
            <Time iso={line.timestamp} as="clock" />
          </span>
          <span className="svc ellipsis">{origin(line)}</span>
          <span className={`dot ${levelTone(line.level)}`} title={line.level} />
          <span className="ellipsis">
            <Link
              className="line"
              to={link('/logs', {
                line: line.id,
                ...(line.context?.trace_id
                  ? { q: `trace_id:${line.context.trace_id}`, range: '7d', from: null, to: null }
                  : {}),
              })}
            >
              {line.event_type && <span className="event">{line.event_type}</span>} <Message line={line} />
            </Link>
          </span>
          <TraceLink line={line} here={ofTrace} />
        </li>
      ))}
    </ol>
  );
}

/** The way to the trace that a line belongs to. */
function TraceLink({ line, here }: { line: Line; here: string | undefined }) {
  const link = useTabLink();
  const trace = line.context?.trace_id;
  if (!trace || trace === here) return null;
  return (
    <Link
      className="to-trace no-print"
      to={link(`/trace/${trace}`, { focus: line.id })}
      aria-label="View its trace"
      title="View its trace"
    >
      <Icon name="trace" size={14} />
    </Link>
  );
}
