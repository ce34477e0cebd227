import { expect, first, seen, test } from './fixtures.js';

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-03$/;

test('a click, its request and its answer carry one trace id, and the request its own span', async ({ open, site }) => {
  const page = await open();
  await page.evaluate(() => {
    document.getElementById('save')?.addEventListener('click', () => void fetch('/api/save?secret=1', { method: 'POST' }));
  });
  await page.click('#save');
  const click = await first(site, 'user_action');
  const answer = await first(site, 'api_response');
  const call = site.calls.find(({ path }) => path === '/api/save');
  const [, trace, span] = TRACEPARENT.exec(String(call?.headers['traceparent'])) ?? [];
  expect(click).toMatchObject({ message: 'click button#save', extra: { action: 'click', element: 'button#save', page: '/start' } });
  expect(click.context['trace_id']).toBe(trace);
  expect(answer.context).toMatchObject({
    trace_id: trace,
    span_id: span,
    parent_span_id: click.context['span_id'],
    request_id: call?.headers['x-request-id'],
  });
  expect(answer.extra).toMatchObject({ method: 'POST', path: '/api/save', status_code: 200, duration_ms: expect.any(Number) });
  const navigation = await first(site, 'navigation');
  expect(navigation.context['trace_id']).not.toBe(trace);
});

test('requests that follow from an answer stay in the trace; background work later does not', async ({ open, site }) => {
  const page = await open();
  await page.evaluate(() => {
    document.getElementById('save')?.addEventListener('click', () => {
      void fetch('/api/first').then(() => fetch('/api/second')).then(() => fetch('/api/third'));
    });
  });
  await page.click('#save');
  await seen(site, (entry) => entry.event_type === 'api_response', 3);
  // More than two seconds after the click, more than one after its last answer.
  await page.waitForFunction(() => performance.now() > 0);
  await page.evaluate(() => new Promise((done) => setTimeout(done, 2_300)));
  await page.evaluate(() => fetch('/api/background'));
  const trace = (path: string): string | undefined =>
    TRACEPARENT.exec(String(site.calls.find((call) => call.path === path)?.headers['traceparent']))?.[1];
  expect(trace('/api/second')).toBe(trace('/api/first'));
  expect(trace('/api/third')).toBe(trace('/api/first'));
  expect(trace('/api/background')).toMatch(/^[0-9a-f]{32}$/);
  expect(trace('/api/background')).not.toBe(trace('/api/first'));
});

