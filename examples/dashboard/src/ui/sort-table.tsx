/** A table whose columns sort. */
import { type ReactNode, useMemo, useState } from 'react';
import { Icon } from './icons';

export interface Column<T> {
  name: string;
  by: (row: T) => string | number;
  cell: (row: T) => ReactNode;
  right?: boolean;
  /** Takes the space that is left and cuts what is too long. */
  cut?: boolean;
  hideSmall?: boolean;
}

export function SortTable<T>({
  rows,
  columns,
  id,
  start,
  empty,
}: {
  rows: readonly T[];
  columns: readonly Column<T>[];
  id: (row: T) => string;
  /** Column that sorts at first, greatest first. */
  start: string;
  empty: ReactNode;
}) {
  const [sort, setSort] = useState<{ name: string; down: boolean }>({ name: start, down: true });
  const sorted = useMemo(() => {
    const by = columns.find((c) => c.name === sort.name)?.by;
    if (!by) return rows;
    const sign = sort.down ? -1 : 1;
    return [...rows].sort((a, b) => {
      const [x, y] = [by(a), by(b)];
      return sign * (typeof x === 'number' && typeof y === 'number' ? x - y : String(x).localeCompare(String(y)));
    });
  }, [rows, columns, sort]);
  if (rows.length === 0) return <>{empty}</>;
  const cls = (c: Column<T>): string =>
    [c.right && 'right num nowrap', c.cut && 'cut', c.hideSmall && 'hide-m'].filter(Boolean).join(' ');
  return (
    <table className="table">
      <thead>
        <tr>
          {columns.map((c) => {
            const on = c.name === sort.name;
            return (
              <th
                key={c.name}
                scope="col"
                className={cls(c)}
                aria-sort={on ? (sort.down ? 'descending' : 'ascending') : 'none'}
              >
                <button type="button" onClick={() => setSort({ name: c.name, down: on ? !sort.down : true })}>
                  {c.name}
                  {on && <Icon name={sort.down ? 'down' : 'up'} size={11} />}
                </button>
              </th>
            );
          })}
        </tr>
      </thead>
      <tbody>
        {sorted.map((row) => (
          <tr key={id(row)}>
            {columns.map((c) => (
              <td key={c.name} className={cls(c)}>
                {c.cell(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
