/** The browser's own cache of whole pages (back/forward cache), which Playwright turns off unless asked not to. */
import { expect, first, seen, test } from './fixtures.js';

test.use({
  launchOptions: async ({ launchOptions }, use) => {
    await use({ ...launchOptions, ignoreDefaultArgs: ['--disable-back-forward-cache'], args: [...(launchOptions.args ?? []), '--enable-features=BackForwardCache'] });
  },
});

test('a page that the browser really kept goes on where it was, with a trace of its own', async ({ open, site, browserName }) => {
  test.skip(browserName !== 'chromium', 'the switch is Chromium’s');
  const page = await open();
  await page.evaluate(() => {
    window.logger.setUser('u-kept');
    addEventListener('pageshow', (event) => window.logger.info('shown again', { persisted: event.persisted }));
  });
  const [before, session] = await page.evaluate(() => [window.logger.traceId, window.logger.sessionId]);
  // Another origin: within one site Chromium may decide otherwise.
  await page.goto(`${site.other}/elsewhere?hold`);
  await page.evaluate(() => history.back()).catch(() => undefined);
  const restored = await first(site, 'navigation', ({ extra }) => extra?.['kind'] === 'restore');
  expect(restored.context).toMatchObject({ session_id: session, user_id: 'u-kept' });
  expect(restored.context['trace_id']).not.toBe(before);
  const [shown] = await seen(site, ({ message }) => message === 'shown again');
  expect(shown?.extra).toEqual({ persisted: true });
});
