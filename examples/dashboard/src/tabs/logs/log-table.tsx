/** The rows: only those in view exist. */
import { useVirtualizer } from '@tanstack/react-virtual';
import { memo, type ReactNode, useCallback, useEffect, useMemo, useRef } from 'react';
import { Link } from 'react-router';
import type { Line } from '../../api/types';
import { text, valueAt } from '../../lib/flatten';
import { clock, dateTime, duration, utc } from '../../lib/format';
import { Badge, levelTone } from '../../ui/basics';
import { useTabLink } from '../../ui/links';

export const ROW = 30;
const estimateSize = (): number => ROW;
/** Pixels; the message takes what is left. */
const WIDTHS: Record<string, number> = { timestamp: 100, level: 64, event_type: 150, 'service.name': 132 };
const WIDTH = 150;
const MESSAGE = 220;
const GAP = 12;
const TITLES: Record<string, string> = {
  timestamp: 'Time',
  level: 'Level',
  event_type: 'Event',
  'service.name': 'Service',
  message: 'Message',
};

export const columnTitle = (path: string): string => TITLES[path] ?? path.replace(/^(context|extra)\./, '');

export function LogTable({
  lines,
  columns,
  selected,
  onSelect,
  onEnd,
  onScrolled,
  total,
  footer,
  spanDays,
}: {
  lines: readonly Line[];
  columns: readonly string[];
  selected: string | null;
  onSelect: (id: string | null) => void;
  /** The last row came into view. */
  onEnd: () => void;
  /** Whether the reader is away from the top. */
  onScrolled: (away: boolean) => void;
  total: number;
  footer: ReactNode;
  /** More than a day is shown: times need a date. */
  spanDays: boolean;
}) {
  const scroller = useRef<HTMLDivElement>(null);
  // The same function while the lines are the same: another one has every row measured again.
  const getItemKey = useCallback((i: number) => lines[i]?.id ?? i, [lines]);
  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize,
    overscan: 12,
    getItemKey,
  });
  const items = rows.getVirtualItems();
  const lastShown = items.at(-1)?.index ?? 0;
  const at = useMemo(() => (selected === null ? -1 : lines.findIndex((l) => l.id === selected)), [lines, selected]);

  useEffect(() => {
    if (lines.length && lastShown >= lines.length - 30) onEnd();
  }, [lastShown, lines.length, onEnd]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: only a new selection scrolls, not new rows
  useEffect(() => {
    if (at >= 0) rows.scrollToIndex(at, { align: 'auto' });
  }, [selected]);

  const move = (to: number): void => {
    const next = lines[Math.max(0, Math.min(lines.length - 1, to))];
    if (next) onSelect(next.id);
  };
  const widths = columns.map((c) =>
    c === 'message' ? MESSAGE : c === 'timestamp' && spanDays ? 136 : (WIDTHS[c] ?? WIDTH),
  );
  const template = columns.map((c, i) => (c === 'message' ? `minmax(${MESSAGE}px, 1fr)` : `${widths[i]}px`)).join(' ');
  const minWidth = widths.reduce((sum, w) => sum + w + GAP, 28 - GAP);

  return (
    <div
      ref={scroller}
      className="log-table"
      role="grid"
      aria-label="Log lines"
      aria-rowcount={total}
      aria-colcount={columns.length}
      tabIndex={0}
      onScroll={(event) => onScrolled(event.currentTarget.scrollTop > 4)}
      onKeyDown={(event) => {
        if (event.key === 'ArrowDown') move(at + 1);
        else if (event.key === 'ArrowUp') move(at < 0 ? 0 : at - 1);
        else return;
        event.preventDefault();
      }}
    >
      <div className="log-head" role="row" aria-rowindex={1} style={{ gridTemplateColumns: template, minWidth }}>
        {columns.map((c) => (
          <div key={c} role="columnheader">
            {columnTitle(c)}
          </div>
        ))}
      </div>
      <div className="log-rows" role="rowgroup" style={{ height: rows.getTotalSize(), minWidth }}>
        {items.map((item) => {
          const line = lines[item.index];
          if (!line) return null;
          return (
            <Row
              key={item.key}
              line={line}
              index={item.index}
              start={item.start}
              selected={line.id === selected}
              columns={columns}
              template={template}
              spanDays={spanDays}
              onSelect={onSelect}
            />
          );
        })}
      </div>
      {footer}
    </div>
  );
}

/** Rows that stay while the list scrolls are not made again. */
const Row = memo(function Row({
  line,
  index,
  start,
  selected,
  columns,
  template,
  spanDays,
  onSelect,
}: {
  line: Line;
  index: number;
  start: number;
  selected: boolean;
  columns: readonly string[];
  template: string;
  spanDays: boolean;
  onSelect: (id: string | null) => void;
}) {
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      aria-selected={selected}
      tabIndex={-1}
      className={`log-row level-${line.level}`}
      style={{ gridTemplateColumns: template, transform: `translateY(${start}px)` }}
      onClick={() => onSelect(selected ? null : line.id)}
    >
      {columns.map((c) => (
        <div key={c} role="gridcell" className={`cell cell-${c.replaceAll('.', '-')}`}>
          {cell(line, c, spanDays)}
        </div>
      ))}
    </div>
  );
});

function cell(line: Line, column: string, spanDays: boolean): ReactNode {
  switch (column) {
    case 'timestamp':
      return (
        <time dateTime={line.timestamp} title={utc(line.timestamp)}>
          {spanDays ? dateTime(line.timestamp) : clock(line.timestamp)}
        </time>
      );
    case 'level':
      return line.level === 'INFO' || line.level === 'DEBUG' || line.level === 'TRACE' ? (
        <span className="level-plain">{line.level}</span>
      ) : (
        <Badge tone={levelTone(line.level)}>{text(line.level) || '?'}</Badge>
      );
    case 'message':
      return <Message line={line} />;
    default: {
      const value = valueAt(line, column);
      if (column === 'context.trace_id' && typeof value === 'string')
        return <TraceCell trace={value} focus={line.id} />;
      return column.endsWith('duration_ms') && typeof value === 'number' ? duration(value) : text(value);
    }
  }
}

function TraceCell({ trace, focus }: { trace: string; focus: string }) {
  const link = useTabLink();
  return (
    <Link to={link(`/trace/${trace}`, { focus })} onClick={(event) => event.stopPropagation()}>
      {trace}
    </Link>
  );
}

/** The message, then what a reader wants to know next, dimmed. */
export function Message({ line }: { line: Line }) {
  const extra = line.extra ?? {};
  const more: string[] = [];
  if (typeof extra.method === 'string' && typeof extra.path === 'string') more.push(`${extra.method} ${extra.path}`);
  if (extra.status_code !== undefined && extra.status_code !== null) more.push(String(extra.status_code));
  if (typeof extra.duration_ms === 'number') more.push(duration(extra.duration_ms));
  if (line.context?.step_id) more.push(line.context.step_id);
  if (line.exception?.message && line.exception.message !== line.message) more.push(line.exception.message);
  return (
    <>
      {text(line.message) || text(line.exception?.message) || '—'}
      {more.length > 0 && <span className="more">{more.join(' · ')}</span>}
    </>
  );
}
