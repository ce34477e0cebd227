/** Ways through the other tabs. */
import type { Locator, Page } from '@playwright/test';
import { admin, change, ownError, until, word } from './server.js';
import { expect, test } from './test.js';

test('from a run to its step, its logs and its trace', async ({ page }) => {
  await page.goto('/admin/workflows');
  await page.getByRole('button', { name: /^Completed/ }).click();
  await expect(page).toHaveURL(/status=completed/);
  // Until the answer is there the list shows what it showed before.
  const run = page.getByRole('region', { name: 'Runs' }).locator('tbody tr').first();
  await expect(run).toContainText('completed');
  await run.locator('a').first().click();
  await expect(page).toHaveURL(/\/admin\/runs\//);
  const bars = page.locator('.timeline .bar');
  await expect(bars.nth(2)).toBeVisible();
  // The middle of each, label included, however short the step was.
  for (const bar of await bars.all()) {
    await bar.click();
    await expect(bar).toHaveAttribute('aria-pressed', 'true');
  }
  await expect(page).toHaveURL(/step=/);
  await page.getByRole('link', { name: 'Logs of this run' }).click();
  await expect(page).toHaveURL(/run_id/);
  await expect(page.locator('.log-row').first()).toBeVisible();
  await page.goBack();
  await page.getByRole('link', { name: 'Trace', exact: true }).click();
  await expect(page.locator('.wf-row').nth(2)).toBeVisible();
});

test('a support report has evidence that leads to lines, and can be downloaded', async ({ page }) => {
  await page.goto('/admin/support');
  const users = page.getByRole('region', { name: 'Users with errors' });
  await expect(users.getByRole('link').first()).toBeVisible({ timeout: 40_000 });
  const name = (await users.getByRole('link').first().textContent()) ?? '';
  await page.getByLabel('User or organization').fill(name);
  await page.getByRole('button', { name: 'Look up' }).click();
  await expect(page.getByRole('region', { name: 'Probable cause' })).toBeVisible();
  await expect(page.getByRole('region', { name: 'Timeline' }).locator('li').first()).toBeVisible();
  for (const [button, ending] of [['Markdown', 'md'], ['HTML', 'html'], ['JSON', 'json']] as const) {
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: button, exact: true }).click()]);
    expect(download.suggestedFilename()).toBe(`support-${name.replace(/[^\w.-]/g, '_')}.${ending}`);
  }
  // Of a customer of its own there is an error, so there is evidence.
  const { user } = await ownError();
  await page.goto(`/admin/support?range=1h&client=${user}`);
  await page.getByRole('region', { name: 'Probable cause' }).getByRole('link', { name: 'line 1', exact: true }).click();
  await expect(page.getByRole('complementary', { name: 'Line details' })).toContainText(user);
});

test('an error group is decided about, and stays so', async ({ page }) => {
  const { fingerprint } = await ownError();
  await page.goto(`/admin/errors/${fingerprint}`);
  await page.getByLabel('Ticket').fill('https://tracker.example/OPS-7');
  await page.getByLabel('Note').fill('known, mended next week');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByRole('link', { name: 'open' })).toHaveAttribute('href', 'https://tracker.example/OPS-7');
  await page.getByRole('button', { name: 'Ignored' }).click();
  await expect(page.getByRole('button', { name: 'Ignored' })).toHaveAttribute('aria-pressed', 'true');
  await page.reload();
  await expect(page.getByRole('button', { name: 'Ignored' })).toHaveAttribute('aria-pressed', 'true');
  await expect(page.getByLabel('Note')).toHaveValue('known, mended next week');
});

