import { expect, test } from 'vitest';

import { describe as take, toJson } from '../src/exceptions.js';

test('an error is taken apart with its whole chain of causes', () => {
  const error = new TypeError('outer', { cause: new RangeError('middle', { cause: 'inner' }) });
  const { type, message, stack, json } = take(error);
  expect([type, message]).toEqual(['TypeError', 'outer']);
  expect(stack).toContain('exceptions.test');
  expect(JSON.parse(json)).toMatchObject({ type: 'TypeError', chain: ['RangeError: middle', 'string: inner'] });
});

test('a chain that bites its tail ends', () => {
  const error = new Error('a');
  error.cause = new Error('b', { cause: error });
  expect(JSON.parse(take(error).json)).toMatchObject({ chain: ['Error: b'] });
});

test('the members of an aggregate are told', () => {
  const error = new AggregateError([new Error('one'), new Error('two')], 'both');
  expect(JSON.parse(take(error).json)).toMatchObject({ chain: ['Error: one', 'Error: two'] });
});

test.each([
  ['a string', 'string', 'a string'],
  [undefined, 'undefined', 'undefined'],
  [null, 'Object', 'null'],
  [{ code: 7 }, 'Object', '{"code":7}'],
])('anything can be thrown: %j', (thrown, type, message) => {
  expect(take(thrown)).toMatchObject({ type, message });
});

test('an object that refuses to be read does no harm', () => {
  const hostile = new Proxy({}, { has: () => { throw new Error('no'); }, get: () => { throw new Error('no'); } });
  expect(take(hostile).message).toBe('an error that cannot be read');
});

test('cycles and big numbers become JSON', () => {
  const cyclic: Record<string, unknown> = { big: 12n };
  cyclic['self'] = cyclic;
  expect(JSON.parse(toJson(cyclic))).toEqual({ big: '12', self: '[circular]' });
});
