/** A table: columns say what their cells show, and how they behave where it is narrow. */
import type { ReactNode } from 'react';

export interface Column<T> {
  name: string;
  cell: (row: T) => ReactNode;
  /** Numbers and times: to the right, on one line. */
  right?: boolean;
  /** Takes the space that is left and cuts what is too long. */
  cut?: boolean;
  /** On one line, whatever it needs. */
  whole?: boolean;
  hideSmall?: boolean;
  className?: string;
}

/** The classes of a column's cells. */
function classes<T>(c: Column<T>): string | undefined {
  const all = [
    c.right && 'right num nowrap',
    c.cut && 'cut',
    c.whole && 'nowrap',
    c.hideSmall && 'hide-m',
    c.className,
  ];
  return all.filter(Boolean).join(' ') || undefined;
}

export function Table<T, C extends Column<T>>({
  rows,
  columns,
  id,
  head = (column) => column.name,
  sorted,
  compact = false,
}: {
  rows: readonly T[];
  columns: readonly C[];
  id: (row: T, at: number) => string;
  /** What a column's head shows. Its name, unless said otherwise. */
  head?: (column: C) => ReactNode;
  /** `aria-sort` of a column's head. */
  sorted?: (column: C) => 'ascending' | 'descending' | 'none';
  compact?: boolean;
}) {
  return (
    <table className={compact ? 'table compact' : 'table'}>
      <thead>
        <tr>
          {columns.map((c) => (
            <th key={c.name} scope="col" className={classes(c)} aria-sort={sorted?.(c)}>
              {head(c)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row, at) => (
          <tr key={id(row, at)}>
            {columns.map((c) => (
              <td key={c.name} className={classes(c)}>
                {c.cell(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
