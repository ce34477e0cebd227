import { expect, first, seen, test } from './fixtures.js';

test('importing the logger does nothing: no request, no storage, nothing replaced, no listener', async ({ page, site }) => {
  await page.addInitScript(() => {
    const listened: string[] = [];
    const add = EventTarget.prototype.addEventListener;
    EventTarget.prototype.addEventListener = function (this: EventTarget, type: string, ...rest: unknown[]) {
      // The browser's driver listens too; the page's own code lives in /assets/.
      if (new Error().stack?.includes('/assets/')) listened.push(type);
      return (add as (...args: unknown[]) => void).call(this, type, ...rest);
    } as typeof add;
    Object.assign(window, {
      listened,
      natives: [window.fetch, history.pushState, XMLHttpRequest.prototype.open, XMLHttpRequest.prototype.send, console.error],
    });
  });
  const requested: string[] = [];
  page.on('request', (request) => requested.push(new URL(request.url()).pathname));
  await page.goto(`${site.origin}/start?hold`);
  await page.evaluate(() => window.ready);
  const found = await page.evaluate(() => {
    const { listened, natives } = window as never as { listened: string[]; natives: unknown[] };
    const now = [window.fetch, history.pushState, XMLHttpRequest.prototype.open, XMLHttpRequest.prototype.send, console.error];
    window.getLogger().error('nobody listens');
    return { listened, same: now.every((method, at) => method === natives[at]), stored: localStorage.length + sessionStorage.length };
  });
  // The page's own listener of its form, and axios' of messages.
  expect(found.listened.filter((type) => !['submit', 'message'].includes(type))).toEqual([]);
  expect(found).toMatchObject({ same: true, stored: 0 });
  expect(requested.filter((path) => path.endsWith('.wasm') || path.startsWith('/api'))).toEqual([]);
});

test('a page that comes back from the browser\'s cache goes on, with a trace of its own', async ({ open, site }) => {
  const page = await open();
  const before = await page.evaluate(() => window.logger.traceId);
  // As the browser does it; whether it does it at all is the browser's own choice.
  await page.evaluate(() => {
    window.logger.info('waited in the cache');
    window.dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }));
    window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }));
  });
  const restored = await first(site, 'navigation', ({ extra }) => extra?.['kind'] === 'restore');
  expect(restored.context['trace_id']).not.toBe(before);
  await page.evaluate(() => window.logger.flush());
  expect(site.entries.filter(({ message }) => message === 'waited in the cache')).toHaveLength(1);
  expect(await page.evaluate(() => localStorage.getItem('omnify.queue'))).toBeNull();
});

test('beacons stay within 60 KB; what does not fit waits for the next page, and nothing is lost or doubled', async ({ page, open, site }) => {
  await open({ flushIntervalMs: 60_000 });
  const sizes = await page.evaluate(() => {
    const sizes: number[] = [];
    const send = navigator.sendBeacon.bind(navigator);
    navigator.sendBeacon = (url, body) => {
      sizes.push((body as Blob).size);
      return send(url, body);
    };
    for (let turn = 0; turn < 100; turn++) window.logger.info(`entry ${turn}`, { filler: 'x'.repeat(900) });
    window.dispatchEvent(new PageTransitionEvent('pagehide'));
    return sizes;
  });
  const sum = sizes.reduce((all, size) => all + size, 0);
  expect(sum).toBeGreaterThan(20_000);
  expect(sum).toBeLessThanOrEqual(60 * 1024);
  await page.reload();
  await page.evaluate(() => window.ready);
  const told = await seen(site, ({ message }) => message.startsWith('entry'), 100);
  expect(new Set(told.map(({ message }) => message)).size).toBe(100);
});