test('an open alert is on the overview, leads to its lines, and can be silenced', async ({ page }) => {
  // A rule of its own, about what there is for sure: it fires at the next round, and stays so.
  const name = `Somebody logs ${word()}`;
  const rule = await change<{ id: string; search: string }>('POST', 'alerts', { name, kind: 'count', search: 'event_type:request_complete', threshold: 1, window: '1h' });
  await until('the alert fires', 60_000, async () => (await admin<{ alerts: { id: string; status: string }[] }>('alerts')).alerts.some((a) => a.id === rule.id && a.status === 'firing'));
  await page.goto('/admin/');
  const card = page.getByRole('region', { name: 'Open alerts' });
  const row = card.getByRole('listitem').filter({ hasText: name });
  await expect(row).toContainText(/since/);
  await row.getByRole('button', { name: /^Silence/ }).click();
  await expect(row).toContainText(/silent until/);
  await row.getByRole('button', { name: /^Unsilence/ }).click();
  await expect(row).toContainText(/since/);
  await row.getByRole('link').click();
  await expect(page.getByRole('combobox', { name: 'Search logs' })).toHaveValue(rule.search);
  await change('DELETE', `alerts/${rule.id}`);
});

test('what changed is of the last hour, whatever range the charts show', async ({ page }) => {
  const asked: string[] = [];
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.pathname.endsWith('/api/admin/stats')) asked.push(url.searchParams.get('timeRange') ?? '');
  });
  await page.goto('/admin/?range=15m');
  const changed = page.getByRole('region', { name: 'What changed' });
  await expect(changed.getByRole('listitem').first().or(changed.getByText('Nothing unusual'))).toBeVisible();
  await expect.poll(() => new Set(asked).size).toBe(2);
  expect(new Set(asked)).toEqual(new Set(['15m', '1h']));
});

test('a support report lets one decide about its errors', async ({ page }) => {
  const { user, message } = await ownError();
  await page.goto(`/admin/support?range=1h&client=${user}`);
  const issue = page.getByRole('region', { name: 'Issue' });
  await expect(issue.getByRole('link', { name: message })).toBeVisible();
  await issue.getByLabel('Note').fill('told the customer');
  await issue.getByRole('button', { name: 'Save' }).click();
  await expect(issue).toContainText('changed by');
  await expect(issue.getByLabel('Note')).toHaveValue('told the customer');
});

test('a trace is one step away from wherever its id is known', async ({ page }) => {
  const { user, fingerprint, trace } = await ownError();
  const there = new RegExp(`/admin/trace/${trace}`);
  const leads = async (from: string, way: (page: Page) => Locator): Promise<void> => {
    await page.goto(`/admin/${from}`);
    await way(page).first().click();
    await expect(page, `from ${from}`).toHaveURL(there);
    await expect(page.getByRole('region', { name: 'What happened, in order' }).locator('li').first()).toBeVisible();
  };
  await leads(`errors/${fingerprint}`, (p) => p.getByRole('link', { name: 'Trace of the latest' }));
  await leads(`errors/${fingerprint}`, (p) => p.getByRole('region', { name: 'Occurrences' }).getByRole('link', { name: 'View its trace' }));
  await leads(`support?range=1h&client=${user}`, (p) => p.getByRole('region', { name: 'Timeline' }).getByRole('link', { name: 'View its trace' }));
  await leads(`logs?range=1h&q=trace_id:${trace}`, (p) => p.getByRole('link', { name: 'Show everything it caused, in order' }));
  await leads(`logs?range=1h&q=trace_id:${trace}&cols=timestamp,message,context.trace_id`, (p) => p.locator('.log-row').getByRole('link', { name: trace }));
  const { logs } = await admin<{ logs: { id: string }[] }>(`logs?traceId=${trace}&timeRange=1h&limit=1`);
  const line = `logs?range=1h&q=trace_id:${trace}&line=${encodeURIComponent(logs[0]?.id ?? '')}`;
  const drawer = (p: Page): Locator => p.getByRole('complementary', { name: 'Line details' });
  await leads(line, (p) => drawer(p).getByRole('link', { name: 'View trace' }));
  await leads(line, (p) => drawer(p).getByRole('link', { name: trace }));
  await page.goto('/admin/');
  // A key is heard once the page is there, which is later than its document.
  await expect(page.getByRole('heading', { name: 'Overview', level: 1 })).toBeVisible();
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox', { name: 'Command, id or search' }).fill(trace);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(there);
});

