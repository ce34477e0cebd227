/** Spans of a trace as the rows of a waterfall. */
import type { Span } from '../api/types';

export interface Row {
  span: Span;
  depth: number;
  /** Milliseconds after the start of the trace. */
  offset: number;
  children: number;
}

/** Depth first, siblings in order of time. A span whose parent is unknown is a root; a circle is cut. */
export function rows(spans: readonly Span[], startedAt: string): Row[] {
  const zero = new Date(startedAt).getTime();
  const ids = new Set(spans.map((s) => s.span_id));
  const children = new Map<string | null, Span[]>();
  for (const span of spans) {
    const parent =
      span.parent_span_id && span.parent_span_id !== span.span_id && ids.has(span.parent_span_id)
        ? span.parent_span_id
        : null;
    const list = children.get(parent);
    if (list) list.push(span);
    else children.set(parent, [span]);
  }
  for (const list of children.values()) list.sort((a, b) => a.started_at.localeCompare(b.started_at));

  const result: Row[] = [];
  const seen = new Set<Span>();
  const expanded = new Set<string>();
  const visit = (span: Span, depth: number): void => {
    if (seen.has(span)) return;
    seen.add(span);
    // Two spans may share an id, as client and server of one call do in some systems; only the first owns the children.
    const below = expanded.has(span.span_id) ? [] : (children.get(span.span_id) ?? []);
    expanded.add(span.span_id);
    result.push({ span, depth, offset: new Date(span.started_at).getTime() - zero, children: below.length });
    for (const child of below) visit(child, depth + 1);
  };
  for (const root of children.get(null) ?? []) visit(root, 0);
  for (const span of spans) visit(span, 0);
  return result;
}
