/** Everything about one line, and what to do with it. */
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { Link, useSearchParams } from 'react-router';
import type { Params } from '../../api/client';
import { around, facets, line as lineQuery } from '../../api/queries';
import type { Line } from '../../api/types';
import { type Field, groups, text } from '../../lib/flatten';
import { count, utc } from '../../lib/format';
import { useUrlState, withChanges } from '../../lib/url-state';
import { Badge, CopyButton, Failure, levelTone, SkeletonRows, Time } from '../../ui/basics';
import { Icon } from '../../ui/icons';
import { useTabLink } from '../../ui/links';
import { Message } from './log-table';

type AddFilter = (field: string, value: string | number | boolean, negated: boolean) => void;

export function Drawer({
  id,
  known,
  time,
  onFilter,
  onSelect,
  close,
}: {
  id: string;
  /** The line, if a list has it already. */
  known: Line | undefined;
  time: Params;
  onFilter: AddFilter;
  onSelect: (id: string) => void;
  close: () => void;
}) {
  const query = useQuery({ ...lineQuery(id), ...(known ? { initialData: known } : {}) });
  return (
    <aside className="drawer" aria-label="Line details">
      {query.data ? (
        <Details line={query.data} time={time} onFilter={onFilter} onSelect={onSelect} close={close} />
      ) : query.error ? (
        <>
          <header className="row">
            <span className="grow" />
            <CloseButton close={close} />
          </header>
          <Failure error={query.error} what="This line" retry={() => query.refetch()} />
        </>
      ) : (
        <div className="drawer-body">
          <SkeletonRows rows={10} />
        </div>
      )}
    </aside>
  );
}

function CloseButton({ close }: { close: () => void }) {
  return (
    <button
      type="button"
      className="button s icon ghost"
      aria-label="Close details"
      title="Close (Esc)"
      onClick={close}
    >
      <Icon name="close" />
    </button>
  );
}

function Details({
  line,
  time,
  onFilter,
  onSelect,
  close,
}: {
  line: Line;
  time: Params;
  onFilter: AddFilter;
  onSelect: (id: string) => void;
  close: () => void;
}) {
  const [search] = useSearchParams();
  const link = useTabLink();
  const { trace_id, run_id, user_id } = line.context ?? {};
  const here = `${location.origin}${location.pathname}?${withChanges(search, { line: line.id, live: null })}`;
  return (
    <>
      <header>
        <div className="row">
          <Badge tone={levelTone(line.level)}>{line.level}</Badge>
          <span className="muted small nowrap">
            <Time iso={line.timestamp} />
          </span>
          <span className="grow" />
          <CopyButton text={here} label="Copy a link to this line" />
          <CloseButton close={close} />
        </div>
        <p className="drawer-message">{text(line.message) || text(line.exception?.message)}</p>
        <p className="small muted mono" title="UTC">
          {utc(line.timestamp)}
        </p>
        <div className="row wrap">
          {trace_id && (
            <Link className="button s" to={link(`/trace/${trace_id}`, { focus: line.id })}>
              <Icon name="trace" size={14} />
              View trace
            </Link>
          )}
          {run_id && (
            <Link className="button s" to={link(`/runs/${encodeURIComponent(run_id)}`)}>
              <Icon name="workflows" size={14} />
              View run
            </Link>
          )}
          {user_id && (
            <Link className="button s" to={link('/support', { client: user_id })}>
              <Icon name="support" size={14} />
              Client
            </Link>
          )}
        </div>
      </header>
      <div className="drawer-body">
        {line.exception && <Exception line={line} />}
        {groups(line).map((group) => (
          <section key={group.title} aria-label={group.title}>
            <h2>{group.title}</h2>
            <dl className="fields">
              {group.fields.map((field) => (
                <FieldRow key={field.path} field={field} time={time} onFilter={onFilter} />
              ))}
            </dl>
          </section>
        ))}
        <Around id={line.id} onSelect={onSelect} />
        <details>
          <summary>Whole line as JSON</summary>
          <div className="json">
            <CopyButton text={JSON.stringify(line, null, 2)} label="Copy JSON" />
            <pre className="stacktrace" tabIndex={0}>
              {JSON.stringify(line, null, 2)}
            </pre>
          </div>
        </details>
      </div>
    </>
  );
}

