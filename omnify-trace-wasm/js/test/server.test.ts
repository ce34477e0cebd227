import { expect, test } from 'vitest';

import { getLogger, start } from '../src/index.js';

test('on a server the logger can be imported, started and called, and does nothing', async () => {
  expect(typeof window).toBe('undefined');
  const logger = await start({ app: 'page' });
  logger.info('x', { a: 1 });
  logger.workflow('w').start().step('a').complete();
  expect(logger.captureError(new Error('x'))).toBe('');
  expect(getLogger().stats()).toEqual({ sent: 0, queued: 0, dropped: {} });
  await logger.flush();
});