test('performance is compared with the time before, and says when there is none', async ({ page }) => {
  // Two spans of time that both have requests, as soon as the demo has run for a while.
  const span = 15_000;
  const to = await until('requests before and after', 90_000, async () => {
    const now = Date.now();
    const of = async (from: number): Promise<number> =>
      (await admin<{ routes: unknown[] }>(`performance?from=${from}&to=${from + span}`)).routes.length;
    return (await of(now - span)) > 0 && (await of(now - 2 * span)) > 0 && now;
  });
  await page.goto(`/admin/performance?from=${to - span}&to=${to}&compare=1`);
  await expect(page.getByRole('region', { name: 'Routes' }).locator('.delta').first()).toBeVisible();
  await page.goto('/admin/performance?range=7d&compare=1');
  await expect(page.getByText('nothing to compare with')).toBeVisible();
});

test('the range goes along from tab to tab', async ({ page }) => {
  await page.goto('/admin/?range=15m');
  for (const tab of ['Logs', 'Workflows', 'Performance', 'Support', 'Overview']) {
    await page.getByRole('navigation', { name: 'Tabs' }).getByRole('link', { name: tab }).click();
    await expect(page).toHaveURL(/range=15m/);
    await expect(page.getByLabel('Time range')).toHaveValue('15m');
  }
});

test('a chosen theme stays, without a flash', async ({ page }) => {
  await page.goto('/admin/');
  await page.getByRole('button', { name: /^Theme: system/ }).click();
  await page.getByRole('button', { name: /^Theme: light/ }).click();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await page.reload({ waitUntil: 'commit' });
  await page.waitForSelector('#root', { state: 'attached' });
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
});

test('live data moves nothing on the overview', async ({ page }) => {
  await page.goto('/admin/');
  await expect(page.locator('.uplot canvas').first()).toBeVisible();
  const shift = await page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        let sum = 0;
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries() as (PerformanceEntry & { value: number; hadRecentInput: boolean })[]) {
            if (!entry.hadRecentInput) sum += entry.value;
          }
        }).observe({ type: 'layout-shift', buffered: true });
        // Two rounds of fresh numbers.
        setTimeout(() => resolve(sum), 11_000);
      }),
  );
  expect(shift).toBeLessThan(0.02);
});

test('the customer page reports a script error and a broken component with a reference', async ({ page, complaints }) => {
  await page.goto('/');
  await page.waitForFunction(() => document.documentElement.dataset.trace === 'started');
  await page.getByTestId('js-error').click();
  await expect(page.getByTestId('reference').first()).not.toBeEmpty();
  await page.getByTestId('render-error').click();
  await expect(page.getByRole('alert')).toContainText('This part of the page failed');
  await page.getByLabel('What did you do just before?').fill('I picked a plan.');
  await page.getByRole('button', { name: 'Report a problem' }).click();
  await expect(page.getByText('The report is on its way.')).toBeVisible();
  // Both were meant to be thrown.
  const thrown = complaints.splice(0).filter((c) => !/reading 'invoice'|plan picker/.test(c));
  expect(thrown).toEqual([]);
  await until('the script error is in the store', 20_000, async () => {
    const { logs } = await admin<{ logs: unknown[] }>(`logs?timeRange=15m&eventType=frontend_error&search=${encodeURIComponent('invoice')}`);
    return logs.length > 0;
  });
});

test('the dashboard logs itself', async ({ page }) => {
  await page.goto('/admin/workflows');
  await page.getByRole('button', { name: /^Failed/ }).click();
  await until('the dashboard’s own click is in the store', 20_000, async () => {
    const { logs } = await admin<{ logs: unknown[] }>('logs?timeRange=15m&eventType=user_action&target=dashboard');
    return logs.length > 0;
  });
});