test('a batch in flight survives the page: it is sent with keepalive', async ({ page, open }) => {
  await page.addInitScript(() => {
    const sent: RequestInit[] = [];
    const original = window.fetch;
    window.fetch = (input, init) => {
      if (String(input).endsWith('/api/logs/frontend') && init) sent.push(init);
      return original(input, init);
    };
    Object.assign(window, { sent });
  });
  await open();
  await page.evaluate(() => window.logger.flush());
  const sent = await page.evaluate(() => (window as never as { sent: RequestInit[] }).sent.map(({ method, keepalive }) => ({ method, keepalive })));
  expect(sent.length).toBeGreaterThan(0);
  for (const request of sent) expect(request).toEqual({ method: 'POST', keepalive: true });
});

test('a full queue drops its oldest, counts them, and tells', async ({ page, open, site }) => {
  await open({ flushIntervalMs: 60_000 });
  await page.route('**/api/logs/frontend', (route) => route.abort());
  const stats = await page.evaluate(() => {
    for (let turn = 0; turn < 100; turn++) window.logger.info(`entry ${turn}`, { filler: 'x'.repeat(8_000) });
    return window.logger.stats();
  });
  expect(stats.dropped['queue_full']).toBeGreaterThan(30);
  expect(stats.queued).toBeLessThan(70);
  await page.unroute('**/api/logs/frontend');
  // The first attempt may still meet the pause after the failed one.
  const arrived = async (): Promise<boolean> => {
    await page.evaluate(() => window.logger.flush());
    return site.entries.some(({ message }) => message === 'entry 99');
  };
  await expect.poll(arrived, { timeout: 20_000 }).toBe(true);
  expect(site.entries.filter(({ message }) => message === 'entry 0')).toEqual([]);
  const loss = await first(site, 'log_loss');
  expect(loss.extra).toMatchObject({ reason: 'queue_full', count: expect.any(Number) });
});

test('429 with a date for Retry-After is waited out, and failures without one back off', async ({ open, site }) => {
  site.answers.push({ status: 429, headers: { 'retry-after': new Date(Date.now() + 2_000).toUTCString() } }, { status: 500 });
  const page = await open();
  await page.evaluate(() => window.logger.info('patient'));
  await seen(site, ({ message }) => message === 'patient');
  expect(site.answers).toEqual([]);
  expect(site.entries.filter(({ message }) => message === 'patient')).toHaveLength(1);
});

test('rejected entries are counted, not sent again', async ({ open, site }) => {
  const page = await open();
  await seen(site, ({ event_type }) => event_type === 'navigation');
  await page.evaluate(() => window.logger.flush());
  site.answers.push({ status: 202, body: '{"accepted":0,"rejected":[{"index":0,"reason":"schema"}]}' });
  await page.evaluate(() => {
    window.logger.info('unloved');
    return window.logger.flush();
  });
  await first(site, 'log_loss', ({ extra }) => extra?.['reason'] === 'rejected');
  expect(await page.evaluate(() => window.logger.stats().dropped['rejected'])).toBe(1);
});

test('who said no from the start leaves nothing behind', async ({ page, open, site }) => {
  await open({ consent: 'denied' });
  await page.click('#save');
  const stats = await page.evaluate(async () => {
    window.logger.error('unheard');
    await window.logger.flush();
    return window.logger.stats();
  });
  expect(stats).toMatchObject({ sent: 0, queued: 0 });
  expect(site.batches).toEqual([]);
  expect(await page.evaluate(() => localStorage.length)).toBe(0);
});

test('Global Privacy Control counts like Do-Not-Track, and neither unless the page respects them', async ({ page, open, site }) => {
  await page.addInitScript(() => {
    Object.defineProperty(navigator, 'globalPrivacyControl', { value: true });
    Object.defineProperty(navigator, 'doNotTrack', { value: '1' });
  });
  await open({ respectDoNotTrack: true });
  expect(await page.evaluate(() => window.logger.sessionId)).toBe('');
  expect(site.batches).toEqual([]);
  await open();
  await seen(site, ({ event_type }) => event_type === 'session_start');
});
