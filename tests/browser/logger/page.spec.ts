import { expect, first, seen, test } from './fixtures.js';

test('a form tells its fields by name, never what was typed, in the trace of the click', async ({ open, site }) => {
  const page = await open();
  await page.click('text=Sign up');
  const submit = await first(site, 'user_action', (entry) => entry.extra?.['action'] === 'submit');
  const click = await first(site, 'user_action', (entry) => entry.extra?.['action'] === 'click');
  expect(submit.extra).toMatchObject({ element: 'form signup', fields: ['email', 'password'] });
  expect(submit.context['trace_id']).toBe(click.context['trace_id']);
  expect(JSON.stringify(site.entries)).not.toMatch(/hunter2|jane@/);
});

test('private text is not read', async ({ open, site }) => {
  const page = await open();
  await page.click('.secret');
  await first(site, 'user_action');
  expect(JSON.stringify(site.entries)).not.toContain('Jane');
});

test('routes of a single-page application are navigations; its query is not', async ({ open, site }) => {
  const page = await open();
  await page.evaluate(() => {
    history.pushState({}, '', '/users?filter=x');
    history.replaceState({}, '', '/users?filter=y');
    history.pushState({}, '', '/users/7');
  });
  await page.goBack();
  const told = await seen(site, (entry) => entry.event_type === 'navigation', 4);
  expect(told.map(({ extra }) => [extra?.['kind'], extra?.['from'], extra?.['to']])).toEqual([
    ['load', undefined, '/start'],
    ['push', '/start', '/users'],
    ['push', '/users', '/users/7'],
    ['pop', '/users/7', '/users'],
  ]);
  expect(new Set(told.map(({ context }) => context['trace_id'])).size).toBe(4);
});

test('three quick clicks are rage, and a click without an effect is dead', async ({ open, site }) => {
  const page = await open();
  // In one go: three clicks of the driver may be seconds apart on a busy machine.
  await page.evaluate(() => {
    for (let turn = 0; turn < 3; turn++) document.getElementById('dead')?.click();
  });
  const rage = await first(site, 'user_action', (entry) => entry.extra?.['action'] === 'rage_click');
  expect(rage.extra?.['element']).toBe('button#dead');
  await first(site, 'user_action', (entry) => entry.extra?.['action'] === 'dead_click');
  await page.evaluate(() => {
    document.getElementById('save')?.addEventListener('click', () => document.body.append('saved'));
  });
  await page.click('#save');
  await page.evaluate(() => new Promise((done) => setTimeout(done, 1_700)));
  await page.evaluate(() => window.logger.flush());
  const dead = site.entries.filter((entry) => entry.message === 'dead_click button#save');
  expect(dead).toEqual([]);
});

test('web vitals are measured and rated, as far as the browser does', async ({ open, site }) => {
  const page = await open();
  await page.evaluate(async () => {
    document.getElementById('save')?.addEventListener('click', () => {
      const until = performance.now() + 120;
      while (performance.now() < until);
    });
    const block = document.createElement('div');
    block.style.height = '300px';
    await new Promise((done) => setTimeout(done, 100));
    document.body.prepend(block);
    await new Promise((done) => setTimeout(done, 100));
  });
  const supported = await page.evaluate(() => PerformanceObserver.supportedEntryTypes);
  const shifts = supported.includes('layout-shift');
  // The browser tells of an interaction some time after it was shown, to this observer as to the logger's.
  await page.evaluate(() => {
    const shown = new Promise((done) => {
      new PerformanceObserver((list) => {
        if (list.getEntries().some((entry) => 'interactionId' in entry && entry.interactionId && entry.duration > 100)) done(null);
      }).observe({ type: 'event', durationThreshold: 40 } as PerformanceObserverInit);
    });
    Object.assign(window, { shown });
  });
  await page.click('#save');
  await page.evaluate(() => (window as never as { shown: Promise<unknown> }).shown);
  await page.goto('about:blank');
  for (const metric of ['LCP', 'FCP', 'TTFB', 'INP', 'page_load', ...(shifts ? ['CLS'] : [])]) {
    const entry = await first(site, 'page_performance', ({ extra }) => extra?.['metric'] === metric);
    expect(entry.extra).toMatchObject({
      value: expect.any(Number),
      rating: expect.stringMatching(/^(good|needs-improvement|poor)$/),
      page: '/start',
    });
  }
  const values = (metric: string) =>
    site.entries.filter((entry) => entry.extra?.['metric'] === metric).map((entry) => Number(entry.extra?.['value']));
  const value = (metric: string) => values(metric)[0] ?? Number.NaN;
  expect(value('INP')).toBeGreaterThan(100);
  // What is not measured is not called good.
  if (shifts) expect(value('CLS')).toBeGreaterThan(0.01);
  else expect(value('CLS')).toBeNaN();
  // Loading the page may have been a long task too.
  if (supported.includes('longtask'))
    expect(Math.max(...values('long_task')), 'the click kept the page busy').toBeGreaterThan(100);
});

test('the console is captured only on request', async ({ open, site }) => {
  let page = await open();
  await page.evaluate(() => console.error('quiet'));
  await page.evaluate(() => window.logger.flush());
  expect(site.entries.filter((entry) => entry.message === 'quiet')).toEqual([]);
  page = await open({ captureConsole: true });
  await page.evaluate(() => console.error('loud', { a: 1 }, new Error('inner')));
  const [entry] = await seen(site, (candidate) => candidate.message.startsWith('loud'));
  expect(entry).toMatchObject({ level: 'ERROR', message: 'loud {"a":1} Error: inner' });
});
