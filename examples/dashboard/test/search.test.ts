import { describe, expect, it } from 'vitest';
import { add, asId, asReference, isTraceId, term, termAt, terms } from '../src/lib/search';

describe('terms', () => {
  it('cuts words, phrases, exclusions, fields and comparisons', () => {
    const found = terms('timeout "card declined" -healthz level:ERROR -event_type:db_query extra.duration_ms>=1000');
    expect(found.map((t) => [t.negated, t.field, t.value])).toEqual([
      [false, null, 'timeout'],
      [false, null, 'card declined'],
      [true, null, 'healthz'],
      [false, 'level', 'ERROR'],
      [true, 'event_type', 'db_query'],
      [false, 'extra.duration_ms', '1000'],
    ]);
  });
  it('bears an open quote', () => {
    expect(terms('message:"half')).toMatchObject([{ field: 'message', value: 'half' }]);
  });
  it('finds the term at the caret', () => {
    expect(termAt('level:ERROR user', 8)?.field).toBe('level');
    expect(termAt('level:ERROR user', 13)?.value).toBe('user');
    expect(termAt('a  ', 3)).toBeNull();
  });
});

describe('add', () => {
  it('quotes what needs it, and escapes inside', () => {
    expect(term('message', 'say "hi"')).toBe('message:"say \\"hi\\""');
    expect(term('extra.route', '/api/runs/{id}')).toBe('extra.route:/api/runs/{id}');
    expect(term('message', '-1')).toBe('message:"-1"');
  });
  it('what was quoted is read back as it was', () => {
    for (const value of ['a b', 'x"y', 'back\\slash', 'c:d', '<tag>'])
      expect(terms(term('message', value))[0]?.value).toBe(value);
  });
  it('does not double and lets the opposite go', () => {
    expect(add('level:ERROR', 'level', 'ERROR')).toBe('level:ERROR');
    expect(add('timeout level:ERROR', 'level', 'ERROR', true)).toBe('timeout -level:ERROR');
  });
});

describe('asId', () => {
  it.each([
    ['4bf92f3577b34da6a3ce929d0e0e4736'],
    ['018f3f2e-7a52-7cc1-9d1e-3a5b5a0f5b11'],
    ['request_id:018f3f2e-7a52-7cc1-9d1e-3a5b5a0f5b11'],
    ['req_01JD4Z6W9X8Y7V6T'],
  ])('takes %s for an id', (text) => expect(asId(text)).not.toBeNull());
  it.each([
    ['timeout'],
    ['level:ERROR'],
    ['card declined 12345678901'],
    ['api.example-long-host.com'],
    ['acknowledgement-of-receipt'],
  ])('leaves %s to the search', (text) => expect(asId(text)).toBeNull());
  it('an all-zero trace id is none', () => {
    expect(isTraceId('0'.repeat(32))).toBe(false);
    expect(isTraceId('4bf92f3577b34da6a3ce929d0e0e4736')).toBe(true);
  });
});

describe('asReference', () => {
  it.each(['7K3F-9QXM', ' 7k3f-9qxm '])('takes %s for the number of an error page', (text) =>
    expect(asReference(text)).toBe('7K3F-9QXM'));
  // Letters that are easily mixed up are in none; words are searched for.
  it.each(['7K3F9QXM', 'FAST-TEST', '7K3O-9QXM', '7K3F-9QXM-1', '7K3F-9QX'])('leaves %s to the search', (text) =>
    expect(asReference(text)).toBeNull());
});
