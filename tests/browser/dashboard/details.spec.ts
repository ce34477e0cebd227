/** Details that other flows pass by: links, sorting, one route over time, what a step did, print. */
import { readFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { admin, base, ownError, send, until, word } from './server.js';
import { expect, test } from './test.js';

test('the link of a line is what is copied, with the lines around it', async ({ page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.goto('/admin/logs?q=event_type:request_complete&live=1');
  await page.locator('.log-row').first().click();
  const drawer = page.getByRole('complementary', { name: 'Line details' });
  await drawer.getByRole('button', { name: '±5', exact: true }).click();
  await expect(page).toHaveURL(/around=5/);
  const line = new URL(page.url()).searchParams.get('line');
  await drawer.getByRole('button', { name: 'Copy a link to this line' }).click();
  const copied = await until('the link', 10_000, () => page.evaluate(() => navigator.clipboard.readText()));
  const params = new URL(copied).searchParams;
  expect([params.get('line'), params.get('around'), params.get('live')]).toEqual([line, '5', null]);
  await page.goto(copied);
  await expect(drawer.locator('.around [aria-current="true"]')).toBeVisible();
});

test('what matches can be taken along as a table too', async ({ page }) => {
  await page.goto('/admin/logs?q=event_type:request_start');
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'CSV' }).click()]);
  expect(download.suggestedFilename()).toMatch(/\.csv$/);
  const [head, first] = readFileSync(await download.path(), 'utf8').split('\n');
  expect(head).toContain('timestamp');
  expect(first).toContain('request_start');
});

test('only the rows in view exist', async ({ page }) => {
  // Enough lines: the tail of the whole hour, page after page.
  await until('many lines', 120_000, async () => (await admin<{ total: number }>('stats?timeRange=1h')).total > 400);
  await page.goto('/admin/logs?range=1h');
  await expect(page.locator('.log-row').nth(10)).toBeVisible();
  const table = page.locator('.log-table');
  await table.evaluate((element) => element.scrollTo({ top: element.scrollHeight }));
  await expect(page.locator('.table-foot')).not.toContainText(/^200 lines/);
  expect(await page.locator('.log-row').count()).toBeLessThan(90);
});

test('a table\'s order is part of the address', async ({ page }) => {
  await page.goto('/admin/performance?range=1h');
  const routes = page.getByRole('region', { name: 'Routes' });
  const head = (name: string) => routes.getByRole('columnheader', { name });
  await expect(head('p95')).toHaveAttribute('aria-sort', 'descending');
  await head('Count').getByRole('button').click();
  await head('Count').getByRole('button').click();
  await expect(page).toHaveURL(/sort-routes=Count/);
  await page.reload();
  await expect(head('Count')).toHaveAttribute('aria-sort', 'ascending');
  const counts = (await routes.locator('tbody tr td:nth-child(2)').allTextContents()).map((text) => Number(text.replace(/\D/g, '')));
  expect(counts).toEqual([...counts].sort((a, b) => a - b));
});

test('one route\'s percentiles over time', async ({ page }) => {
  await fetch(`${base()}/api/customers`);
  const route = await until('a route', 60_000, async () => (await admin<{ routes: { method: string; route: string }[] }>('performance?timeRange=1h')).routes.find((r) => r.route));
  const name = `${route.method} ${route.route}`;
  await page.goto('/admin/performance?range=1h');
  const asked = page.waitForRequest((request) => new URL(request.url()).searchParams.get('route') === route.route);
  await page.getByRole('combobox', { name: 'Route' }).selectOption(name);
  await asked;
  await expect(page.getByLabel(`Latency percentiles of ${name} over time`).first()).toBeAttached();
  expect(new URL(page.url()).searchParams.get('route')).toBe(name);
  await page.reload();
  await expect(page.getByRole('combobox', { name: 'Route' })).toHaveValue(name);
  await page.getByRole('button', { name: `Percentiles of ${name} over time` }).click();
  await expect(page.getByRole('combobox', { name: 'Route' })).toHaveValue('');
});

test('a run shows its critical path, its attempts, and what its agents used', async ({ page }) => {
  interface Run {
    run_id: string;
    steps: { step_id: string; name: string; critical: boolean; lane: number; calls: { kind: string; input_tokens: number | null; cost_usd: number | null }[] }[];
  }
  const run = await until('a run with agents', 120_000, async () => {
    const { runs } = await admin<{ runs: Run[] }>('runs?timeRange=1h&status=completed&limit=20');
    for (const { run_id } of runs) {
      const whole = await admin<Run>(`runs/${run_id}`);
      if (whole.steps.some((s) => s.calls.some((c) => c.kind === 'agent' && c.input_tokens !== null && c.cost_usd !== null))) return whole;
    }
    return null;
  });
  const step = run.steps.find((s) => s.calls.some((c) => c.kind === 'agent' && c.cost_usd !== null));
  await page.goto(`/admin/runs/${run.run_id}?step=${encodeURIComponent(step?.step_id ?? '')}`);
  await expect(page.locator('.timeline .critical')).toHaveCount(run.steps.filter((s) => s.critical).length);
  expect(run.steps.some((s) => s.critical)).toBe(true);
  // Steps at the same time lie below each other.
  const tops = await page.locator('.timeline .bar .main').evaluateAll((bars) => bars.map((bar) => bar.getAttribute('y')));
  const boxes = await page.locator('.timeline .bar .main').evaluateAll((bars) => bars.map((bar) => bar.getBoundingClientRect().toJSON() as DOMRect));
  for (const [i, a] of boxes.entries()) {
    for (const b of boxes.slice(i + 1)) {
      const apart = a.right <= b.left + 1 || b.right <= a.left + 1 || a.bottom <= b.top || b.bottom <= a.top;
      expect(apart, `bars do not cover each other (${tops.join(', ')})`).toBe(true);
    }
  }
  // An attempt that failed before it used any tokens may stand above it.
  const calls = page.getByRole('region', { name: 'Calls of this step' });
  const call = calls.locator('tbody tr', { hasText: 'Agent' }).filter({ hasText: /\d+ \/ \d+/ }).first();
  await expect(call).toContainText('$');
});

