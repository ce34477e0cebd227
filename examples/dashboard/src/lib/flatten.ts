/** A line as a flat list of fields, named as the query language names them. */
import type { Line } from '../api/types';

export interface Field {
  /** Path for a query: `context.user_id`. */
  path: string;
  /** Shown name: `user_id`. */
  name: string;
  value: unknown;
  /** Whether `path:value` is a useful condition. */
  filterable: boolean;
}

export interface Group {
  title: string;
  fields: Field[];
}

const GROUPS: readonly (readonly [key: string, title: string])[] = [
  ['context', 'Context'],
  ['extra', 'Event'],
  ['span', 'Span'],
  ['service', 'Service'],
];
/** Shown elsewhere in the drawer. */
const ELSEWHERE = new Set(['id', 'message', 'exception', 'context', 'extra', 'span', 'service', 'timestamp']);

export function groups(line: Line): Group[] {
  const top: Field[] = [];
  for (const [key, value] of Object.entries(line)) {
    if (ELSEWHERE.has(key)) continue;
    collect(top, key, key, value);
  }
  const result: Group[] = [{ title: 'Line', fields: top }];
  for (const [key, title] of GROUPS) {
    const fields: Field[] = [];
    const part = line[key];
    if (part && typeof part === 'object') {
      for (const [name, value] of Object.entries(part)) collect(fields, `${key}.${name}`, name, value);
    }
    if (fields.length) result.push({ title, fields });
  }
  return result;
}

/** What a column of the table shows. */
export function valueAt(line: Line, path: string): unknown {
  if (Object.hasOwn(line, path)) return line[path];
  let value: unknown = line;
  for (const key of path.split('.')) {
    if (value === null || typeof value !== 'object') return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  if (value !== undefined) return value;
  return path.includes('.')
    ? undefined
    : ((line.context as Record<string, unknown> | undefined)?.[path] ?? line.extra?.[path]);
}

/** A value on one line. */
export function text(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function collect(into: Field[], path: string, name: string, value: unknown): void {
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
    for (const [key, inner] of Object.entries(value))
      collect(into, `${path}.${key}`, name === 'fields' ? key : `${name}.${key}`, inner);
    return;
  }
  into.push({
    path,
    name,
    value,
    filterable: value !== null && typeof value !== 'object' && String(value).length <= 200,
  });
}
