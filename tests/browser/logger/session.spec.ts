import { expect, seen, test } from './fixtures.js';

test('a session ends after half an hour without a person, and goes on with one', async ({ page, open, site }) => {
  await page.clock.install();
  await open();
  const session = (): Promise<string> => page.evaluate(() => window.logger.sessionId);
  const begun = await session();
  // A batch under way would run into its time limit, and be sent again.
  await page.evaluate(() => window.logger.flush());
  await page.clock.fastForward('29:00');
  await page.click('#save');
  expect(await session()).toBe(begun);
  await page.clock.fastForward('29:00');
  await page.click('#save');
  expect(await session(), '58 minutes, but never 30 at a stretch').toBe(begun);
  await page.clock.fastForward('31:00');
  await page.click('#save');
  const next = await session();
  expect(next).not.toBe(begun);
  await page.evaluate(() => window.logger.flush());
  const starts = await seen(site, (entry) => entry.event_type === 'session_start', 2);
  expect(starts.map(({ context }) => context['session_id'])).toEqual([begun, next]);
});

test('a session ends after four hours, however busy the person is', async ({ page, open }) => {
  await page.clock.install();
  await open();
  const session = (): Promise<string> => page.evaluate(() => window.logger.sessionId);
  const begun = await session();
  for (let minutes = 20; minutes < 240; minutes += 20) {
    await page.clock.fastForward('20:00');
    await page.click('#save');
  }
  expect(await session()).toBe(begun);
  await page.clock.fastForward('21:00');
  await page.click('#save');
  expect(await session()).not.toBe(begun);
});

test('a session is sampled by its id: the same answer on every page of it', async ({ page, open, site }) => {
  await open({ sampleRate: 0.5 });
  const ids = new Map<string, boolean>();
  for (let turn = 0; turn < 12; turn++) {
    // Every other time the same session goes on.
    if (turn % 2 === 0) await page.evaluate(() => localStorage.clear());
    await page.evaluate(() => window.logger.stop());
    if (turn % 2 === 0) await page.evaluate(() => localStorage.clear());
    const [id, sampled] = await page.evaluate(async () => {
      const logger = await window.startLogger({ app: 'sampled', sampleRate: 0.5 });
      const before = logger.stats();
      logger.info('in or out');
      const after = logger.stats();
      const answer: [string, boolean] = [logger.sessionId, after.queued + after.sent > before.queued + before.sent];
      window.logger = logger;
      return answer;
    });
    if (ids.has(id)) expect(sampled).toBe(ids.get(id));
    ids.set(id, sampled);
  }
  expect(ids.size, 'sessions went on').toBeLessThan(12);
  expect(site.entries.every(({ level }) => level !== 'ERROR')).toBe(true);
});