test('the calls of a step that was tried again tell which attempt made them', async ({ page }) => {
  interface Step {
    step_id: string;
    attempts: number;
    calls: { step_attempt: number }[];
  }
  const tried = await until('a step that was tried again', 120_000, async () => {
    const { runs } = await admin<{ runs: { run_id: string }[] }>('runs?timeRange=1h&limit=50');
    for (const { run_id } of runs) {
      const { status, steps } = await admin<{ status: string; steps: Step[] }>(`runs/${run_id}`);
      const step = steps.find((s) => s.attempts > 1 && s.calls.some((c) => c.step_attempt > 1));
      if (step && (status === 'completed' || status === 'failed')) return { run_id, step };
    }
    return null;
  });
  const { run_id, step } = tried;
  await page.goto(`/admin/runs/${run_id}?step=${encodeURIComponent(step.step_id)}`);
  const calls = page.getByRole('region', { name: 'Calls of this step' });
  await expect(calls.locator('thead')).toContainText('Attempt');
  const column = (await calls.locator('thead th').allInnerTexts()).indexOf('Attempt');
  await expect(calls.locator(`tbody tr td:nth-child(${column + 1})`)).toHaveText(
    step.calls.map((call) => new RegExp(`^${call.step_attempt}( try \\d+)?$`)),
  );
});

test('slow requests and queries lead to their trace', async ({ page }) => {
  for (const [event, title] of [['slow_request', 'Slow requests'], ['slow_query', 'Slow queries']] as const) {
    const found = await until(event, 120_000, async () => (await admin<{ logs: { context?: { trace_id?: string } }[] }>(`logs?timeRange=1h&eventType=${event}&limit=1`)).logs[0]);
    await page.goto('/admin/performance?range=1h');
    const row = page.getByRole('region', { name: title }).locator('tbody tr').first();
    await expect(row).toContainText(/ms|s/);
    await row.getByRole('link').click();
    await expect(page).toHaveURL(found.context?.trace_id ? /\/admin\/(trace\/|logs\?)/ : /line=/);
  }
});

test('a reference that a customer reads out leads to their error, however they say it', async ({ page }) => {
  const reference = `7${word().slice(0, 3)}-9${word().slice(0, 3)}`.toUpperCase().replace(/[ILOU]/g, 'X');
  const message = `The ${word()} lamp is out`;
  const entry = {
    timestamp: new Date().toISOString(),
    level: 'ERROR',
    message,
    event_type: 'frontend_error',
    target: 'end-to-end',
    context: { trace_id: randomBytes(16).toString('hex') },
    extra: { reference, kind: 'captured' },
  };
  const sent = await send(entry);
  expect(sent.status).toBe(202);
  await until('the line', 60_000, async () => (await admin<{ logs: unknown[] }>(`logs?timeRange=1h&search=reference:${reference}`)).logs.length > 0);
  await page.goto('/admin/support?range=5m');
  await page.getByRole('searchbox', { name: 'Search everything' }).fill(` ${reference.toLowerCase()} `);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/range=7d/);
  await expect(page.locator('.log-row')).toHaveCount(1);
  await expect(page.locator('.log-row')).toContainText(message);
});

test('an organization is looked up like a person, and the report is printed without what is not of it', async ({ page }) => {
  const org = `org-${word()}`;
  const trace = randomBytes(16).toString('hex');
  const entry = { timestamp: new Date().toISOString(), level: 'ERROR', message: `${org} cannot pay`, event_type: 'frontend_error', target: 'end-to-end', context: { organization_id: org, trace_id: trace }, exception: { type: `${word()}Error`, message: 'declined' } };
  await send(entry);
  await until('the line', 60_000, async () => (await admin<{ logs: unknown[] }>(`logs?timeRange=1h&organizationId=${org}`)).logs.length > 0);
  await page.addInitScript(() => {
    window.print = () => document.documentElement.setAttribute('data-printed', 'yes');
  });
  await page.goto('/admin/support?range=1h');
  await page.getByLabel('User or organization').fill(org);
  await page.getByRole('button', { name: 'Look up' }).click();
  await expect(page.getByRole('heading', { name: org })).toBeVisible();
  await expect(page.locator('.page-head .badge', { hasText: 'organization' })).toBeVisible();
  await page.getByRole('button', { name: 'Print' }).click();
  await expect(page.locator('html')).toHaveAttribute('data-printed', 'yes');
  await page.emulateMedia({ media: 'print' });
  await expect(page.getByRole('region', { name: 'Probable cause' })).toBeVisible();
  await expect(page.getByRole('region', { name: 'Timeline' })).toContainText('cannot pay');
  for (const left of [page.getByRole('search', { name: 'Client lookup' }), page.getByRole('navigation', { name: 'Tabs' }), page.getByRole('button', { name: 'Print' })]) {
    await expect(left).toBeHidden();
  }
});

test('which error group of a report is shown is part of the address', async ({ page }) => {
  const { user, fingerprint } = await ownError();
  await page.goto(`/admin/support?range=1h&client=${user}&group=${fingerprint}`);
  await expect(page.getByRole('region', { name: 'Issue' })).toBeVisible();
});
