/** Every line: searched, counted, followed, opened. */
import { useInfiniteQuery } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useRef } from 'react';
import { Link } from 'react-router';
import { apiUrl } from '../../api/client';
import { logs } from '../../api/queries';
import type { Line } from '../../api/types';
import { count } from '../../lib/format';
import { useShortcuts } from '../../lib/keys';
import { add, asId } from '../../lib/search';
import { useTimeRange } from '../../lib/time-range';
import { useUrlState } from '../../lib/url-state';
import { Badge, Empty, Failure, levelTone, PartialNote, SkeletonRows } from '../../ui/basics';
import { Icon } from '../../ui/icons';
import { useTabLink } from '../../ui/links';
import { ColumnsMenu } from './columns-menu';
import { Drawer } from './drawer';
import { LEVELS, useLogFilters } from './filters';
import { Histogram } from './histogram';
import { LogTable } from './log-table';
import { QueryBar } from './query-bar';
import { useTail } from './use-tail';

export default function Logs() {
  const filters = useLogFilters();
  const range = useTimeRange();
  const [, update] = useUrlState();
  const tail = useTail(filters.live, filters.params);
  const query = useInfiniteQuery(logs({ ...filters.params, order: filters.order }, filters.live));
  const first = query.data?.pages[0];

  const lines = useMemo(() => {
    const stored = query.data?.pages.flatMap((page) => page.logs) ?? [];
    if (!tail.lines.length) return stored;
    const seen = new Set(tail.lines.map((l) => l.id));
    return [...tail.lines, ...stored.filter((l) => !seen.has(l.id))];
  }, [query.data, tail.lines]);

  // The address changes a render later than the key that asked for it; two quick keys are two steps.
  const chosen = useRef(filters.line);
  useEffect(() => {
    chosen.current = filters.line;
  }, [filters.line]);
  const select = useCallback(
    (id: string | null) => {
      chosen.current = id;
      update(id === null ? { line: null, around: null } : { line: id });
    },
    [update],
  );
  const zoom = useCallback(
    (from: number, to: number) => update({ from, to, range: null, live: null }, 'push'),
    [update],
  );
  const filter = useCallback(
    (field: string, value: string | number | boolean, negated: boolean) =>
      update({ q: add(filters.query, field, value, negated) }, 'push'),
    [update, filters.query],
  );
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const { setPaused } = tail;
  const scrolled = useCallback((away: boolean) => setPaused(away), [setPaused]);

  const step = (by: 1 | -1): void => {
    const at = lines.findIndex((l) => l.id === chosen.current);
    const next = at < 0 ? 0 : Math.min(lines.length - 1, Math.max(0, at + by));
    select(lines[next]?.id ?? null);
  };
  useShortcuts({
    j: () => step(1),
    k: () => step(-1),
    Escape: () => select(null),
  });

  const toggleLevel = (level: string): void => {
    const next = filters.levels.includes(level)
      ? filters.levels.filter((l) => l !== level)
      : [...filters.levels, level];
    update({ level: next.join(',') }, 'push');
  };

  return (
    <div className={`page logs-page${filters.line ? ' with-drawer' : ''}`}>
      <h1 className="visually-hidden">Logs</h1>
      <div className="row wrap logs-bar">
        <QueryBar
          value={filters.query}
          time={range.params}
          onSearch={(q) => update({ q, line: null }, 'push')}
          note={first?.search_note}
        />
        <button
          type="button"
          className={`button${filters.live ? ' on' : ''}`}
          aria-pressed={filters.live}
          onClick={() => update(filters.live ? { live: null } : { live: '1', order: null, from: null, to: null })}
        >
          <Icon name={filters.live ? 'pause' : 'play'} size={14} />
          Live
        </button>
        <ColumnsMenu columns={filters.columns} onChange={(columns) => update({ cols: columns?.join(',') })} />
        <Export params={filters.params} />
      </div>
      <div className="row wrap">
        <div className="row wrap levels" role="group" aria-label="Levels">
          {LEVELS.map((level) => (
            <button
              key={level}
              type="button"
              className={`level-chip ${levelTone(level)}`}
              aria-pressed={filters.levels.includes(level)}
              onClick={() => toggleLevel(level)}
            >
              {level}
            </button>
          ))}
        </div>
        <span className="grow" />
        <TailState tail={tail} live={filters.live} />
        <button
          type="button"
          className="button s ghost"
          onClick={() => update({ order: filters.order === 'newest' ? 'oldest' : null, live: null })}
        >
          <Icon name={filters.order === 'newest' ? 'down' : 'up'} size={14} />
          {filters.order === 'newest' ? 'Newest first' : 'Oldest first'}
        </button>
      </div>
      <Histogram filters={filters.params} onZoom={zoom} />
      <IdHint query={filters.query} lines={lines} />
      <PartialNote partial={first?.partial} />
      <div className="logs-split">
        <div className="card table-card">
          {query.error && !query.data ? (
            <Failure error={query.error} what="The logs" retry={() => query.refetch()} />
          ) : !query.data ? (
            <div className="pad">
              <SkeletonRows rows={14} height={18} />
            </div>
          ) : lines.length === 0 ? (
            <NothingFound
              query={filters.query}
              live={filters.live}
              partial={first?.partial !== undefined}
              onClear={() => update({ q: null, level: null }, 'push')}
              onWiden={() => update({ range: '7d', from: null, to: null }, 'push')}
            />
          ) : (
            <>
              {tail.paused && tail.waiting > 0 && (
                <button
                  type="button"
                  className="button primary s new-lines"
                  onClick={() => {
                    document.querySelector('.log-table')?.scrollTo({ top: 0 });
                    setPaused(false);
                  }}
                >
                  <Icon name="up" size={14} />
                  {count(tail.waiting)} new {tail.waiting === 1 ? 'line' : 'lines'}
                </button>
              )}
              <LogTable
                lines={lines}
                columns={filters.columns}
                selected={filters.line}
                onSelect={select}
                onEnd={more}
                onScrolled={scrolled}
                spanDays={range.length > 86_400_000}
                total={hasNextPage ? -1 : lines.length + 1}
                footer={null}
              />
              <div className="table-foot small muted" role="status">
                {count(lines.length)}{' '}
                {hasNextPage ? 'lines loaded' : lines.length === 1 ? 'line, that is all' : 'lines, that is all'}
                {isFetchingNextPage && ' · loading more…'}
              </div>
            </>
          )}
        </div>
        {filters.line && (
          <Drawer
            key={filters.line}
            id={filters.line}
            known={lines.find((l) => l.id === filters.line)}
            time={range.params}
            onFilter={filter}
            onSelect={select}
            close={() => select(null)}
          />
        )}
      </div>
    </div>
  );
}

