/** What each tab shows while it waits, where there is nothing, where something fails, and where an answer is a part. */
import type { Page } from '@playwright/test';
import { admin, until } from './server.js';
import { accessible, expect, test } from './test.js';

/** A time before there was anything. */
const LONG_AGO = 'from=946684800000&to=946688400000';

const TABS = [
  { path: '', asks: 'stats', failed: 'The overview could not be loaded', empty: 'No errors in this range' },
  { path: 'logs', asks: 'logs?', failed: 'The logs could not be loaded', empty: 'No lines match' },
  { path: 'workflows', asks: 'workflows', failed: 'Workflows could not be loaded', empty: 'No runs in this range' },
  { path: 'performance', asks: 'performance', failed: 'Performance could not be loaded', empty: 'No requests in this range' },
  { path: 'support', asks: 'client-support', failed: 'The report could not be loaded', empty: 'Nothing is known of u-nobody', more: 'client=u-nobody' },
] as const;

const of = (page: Page, asks: string, answer: Parameters<Page['route']>[1]): Promise<unknown> =>
  page.route((url) => url.pathname.startsWith('/api/admin/') && `${url.pathname}?`.includes(`/api/admin/${asks}`), answer);

for (const tab of TABS) {
  const at = (range: string): string => `/admin/${tab.path}?${range}&${'more' in tab ? tab.more : ''}`;

  test(`${tab.path || 'overview'}: a wait has the shape of what comes, and a failure its name and a way on`, async ({ page }) => {
    let release = (): void => undefined;
    const held = new Promise<void>((done) => {
      release = done;
    });
    await of(page, tab.asks, async (route) => {
      await held;
      await route.fulfill({
        status: 503,
        contentType: 'application/problem+json',
        body: JSON.stringify({ title: 'Broken', detail: 'The store is closed.', code: 'OT0302', request_id: 'r-1' }),
      });
    });
    await page.goto(at('range=1h'));
    await expect(page.locator('.skeleton').first()).toBeVisible();
    await accessible(page);
    release();
    await expect(page.getByRole('alert').filter({ hasText: tab.failed }).first()).toContainText('OT0302 · request r-1');
    await accessible(page);
    await page.unrouteAll({ behavior: 'ignoreErrors' });
    await page.getByRole('alert').filter({ hasText: tab.failed }).first().getByRole('button', { name: 'Try again' }).click();
    await expect(page.getByText(tab.failed)).toHaveCount(0);
  });

  test(`${tab.path || 'overview'}: nothing in the range is said, not left blank`, async ({ page }) => {
    await page.goto(at(LONG_AGO));
    await expect(page.getByText(tab.empty).first()).toBeVisible();
    await accessible(page);
  });
}

test('an answer that is only a part says how far it goes', async ({ page }) => {
  const partial = { reason: 'time', reached: '2026-01-02T03:04:05.000000000Z' };
  await of(page, 'logs?', async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: { ...((await answer.json()) as object), partial } });
  });
  await page.goto('/admin/logs');
  await expect(page.getByText('Not everything was searched: the time budget ended at')).toBeVisible();
  await expect(page.locator('.log-row').first()).toBeVisible();
  await accessible(page);
});

test('every state of a run has its count, its colour, and its list', async ({ page }) => {
  const states = ['active', 'completed', 'failed', 'stalled', 'interrupted'] as const;
  const asked: (string | null)[] = [];
  const run = (status: string) => ({
    run_id: `run-${status}`, workflow_id: 'w', name: `A run that is ${status}`, status, started_at: new Date().toISOString(), ended_at: null,
    duration_ms: 5, trace_id: null, request_id: null, user_id: null, organization_id: null, error: null, steps_total: 2, steps_done: 1, current_step: 'one',
  });
  await of(page, 'workflows', (route) =>
    route.fulfill({ json: { totals: { active: 1, completed: 2, failed: 3, stalled: 4, interrupted: 5 }, workflows: [] } }),
  );
  await of(page, 'runs', (route) => {
    const status = new URL(route.request().url()).searchParams.get('status');
    asked.push(status);
    return route.fulfill({ json: { runs: states.filter((s) => status === null || s === status).map(run), next_cursor: null } });
  });
  await page.goto('/admin/workflows');
  const list = page.getByRole('region', { name: 'Runs' }).locator('tbody tr');
  await expect(list).toHaveCount(5);
  for (const [at, state] of states.entries()) {
    const name = new RegExp(`^${state}`, 'i');
    await expect(page.getByRole('button', { name })).toContainText(String(at + 1));
    await page.getByRole('button', { name }).click();
    await expect(page).toHaveURL(new RegExp(`status=${state}`));
    await expect(list).toHaveCount(1);
    await expect(list.locator('.badge')).toHaveText(state);
  }
  expect(new Set(asked)).toEqual(new Set([null, ...states]));
});

test.describe('in another time zone', () => {
  test.use({ timezoneId: 'Asia/Tokyo' });
  test('times are the reader\'s, and UTC is a hover away', async ({ page }) => {
    const { logs } = await admin<{ logs: { id: string; timestamp: string }[] }>('logs?timeRange=1h&limit=1&eventType=request_complete');
    const line = logs[0];
    if (!line) throw new Error('no line');
    await page.goto(`/admin/logs?range=1h&q=event_type:request_complete&line=${encodeURIComponent(line.id)}`);
    const time = page.locator(`.log-row time[datetime="${line.timestamp}"]`).first();
    const utc = new Date(line.timestamp);
    const tokyo = new Date(utc.getTime() + 9 * 3_600_000);
    await expect(time).toContainText(tokyo.toISOString().slice(11, 19));
    await expect(time).toHaveAttribute('title', new RegExp(utc.toISOString().slice(11, 19)));
    await expect(time).toHaveAttribute('title', /UTC/);
  });
});

test('the live tail moves nothing under the reader', async ({ page }) => {
  await page.goto('/admin/logs?live=1');
  await expect(page.getByText('following')).toBeVisible();
  await expect(page.locator('.log-row').nth(5)).toBeVisible();
  await page.evaluate(() => {
    const moved: number[] = [];
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as (PerformanceEntry & { value: number; hadRecentInput: boolean; sources: { node: Node | null }[] })[]) {
        // New rows come in at the top and push the others down: that is what a tail is. Everything else stays.
        const others = entry.sources.filter(({ node }) => !(node instanceof Element && node.closest('.log-rows')));
        if (!entry.hadRecentInput && others.length > 0) moved.push(entry.value);
      }
    }).observe({ type: 'layout-shift', buffered: false });
    Object.assign(window, { moved });
  });
  const newest = (): Promise<string | null> => page.locator('.log-row time').first().getAttribute('datetime');
  // Three times something new.
  for (let turn = 0; turn < 3; turn++) {
    const before = await newest();
    await until('something new', 60_000, async () => (await newest()) !== before);
  }
  const moved = await page.evaluate(() => (window as never as { moved: number[] }).moved);
  expect(moved.reduce((sum, value) => sum + value, 0)).toBeLessThan(0.02);
});