function Exception({ line }: { line: Line }) {
  const exception = line.exception;
  if (!exception) return null;
  return (
    <section aria-label="Exception">
      <h2>Exception</h2>
      <p>
        <strong>{exception.type ?? 'error'}</strong>
        {exception.category && (
          <>
            {' '}
            <Badge tone="purple">{exception.category}</Badge>
          </>
        )}
      </p>
      <p>{exception.message}</p>
      {exception.chain && exception.chain.length > 0 && (
        <ol className="chain">
          {exception.chain.map((cause, i) => (
            <li key={i}>{cause}</li>
          ))}
        </ol>
      )}
      {exception.stacktrace && (
        <pre className="stacktrace" tabIndex={0}>
          {exception.stacktrace}
        </pre>
      )}
    </section>
  );
}

function FieldRow({ field, time, onFilter }: { field: Field; time: Params; onFilter: AddFilter }) {
  const [open, setOpen] = useState(false);
  const value = field.value;
  const simple = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
  return (
    <div className="field-row">
      <dt title={field.path}>{field.name}</dt>
      <dd>
        <span className="value mono">
          <Value field={field} />
        </span>
        {field.filterable && simple && (
          <span className="tools">
            <button
              type="button"
              className="button s icon ghost"
              aria-label={`Only lines with this ${field.name}`}
              title="Only these"
              onClick={() => onFilter(field.path, value, false)}
            >
              <Icon name="plus" size={14} />
            </button>
            <button
              type="button"
              className="button s icon ghost"
              aria-label={`No lines with this ${field.name}`}
              title="Not these"
              onClick={() => onFilter(field.path, value, true)}
            >
              <Icon name="minus" size={14} />
            </button>
            <button
              type="button"
              className="button s icon ghost"
              aria-label={`Top values of ${field.name}`}
              aria-expanded={open}
              title="Top values"
              onClick={() => setOpen(!open)}
            >
              <Icon name="overview" size={14} />
            </button>
            <CopyButton text={text(value)} label={`Copy ${field.name}`} />
          </span>
        )}
        {open && <TopValues field={field} time={time} onFilter={onFilter} />}
      </dd>
    </div>
  );
}

/** A value, which leads on where it is an id that something is known of. */
function Value({ field }: { field: Field }): ReactNode {
  const link = useTabLink();
  const value = text(field.value);
  const to = value && WAYS[field.path]?.(encodeURIComponent(value));
  return to ? <Link to={link(to)}>{value}</Link> : value || '—';
}

const WAYS: Record<string, (id: string) => string> = {
  'context.trace_id': (id) => `/trace/${id}`,
  'context.run_id': (id) => `/runs/${id}`,
};

function TopValues({ field, time, onFilter }: { field: Field; time: Params; onFilter: AddFilter }) {
  const query = useQuery(facets(time, field.path));
  const facet = query.data?.facets[0];
  if (query.error) return <p className="small muted">The values could not be counted.</p>;
  if (!facet) return <SkeletonRows rows={3} height={14} />;
  const most = facet.values[0]?.count ?? 1;
  return (
    <ul className="top-values">
      {facet.values.map((v) => (
        <li key={v.value}>
          <button type="button" onClick={() => onFilter(field.path, v.value, false)} title="Only these">
            <span className="bar fill-accent" style={{ width: `${(v.count / most) * 100}%` }} />
            <span className="ellipsis mono">{v.value}</span>
            <span className="num muted small">{count(v.count)}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}

const STEPS = [5, 20, 50] as const;

function Around({ id, onSelect }: { id: string; onSelect: (id: string) => void }) {
  const [search, update] = useUrlState();
  const n = STEPS.find((step) => String(step) === search.get('around')) ?? null;
  const query = useQuery({ ...around(id, n ?? 5), enabled: n !== null });
  return (
    <section aria-label="Lines around">
      <div className="row">
        <h2 className="grow">Lines around</h2>
        <div className="segmented">
          {STEPS.map((step) => (
            <button
              type="button"
              key={step}
              aria-pressed={n === step}
              onClick={() => update({ around: n === step ? null : step })}
            >
              ±{step}
            </button>
          ))}
        </div>
      </div>
      {n !== null &&
        (query.data ? (
          <ul className="around">
            {query.data.logs.map((l) => (
              <li key={l.id}>
                <button type="button" aria-current={l.id === id} onClick={() => onSelect(l.id)}>
                  <Time iso={l.timestamp} as="clock" />
                  <span className={`dot ${levelTone(l.level)}`} title={l.level} />
                  <span className="ellipsis">
                    <Message line={l} />
                  </span>
                </button>
              </li>
            ))}
          </ul>
        ) : query.error ? (
          <p className="small muted">The lines around could not be loaded.</p>
        ) : (
          <SkeletonRows rows={n * 2} height={16} />
        ))}
    </section>
  );
}
