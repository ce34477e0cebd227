import { expect, first, seen, test } from './fixtures.js';

test('under a strict policy the logger starts, and its lines follow schema v1', async ({ open, site }) => {
  const page = await open();
  const violations = page.evaluate(() => new Promise((done) => {
    document.addEventListener('securitypolicyviolation', (event) => done(event.violatedDirective));
    setTimeout(() => done(null), 300);
  }));
  await page.evaluate(() => window.logger.warn('careful', { amount: 12.5, nested: { deep: true } }));
  const [entry] = await seen(site, (candidate) => candidate.message === 'careful');
  expect(entry).toMatchObject({
    level: 'WARN',
    target: 'test-page',
    source: 'frontend',
    extra: { amount: 12.5, nested: { deep: true } },
  });
  expect(entry).not.toHaveProperty('service');
  expect(entry?.timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
  expect(Math.abs(Date.parse(entry?.timestamp ?? '') - Date.now())).toBeLessThan(10_000);
  expect(entry?.context['trace_id']).toMatch(/^[0-9a-f]{32}$/);
  expect(entry?.context['session_id']).toMatch(/^[0-9a-f]{32}$/);
  const start = await first(site, 'session_start');
  expect(start.extra).toMatchObject({ page: '/start', user_agent: expect.stringMatching(/Chrome|Firefox/) });
  expect(await violations).toBeNull();
});

test('user and organization are on the lines that follow', async ({ open, site }) => {
  const page = await open();
  await page.evaluate(() => {
    window.logger.setUser('u-7');
    window.logger.setOrganization('acme');
    window.logger.info('known');
    window.logger.setUser(null);
    window.logger.info('unknown');
  });
  const [known] = await seen(site, (entry) => entry.message === 'known');
  const [unknown] = await seen(site, (entry) => entry.message === 'unknown');
  expect(known?.context).toMatchObject({ user_id: 'u-7', organization_id: 'acme' });
  expect(unknown?.context).not.toHaveProperty('user_id');
});

test('entries below the level are not sent, and the level can change', async ({ open, site }) => {
  const page = await open({ level: 'warn' });
  await page.evaluate(() => {
    window.logger.info('too quiet');
    window.logger.setLevel('debug');
    window.logger.debug('loud enough');
  });
  await seen(site, (entry) => entry.message === 'loud enough');
  expect(site.entries.filter((entry) => entry.message === 'too quiet')).toEqual([]);
});

test('a session that is not sampled logs nothing but its errors', async ({ open, site }) => {
  const page = await open({ sampleRate: 0 });
  await page.evaluate(() => {
    window.logger.info('not sampled');
    window.logger.error('still told');
  });
  await seen(site, (entry) => entry.message === 'still told');
  expect(site.entries).toHaveLength(1);
});

test('secrets never leave the page', async ({ open, site }) => {
  const page = await open({ redactKeys: ['customerNumber'] });
  await page.evaluate(() => {
    window.logger.info('got Bearer abcdef0123456789', {
      password: 'hunter2',
      nested: { apiKey: 'k', customer_number: 7 },
      url: '/reset?token=abc&step=2',
    });
  });
  const [entry] = await seen(site, (candidate) => candidate.message.startsWith('got'));
  expect(entry?.message).toBe('got Bearer [redacted]');
  expect(entry?.extra).toEqual({
    password: '[redacted]',
    nested: { apiKey: '[redacted]', customer_number: '[redacted]' },
    url: '/reset?token=[redacted]&step=2',
  });
});

test('a session goes on after a reload, and a second start answers the running logger', async ({ open, site }) => {
  const page = await open();
  const before = await page.evaluate(() => window.logger.sessionId);
  const same = await page.evaluate(async () => (await window.startLogger({ app: 'again' })) === window.logger);
  await page.reload();
  await page.evaluate(() => window.ready);
  expect(await page.evaluate(() => window.logger.sessionId)).toBe(before);
  expect(same).toBe(true);
  await seen(site, (entry) => entry.event_type === 'navigation', 2);
  expect(site.entries.filter((entry) => entry.event_type === 'session_start')).toHaveLength(1);
});

test('without consent nothing is sent or stored; with it, what waited is sent', async ({ open, site }) => {
  const page = await open({ consent: 'pending' });
  await page.evaluate(() => window.logger.info('before the answer'));
  await page.evaluate(() => window.logger.flush());
  expect(site.batches).toEqual([]);
  expect(await page.evaluate(() => Object.keys(localStorage))).toEqual([]);
  await page.evaluate(() => window.logger.setConsent('granted'));
  await seen(site, (entry) => entry.message === 'before the answer');
  await page.evaluate(() => {
    window.logger.setConsent('denied');
    // What was on its way when the person said no.
    return window.logger.flush();
  });
  const sent = site.batches.length;
  await page.evaluate(() => {
    window.logger.error('after the withdrawal');
    return window.logger.flush();
  });
  expect(site.batches).toHaveLength(sent);
  expect(await page.evaluate(() => Object.keys(localStorage))).toEqual([]);
  expect(await page.evaluate(() => window.logger.stats().dropped['no_consent'])).toBeGreaterThan(0);
});

test('a browser that asks not to be tracked is not, if the page respects that', async ({ page, open, site }) => {
  await page.addInitScript(() => Object.defineProperty(navigator, 'doNotTrack', { value: '1' }));
  await open({ respectDoNotTrack: true });
  const stats = await page.evaluate(async () => {
    window.logger.error('x');
    await window.logger.flush();
    return window.logger.stats();
  });
  expect(stats.sent).toBe(0);
  expect(site.batches).toEqual([]);
});

test('a stopped logger leaves the page as it was', async ({ page, open }) => {
  await page.addInitScript(() => Object.assign(window, { nativeFetch: window.fetch, nativePush: history.pushState }));
  await open();
  const before = await page.evaluate(() => window.fetch === (window as never as { nativeFetch: unknown }).nativeFetch);
  const after = await page.evaluate(async () => {
    await window.logger.stop();
    const native = window as never as { nativeFetch: unknown; nativePush: unknown };
    return [window.fetch === native.nativeFetch, history.pushState === native.nativePush, window.getLogger().sessionId];
  });
  expect(before).toBe(false);
  expect(after).toEqual([true, true, '']);
});