function TailState({ tail, live }: { tail: ReturnType<typeof useTail>; live: boolean }) {
  if (!live) return null;
  return (
    <span className="row small muted" role="status">
      {tail.missed > 0 && <Badge tone="warn">{count(tail.missed)} not shown: too fast</Badge>}
      <span className={`dot ${tail.state === 'open' ? (tail.paused ? 'warn' : 'ok pulse') : 'gray'}`} />
      {tail.state !== 'open' ? 'connecting…' : tail.paused ? 'paused while you read' : 'following'}
    </span>
  );
}

/** One request's lines are only a part of what happened. */
function IdHint({ query, lines }: { query: string; lines: readonly Line[] }) {
  const link = useTabLink();
  const id = asId(query);
  const trace = id ? lines.find((l) => l.context?.trace_id)?.context?.trace_id : undefined;
  if (!trace || !id) return null;
  return (
    <div className="note" role="status">
      <Icon name="trace" />
      <span>
        This id is part of a trace.{' '}
        <Link to={link(`/trace/${trace}`, { focus: id })}>Show everything it caused, in order</Link>
      </span>
    </div>
  );
}

function NothingFound({
  query,
  live,
  partial,
  onClear,
  onWiden,
}: {
  query: string;
  live: boolean;
  /** The search ended before it was through. */
  partial: boolean;
  onClear: () => void;
  onWiden: () => void;
}) {
  return (
    <Empty
      icon="search"
      title={live ? 'Waiting for lines' : partial ? 'Nothing found so far' : 'No lines match'}
      action={
        <div className="row wrap">
          {query && (
            <button type="button" className="button" onClick={onClear}>
              Clear the filters
            </button>
          )}
          <button type="button" className="button" onClick={onWiden}>
            Search the last 7 days
          </button>
        </div>
      }
    >
      {live
        ? 'What matches appears here as it is written.'
        : 'Nothing in this time range matches. Loosen the search or widen the range.'}
    </Empty>
  );
}

function Export({ params }: { params: ReturnType<typeof useLogFilters>['params'] }) {
  return (
    <span className="segmented" role="group" aria-label="Export what matches">
      {(['ndjson', 'csv'] as const).map((format) => (
        <a
          key={format}
          href={apiUrl('logs/export', { ...params, format })}
          download={`logs.${format}`}
          title={`Download everything that matches as ${format.toUpperCase()}`}
        >
          <Icon name="download" size={14} />
          {format.toUpperCase()}
        </a>
      ))}
    </span>
  );
}
