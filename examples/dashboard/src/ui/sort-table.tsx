/** A table whose columns sort. Which one does is part of the address: `sort-routes=-p95`. */
import { type ReactNode, useMemo } from 'react';
import { useUrlState } from '../lib/url-state';
import { Icon } from './icons';
import { type Column, Table } from './table';

export interface SortColumn<T> extends Column<T> {
  by: (row: T) => string | number;
}

export function SortTable<T>({
  rows,
  columns,
  name,
  id,
  start,
  empty,
}: {
  rows: readonly T[];
  columns: readonly SortColumn<T>[];
  /** The table's name in the address. */
  name: string;
  id: (row: T) => string;
  /** Column that sorts at first, greatest first. */
  start: string;
  empty: ReactNode;
}) {
  const [search, update] = useUrlState();
  const key = `sort-${name}`;
  const asked = search.get(key) ?? '';
  const known = columns.some((c) => c.name === asked.replace(/^-/, ''));
  const sort = known ? { name: asked.replace(/^-/, ''), down: asked.startsWith('-') } : { name: start, down: true };
  const sorted = useMemo(() => {
    const by = columns.find((c) => c.name === sort.name)?.by;
    if (!by) return rows;
    const sign = sort.down ? -1 : 1;
    return [...rows].sort((a, b) => {
      const [x, y] = [by(a), by(b)];
      return sign * (typeof x === 'number' && typeof y === 'number' ? x - y : String(x).localeCompare(String(y)));
    });
  }, [rows, columns, sort.name, sort.down]);
  if (rows.length === 0) return <>{empty}</>;
  const choose = (column: string): void => {
    const down = column === sort.name ? !sort.down : true;
    const usual = column === start && down;
    update({ [key]: usual ? null : `${down ? '-' : ''}${column}` });
  };
  return (
    <Table
      rows={sorted}
      columns={columns}
      id={id}
      sorted={(c) => (c.name === sort.name ? (sort.down ? 'descending' : 'ascending') : 'none')}
      head={(c) => (
        <button type="button" onClick={() => choose(c.name)}>
          {c.name}
          {c.name === sort.name && <Icon name={sort.down ? 'down' : 'up'} size={11} />}
        </button>
      )}
    />
  );
}
