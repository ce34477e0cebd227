/**
 * The query bar's language, as the server reads it: words joined by AND, `"a phrase"`, `-not`, `field:value`,
 * `field>number`. Here it is only cut into terms, to complete, add and take away; the server decides what it means.
 */

export interface Term {
  /** As written. */
  text: string;
  start: number;
  end: number;
  negated: boolean;
  field: string | null;
  value: string;
}

/** Fields that are offered while typing, most wanted first. */
export const FIELDS: readonly (readonly [name: string, what: string])[] = [
  ['level', 'ERROR, WARN, INFO, DEBUG, TRACE'],
  ['event_type', 'what happened: request_error, workflow_step, …'],
  ['request_id', 'one request'],
  ['trace_id', 'everything that one action caused'],
  ['user_id', 'one person'],
  ['organization_id', 'one customer'],
  ['workflow_id', 'one workflow'],
  ['run_id', 'one run of a workflow'],
  ['step_id', 'one step'],
  ['agent', 'one agent'],
  ['session_id', 'one browser session'],
  ['service.name', 'one service'],
  ['target', 'module or component'],
  ['message', 'part of the message'],
  ['exception.type', 'type of the error'],
  ['extra.status_code', 'HTTP status: >499'],
  ['extra.duration_ms', 'milliseconds: >1000'],
  ['extra.route', 'route of the request'],
  ['extra.method', 'HTTP method'],
];

const TERM = /(-?)(?:([A-Za-z_][\w.]*)(:|>=|<=|>|<))?("(?:[^"\\]|\\.)*"?|\S+)/g;

/** Cuts a query into its terms. Never fails. */
export function terms(query: string): Term[] {
  const found: Term[] = [];
  for (const match of query.matchAll(TERM)) {
    const [text, minus, field, , raw = ''] = match;
    const start = match.index;
    found.push({
      text,
      start,
      end: start + text.length,
      negated: minus === '-',
      field: field ?? null,
      value: unquote(raw),
    });
  }
  return found;
}

/** `field:value`, quoted where it must be. */
export function term(field: string, value: string | number | boolean, negated = false): string {
  return `${negated ? '-' : ''}${field}:${quote(String(value))}`;
}

/** The query with one more condition. The opposite condition, if there, goes away; one that is there stays single. */
export function add(query: string, field: string, value: string | number | boolean, negated = false): string {
  const added = term(field, value, negated);
  const opposite = term(field, value, !negated);
  const kept = terms(query)
    .map((t) => t.text)
    .filter((text) => text !== added && text !== opposite);
  return [...kept, added].join(' ');
}

/** Whether the whole query is one id that somebody pasted: a request, trace or run id. */
export function asId(query: string): string | null {
  const text = query
    .trim()
    .replace(/^(?:request_id|trace_id|run_id):/, '')
    .replace(/^"|"$/g, '');
  if (/^[0-9a-f]{32}$/i.test(text) || /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) return text;
  // Our own short forms: letters, digits and separators, long enough, with a digit in it.
  return /^(?=.*\d)[A-Za-z0-9._+/=-]{16,128}$/.test(text) && !/^[a-z0-9.-]+\.[a-z]{2,}$/i.test(text) ? text : null;
}

/** The number that an error page shows, such as `7K3F-9QXM`, however somebody typed it. */
export function asReference(query: string): string | null {
  const text = query.trim().toUpperCase();
  return /^(?=.*\d)[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$/.test(text) ? text : null;
}

/** A 32-digit hexadecimal number is a trace id. */
export function isTraceId(id: string): boolean {
  return /^[0-9a-f]{32}$/.test(id) && !/^0+$/.test(id);
}

/** The term at the caret. */
export function termAt(query: string, caret: number): Term | null {
  return terms(query).find((t) => caret > t.start && caret <= t.end) ?? null;
}

function quote(value: string): string {
  return /^[^\s":<>()]+$/.test(value) && !value.startsWith('-') ? value : `"${value.replace(/(["\\])/g, '\\$1')}"`;
}

function unquote(raw: string): string {
  if (!raw.startsWith('"')) return raw;
  return raw.slice(1, raw.length > 1 && raw.endsWith('"') ? -1 : undefined).replace(/\\(["\\])/g, '$1');
}