test('trace headers go to the page\'s own and to allowed origins, and nowhere else', async ({ open, site }) => {
  let page = await open();
  await page.evaluate((url) => fetch(url), `${site.other}/api/stranger`);
  expect(site.calls[0]?.headers).not.toHaveProperty('traceparent');
  expect(site.calls[0]?.method, 'no preflight').toBe('GET');
  const told = await first(site, 'api_response');
  expect(told.extra).toMatchObject({ path: `${site.other}/api/stranger` });
  page = await open({ allowedOrigins: [site.other] });
  await page.evaluate((url) => fetch(url), `${site.other}/api/friend`);
  const friend = site.calls.find(({ path, method }) => path === '/api/friend' && method === 'GET');
  expect(friend?.headers['traceparent']).toMatch(TRACEPARENT);
  expect(friend?.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
});

test('the session goes along, to the page\'s own and to allowed origins, and only with consent', async ({ open, site }) => {
  let page = await open({ allowedOrigins: [site.other], consent: 'pending' });
  await page.evaluate(() => fetch('/api/pending'));
  await page.evaluate(() => {
    window.logger.setConsent('denied');
    return fetch('/api/denied');
  });
  const session = await page.evaluate(async (other) => {
    window.logger.setConsent('granted');
    await fetch('/api/mine');
    await fetch('/api/own', { headers: { 'x-session-id': 'the-page-s' } });
    await fetch(`${other}/api/friend`);
    await new Promise((done) => {
      const xhr = new XMLHttpRequest();
      xhr.open('GET', '/api/xhr');
      xhr.onloadend = done;
      xhr.send();
    });
    window.traceAxios(window.axios);
    await window.axios.get('/api/axios');
    await fetch('/api/by-hand', { headers: window.logger.traceHeaders('/api/by-hand') });
    return window.logger.sessionId;
  }, site.other);
  page = await open();
  await page.evaluate((other) => fetch(`${other}/api/stranger`), site.other);
  const sent = (path: string) => site.calls.find((call) => call.path === path && call.method === 'GET')?.headers['x-session-id'];
  expect(session).toMatch(/^[0-9a-f]{32}$/);
  for (const path of ['/api/mine', '/api/friend', '/api/xhr', '/api/axios', '/api/by-hand']) expect(sent(path), path).toBe(session);
  expect(sent('/api/own')).toBe('the-page-s');
  for (const path of ['/api/pending', '/api/denied', '/api/stranger']) expect(sent(path), path).toBeUndefined();
});

test('headers of the page are kept, and a request that someone else traces is left alone', async ({ open, site }) => {
  const page = await open();
  const theirs = `00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01`;
  await page.evaluate(async (traceparent) => {
    await fetch(new Request('/api/a', { headers: { 'x-mine': '1' } }));
    await fetch('/api/b', { headers: [['x-mine', '2']] });
    await fetch('/api/c', { headers: { traceparent } });
  }, theirs);
  await seen(site, (entry) => entry.event_type === 'api_response', 2);
  expect(site.calls.map(({ headers }) => headers['x-mine'])).toEqual(['1', '2', undefined]);
  expect(site.calls[2]?.headers['traceparent']).toBe(theirs);
  expect(site.entries.filter((entry) => entry.extra?.['path'] === '/api/c')).toEqual([]);
});

test('XMLHttpRequest is followed like fetch', async ({ open, site }) => {
  const page = await open();
  await page.evaluate(() => new Promise((done) => {
    const xhr = new XMLHttpRequest();
    xhr.open('put', '/api/xhr');
    xhr.onloadend = done;
    xhr.send('x');
  }));
  const answer = await first(site, 'api_response');
  expect(answer.extra).toMatchObject({ method: 'PUT', path: '/api/xhr', status_code: 200 });
  expect(site.calls[0]?.headers['traceparent']).toContain(answer.context['trace_id']);
});

test('XMLHttpRequest carries trace headers to the page\'s own origin only, and tells failures by their kind', async ({ open, site }) => {
  const page = await open();
  await page.evaluate(async (other) => {
    const send = (url: string, abort = false): Promise<unknown> =>
      new Promise((done) => {
        const xhr = new XMLHttpRequest();
        xhr.open('GET', url);
        xhr.onloadend = done;
        xhr.send();
        if (abort) xhr.abort();
      });
    await send(`${other}/api/stranger`);
    await send('/api/status/500');
    await send('/api/broken');
    await send('/api/changed-mind', true);
  }, site.other);
  const failed = await seen(site, ({ event_type }) => event_type === 'api_error', 3);
  const kinds = failed.map(({ level, extra }) => [extra?.['path'], level, extra?.['status_code'] ?? extra?.['error']]);
  expect(kinds.sort()).toEqual([
    ['/api/broken', 'ERROR', 'NetworkError'],
    ['/api/changed-mind', 'INFO', 'AbortError'],
    ['/api/status/500', 'ERROR', 500],
  ]);
  expect(site.calls.find(({ path }) => path === '/api/stranger')?.headers).not.toHaveProperty('traceparent');
  expect(site.calls.find(({ path }) => path === '/api/status/500')?.headers['traceparent']).toMatch(TRACEPARENT);
});

test('axios is followed once, through its own adapter', async ({ open, site }) => {
  const page = await open();
  await page.evaluate(async () => {
    window.traceAxios(window.axios);
    await window.axios.get('/api/axios', { params: { q: 'x' } });
    await window.axios.get('/api/status/503').catch(() => undefined);
  });
  const failed = await first(site, 'api_error');
  expect(failed).toMatchObject({ level: 'ERROR', extra: { method: 'GET', path: '/api/status/503', status_code: 503 } });
  const told = site.entries.filter((entry) => entry.event_type?.startsWith('api_'));
  expect(told.map((entry) => entry.extra?.['path'])).toEqual(['/api/axios', '/api/status/503']);
  expect(site.calls[0]?.headers['traceparent']).toContain(told[0]?.context['trace_id']);
});

test('failures tell their kind: status, network, abort', async ({ open, site }) => {
  const page = await open();
  await page.evaluate(async () => {
    await fetch('/api/status/404');
    await fetch('/api/broken').catch(() => undefined);
    const controller = new AbortController();
    const pending = fetch('/api/slow', { signal: controller.signal });
    controller.abort();
    await pending.catch(() => undefined);
  });
  const told = await seen(site, (entry) => entry.event_type === 'api_error', 3);
  const by = (path: string) => told.find((entry) => String(entry.extra?.['path']).endsWith(path));
  expect(by('/api/status/404')).toMatchObject({ level: 'WARN', extra: { status_code: 404 } });
  expect(by('/api/broken')).toMatchObject({ level: 'ERROR', extra: { error: 'TypeError' } });
  expect(by('/api/slow')).toMatchObject({ level: 'INFO', extra: { error: 'AbortError' } });
});

test('at debug level a request\'s start is told too, however the page makes it', async ({ open, site }) => {
  const page = await open({ level: 'debug' });
  await page.evaluate(async () => {
    await fetch('/api/by-fetch');
    await new Promise((done) => {
      const xhr = new XMLHttpRequest();
      xhr.open('GET', '/api/by-xhr');
      xhr.onloadend = done;
      xhr.send();
    });
    window.traceAxios(window.axios);
    await window.axios.get('/api/by-axios');
  });
  await seen(site, ({ event_type }) => event_type === 'api_response', 3);
  for (const path of ['/api/by-fetch', '/api/by-xhr', '/api/by-axios']) {
    const of = site.entries.filter(({ extra }) => extra?.['path'] === path);
    expect(of.map(({ event_type, level }) => [event_type, level])).toEqual([['api_request', 'DEBUG'], ['api_response', 'INFO']]);
    expect(of[0]?.context['span_id'], path).toBe(of[1]?.context['span_id']);
  }
});

test('requests tell how much they sent and got, in bytes', async ({ open, site }) => {
  const page = await open();
  await page.evaluate(async () => {
    await fetch('/api/text', { method: 'POST', body: 'gr\u00fcn' });
    await fetch('/api/form', { method: 'POST', body: new URLSearchParams({ a: '1', b: '2' }) });
    await fetch('/api/blob', { method: 'POST', body: new Blob(['12345']) });
    await fetch('/api/bytes', { method: 'POST', body: new Uint8Array(9) });
    await fetch('/api/none');
    await new Promise((done) => {
      const xhr = new XMLHttpRequest();
      xhr.open('POST', '/api/xhr');
      xhr.onloadend = done;
      xhr.send('1234');
    });
    window.traceAxios(window.axios);
    await window.axios.post('/api/axios', { a: 1 });
  });
  const told = await seen(site, ({ event_type }) => event_type === 'api_response', 7);
  const sent = Object.fromEntries(told.map(({ extra }) => [String(extra?.['path']), extra?.['request_bytes']]));
  expect(sent).toEqual({ '/api/text': 5, '/api/form': 7, '/api/blob': 5, '/api/bytes': 9, '/api/none': undefined, '/api/xhr': 4, '/api/axios': 7 });
  // The site's answers say their length.
  expect(new Set(told.map(({ extra }) => extra?.['response_bytes']))).toEqual(new Set([11]));
});

test('a rejected fetch that nobody handles is still an unhandled rejection', async ({ open, site }) => {
  const page = await open();
  await page.evaluate(() => void fetch('/api/broken'));
  const error = await first(site, 'frontend_error');
  expect(error).toMatchObject({ extra: { kind: 'unhandledrejection' }, exception: { type: 'TypeError' } });
});

test('a workflow\'s run tells its steps, and its requests carry its ids', async ({ open, site }) => {
  const page = await open();
  const runId = await page.evaluate(async () => {
    const run = window.logger.workflow('onboarding', { name: 'Onboarding' }).start({ plan: 'gold' });
    run.step('contact');
    await fetch('/api/contact');
    run.step('pay');
    run.fail(new Error('declined', { cause: new Error('no funds') }));
    window.logger.info('after the run');
    return run.runId;
  });
  const failed = await first(site, 'workflow_error');
  const told = site.entries.filter((entry) => entry.context['run_id'] === runId);
  expect(told.map((entry) => [entry.event_type, entry.extra?.['status'], entry.context['step_id']])).toEqual([
    ['workflow_start', undefined, undefined],
    ['workflow_step', 'started', 'contact'],
    ['api_response', undefined, 'contact'],
    ['workflow_step', 'completed', 'contact'],
    ['workflow_step', 'started', 'pay'],
    ['workflow_error', undefined, 'pay'],
  ]);
  expect(failed).toMatchObject({
    context: { workflow_id: 'onboarding' },
    extra: { workflow_name: 'Onboarding', failed_step: 'pay', duration_ms: expect.any(Number) },
    exception: { message: 'declined', chain: ['Error: no funds'] },
  });
});

test('requests of a run carry its ids in baggage, to the page\'s own and to allowed origins, and after the run no more', async ({ open, site }) => {
  const page = await open();
  const runId = await page.evaluate(async (other) => {
    const run = window.logger.workflow('on boarding').start();
    await fetch('/api/mine', { headers: { baggage: 'tier=gold' } });
    await new Promise((done) => {
      const xhr = new XMLHttpRequest();
      xhr.open('GET', '/api/xhr');
      xhr.onloadend = done;
      xhr.send();
    });
    await fetch(`${other}/api/stranger`);
    const headers = run.headers();
    run.complete();
    await fetch('/api/after', { headers: { 'x-handed-out': headers['baggage'] ?? '' } });
    return run.runId;
  }, site.other);
  const ours = `omnify.run_id=${runId},omnify.workflow_id=on%20boarding`;
  const of = (path: string) => site.calls.find((call) => call.path === path)?.headers;
  expect(of('/api/mine')?.['baggage']).toBe(`tier=gold, ${ours}`);
  expect(of('/api/xhr')?.['baggage']).toBe(ours);
  expect(of('/api/stranger')).not.toHaveProperty('baggage');
  expect(of('/api/after')).not.toHaveProperty('baggage');
  expect(of('/api/after')?.['x-handed-out']).toBe(ours);
});
