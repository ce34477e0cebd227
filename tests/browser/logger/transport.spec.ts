import { expect, first, seen, test } from './fixtures.js';

test('entries travel in batches of at most 48 KB, in order', async ({ open, site }) => {
  const page = await open({ flushIntervalMs: 200 });
  await page.evaluate(() => {
    for (let turn = 0; turn < 100; turn++) window.logger.info(`entry ${turn}`, { filler: 'x'.repeat(1_000) });
  });
  const told = await seen(site, (entry) => entry.message.startsWith('entry'), 100);
  expect(told.map((entry) => entry.message)).toEqual(Array.from({ length: 100 }, (_, turn) => `entry ${turn}`));
  // Others carry what the page itself tells while it loads.
  const batches = site.batches.filter(({ entries }) => entries.some(({ message }) => message.startsWith('entry')));
  expect(batches.length).toBeLessThanOrEqual(4);
  expect(Math.max(...site.batches.map((batch) => batch.bytes))).toBeLessThanOrEqual(48 * 1024);
});

test('503 with Retry-After is waited out, and every entry arrives once', async ({ open, site }) => {
  site.answers.push({ status: 503, headers: { 'retry-after': '1' } });
  const page = await open();
  await page.evaluate(() => window.logger.info('patient'));
  await seen(site, (candidate) => candidate.message === 'patient');
  const [refusal, next] = site.answered;
  expect([refusal?.status, next?.status]).toEqual([503, 202]);
  // Measured here: the pause begins in the page a little later than at the server. A timer may be a little early.
  expect((next?.at ?? 0) - (refusal?.at ?? 0)).toBeGreaterThan(950);
  expect(site.entries.filter((candidate) => candidate.message === 'patient')).toHaveLength(1);
});

test('400 is final: the batch is dropped, counted and reported', async ({ open, site }) => {
  site.answers.push({ status: 400 });
  const page = await open();
  await page.evaluate(() => window.logger.flush());
  await page.evaluate(() => window.logger.info('after'));
  const loss = await first(site, 'log_loss');
  expect(loss.extra).toMatchObject({ reason: 'rejected', count: expect.any(Number) });
});

test('413 makes the batches smaller', async ({ open, site }) => {
  const page = await open({ flushIntervalMs: 300 });
  site.answers.push({ status: 413 }, { status: 413 });
  await page.evaluate(() => {
    for (let turn = 0; turn < 30; turn++) window.logger.info(`entry ${turn}`, { filler: 'x'.repeat(1_000) });
  });
  await seen(site, (entry) => entry.message.startsWith('entry'), 30);
  const batch = site.batches.find(({ entries }) => entries.some(({ message }) => message.startsWith('entry')));
  expect(batch?.bytes).toBeLessThanOrEqual(12 * 1024);
});

test('what waits when the page goes away goes by beacon', async ({ open, site }) => {
  const page = await open({ flushIntervalMs: 60_000 });
  await page.evaluate(() => window.logger.info('last words'));
  expect(site.entries).toEqual([]);
  await page.goto('about:blank');
  await seen(site, (entry) => entry.message === 'last words');
});

test('what could not be sent is kept across a reload and sent once', async ({ open, site, page }) => {
  await open();
  await seen(site, (entry) => entry.event_type === 'navigation');
  await page.evaluate(() => window.logger.flush());
  // The network is gone for the endpoint: no batch, no beacon.
  await page.evaluate(() => {
    navigator.sendBeacon = () => false;
  });
  await page.route('**/api/logs/frontend', (route) => route.abort());
  const kept = await page.evaluate(async () => {
    window.logger.info('from before', { password: 'hunter2' });
    await window.logger.flush();
    // As the browser does when the page goes away.
    window.dispatchEvent(new PageTransitionEvent('pagehide'));
    return localStorage.getItem('omnify.queue') ?? '';
  });
  expect(kept).toContain('from before');
  expect(kept, 'what is secret is not stored either').not.toContain('hunter2');
  await page.unroute('**/api/logs/frontend');
  await page.reload();
  await page.evaluate(() => window.ready);
  await seen(site, (entry) => entry.message === 'from before');
  await page.evaluate(() => window.logger.flush());
  expect(site.entries.filter((entry) => entry.message === 'from before')).toHaveLength(1);
  expect(await page.evaluate(() => localStorage.getItem('omnify.queue'))).toBeNull();
});

test('offline, entries wait; back online, they are sent without waiting for the pause to end', async ({ open, site, context }) => {
  const page = await open();
  await seen(site, ({ event_type }) => event_type === 'navigation');
  await page.evaluate(() => window.logger.flush());
  await context.setOffline(true);
  await page.evaluate(async () => {
    window.logger.info('from the tunnel');
    await window.logger.flush();
  });
  expect(await page.evaluate(() => window.logger.stats().queued)).toBeGreaterThan(0);
  await context.setOffline(false);
  await seen(site, ({ message }) => message === 'from the tunnel');
  await page.evaluate(() => window.logger.flush());
  expect(site.entries.filter(({ message }) => message === 'from the tunnel')).toHaveLength(1);
});

test('a page that logs without end is held back, and the loss is told', async ({ open, site }) => {
  const page = await open();
  await page.evaluate(() => {
    for (let turn = 0; turn < 2_000; turn++) window.logger.info('flood');
  });
  const loss = await first(site, 'log_loss');
  expect(loss.extra?.['reason']).toBe('rate_limited');
  expect(site.entries.filter((entry) => entry.message === 'flood').length).toBeLessThan(300);
});
