import { expect, first, seen, test } from './fixtures.js';

const later = (code: string): string => `setTimeout(() => { ${code} })`;

test('an uncaught error is told with its stack and causes', async ({ open, site }) => {
  const page = await open({ release: '1.2.3' });
  await page.evaluate(() => {
    setTimeout(function brokenTimer() {
      throw new RangeError('out of cookies', { cause: new Error('jar empty') });
    });
  });
  const entry = await first(site, 'frontend_error');
  expect(entry).toMatchObject({
    level: 'ERROR',
    message: 'out of cookies',
    extra: { kind: 'error', page: '/start', count: 1, reference: expect.stringMatching(/^[0-9A-Z]{4}-[0-9A-Z]{4}$/) },
    exception: { type: 'RangeError', message: 'out of cookies', chain: ['Error: jar empty'] },
  });
  expect(entry.exception?.stacktrace).toContain('brokenTimer');
});

test('rejections, resources and policy violations are told', async ({ open, site }) => {
  const page = await open();
  await page.evaluate(() => {
    void Promise.reject(new Error('nobody cares'));
    const image = new Image();
    image.src = '/missing.png?signature=secret';
    document.body.append(image);
    const script = document.createElement('script');
    document.body.append(script);
    void fetch('https://blocked.invalid/x?y').catch(() => undefined);
  });
  const kinds = new Map((await seen(site, (entry) => entry.event_type === 'frontend_error', 3)).map((entry) => [entry.extra?.['kind'], entry]));
  expect(kinds.get('unhandledrejection')?.message).toBe('nobody cares');
  expect(kinds.get('resource')?.message).toBe('img did not load: /missing.png');
  expect(kinds.get('csp')?.message).toBe('connect-src blocked https://blocked.invalid/x');
});

test('the same error is told five times a minute, the rest is counted and reported', async ({ open, site }) => {
  const page = await open();
  await page.evaluate(() => {
    for (let turn = 0; turn < 20; turn++) window.logger.captureError(new Error(`order ${turn} failed`));
    window.logger.captureError(new TypeError('another'));
  });
  await seen(site, (entry) => entry.message === 'another');
  expect(site.entries.filter((entry) => entry.message.startsWith('order'))).toHaveLength(5);
  const loss = await first(site, 'log_loss');
  expect(loss.extra).toEqual({ count: 15, reason: 'duplicate' });
  expect(await page.evaluate(() => window.logger.stats().dropped)).toEqual({ duplicate: 15 });
});

test('an error object that is captured twice is told once, under one reference', async ({ open, site }) => {
  const page = await open();
  const references = await page.evaluate(() => {
    const error = new Error('once');
    return [window.logger.captureError(error), window.logger.captureError(error)];
  });
  expect(references[0]).toBe(references[1]);
  const entry = await first(site, 'frontend_error');
  expect(entry.extra?.['reference']).toBe(references[0]);
  await page.evaluate(() => window.logger.flush());
  expect(site.entries.filter(({ message }) => message === 'once')).toHaveLength(1);
});

test('errors before the logger are kept by the early stub', async ({ page, open, site }) => {
  await page.addInitScript({ content: `addEventListener('DOMContentLoaded', () => { ${later("throw new Error('too early')")} });` });
  await page.route('**/*.wasm', async (route) => {
    await new Promise((done) => setTimeout(done, 300));
    await route.continue();
  });
  await open();
  const entry = await first(site, 'frontend_error');
  expect(entry.message).toBe('too early');
});

test('a React boundary shows a reference, takes a report, and tries again', async ({ page, site }) => {
  await page.goto(`${site.origin}/react.html`);
  await page.click('text=Break');
  const reference = await page.textContent('.omnify-error strong');
  const error = await first(site, 'frontend_error');
  expect(error).toMatchObject({
    extra: { kind: 'react', reference, component_stack: expect.stringContaining('Fragile') },
    exception: { type: 'TypeError', chain: ['Error: no storage'] },
  });
  await page.locator('textarea').pressSequentially('I only clicked');
  await page.click('text=Report the problem');
  await page.waitForSelector('text=Your report was sent');
  const report = await first(site, 'problem_report');
  // Reporting is an action of its own; what failed is found by its trace.
  expect(report).toMatchObject({ message: 'I only clicked', extra: { reference, error_trace_id: error.context['trace_id'] } });
  expect(report.extra?.['recent']).toContainEqual(expect.stringContaining('about to break'));
  expect(site.entries.filter((entry) => entry.event_type === 'frontend_error')).toHaveLength(1);
  await page.click('text=Try again');
  await page.waitForSelector('button:has-text("Break")');
});
