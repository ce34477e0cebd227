/** Every tab: real data, accessible, in both themes, on a phone and on a wall. Screenshots to look at. */
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { admin, until } from './server.js';
import { accessible, expect, noSidewaysScroll, SHOTS, test } from './test.js';

interface View {
  name: string;
  path: () => Promise<string> | string;
  /** What proves that real data is there. */
  shows: (page: Page) => Promise<void>;
}

interface Runs {
  runs: { run_id: string; status: string; trace_id: string; user_id: string | null }[];
}

const completed = (): Promise<Runs['runs'][number]> =>
  until('a completed run', 60_000, async () => (await admin<Runs>('runs?timeRange=1h&status=completed')).runs[0]);

const errorGroup = (): Promise<{ fingerprint: string }> =>
  until('an error group', 60_000, async () => (await admin<{ errors: { fingerprint: string }[] }>('errors?timeRange=1h')).errors[0]);

/** Somebody whom something happened to. */
const customer = (): Promise<string> =>
  until('a customer', 60_000, async () => {
    const { facets } = await admin<{ facets: { values: { value: string }[] }[] }>('logs/facets?fields=context.user_id&timeRange=1h');
    return facets[0]?.values[0]?.value;
  });

const VIEWS: View[] = [
  {
    name: 'overview',
    path: () => '',
    shows: async (page) => {
      await expect(page.locator('.kpi', { hasText: 'Throughput' }).locator('.value')).not.toHaveText(/^0(\.0)?req/);
      await expect(page.locator('.uplot canvas').first()).toBeVisible();
      await expect(page.getByRole('region', { name: 'Health' }).getByText(/store/i).first()).toBeVisible();
    },
  },
  {
    name: 'logs',
    path: () => 'logs',
    shows: async (page) => {
      await expect.poll(() => page.locator('.log-row').count()).toBeGreaterThan(10);
      await expect(page.locator('.histogram rect').first()).toBeVisible();
    },
  },
  {
    name: 'logs-details',
    path: async () => {
      const id = await until('a line', 60_000, async () => (await admin<{ logs: { id: string }[] }>('logs?timeRange=1h&eventType=request_complete&limit=1')).logs[0]?.id);
      return `logs?q=event_type:request_complete&line=${encodeURIComponent(id)}`;
    },
    shows: async (page) => {
      const drawer = page.getByRole('complementary', { name: 'Line details' });
      await expect(drawer.getByText('request_complete').first()).toBeVisible();
      await expect(drawer.getByRole('link', { name: 'View trace' })).toBeVisible();
    },
  },
  {
    name: 'workflows',
    path: () => 'workflows',
    shows: async (page) => {
      await expect(page.locator('.wf-list li').first()).toBeVisible();
      await expect(page.getByRole('region', { name: 'Runs' }).locator('tbody tr').first()).toBeVisible();
    },
  },
  {
    name: 'run',
    path: async () => `runs/${(await completed()).run_id}`,
    shows: async (page) => {
      await expect.poll(() => page.locator('.timeline .bar').count()).toBeGreaterThan(1);
      await expect(page.getByText(/Tokens in/).first()).toBeVisible();
    },
  },
  {
    name: 'trace',
    path: async () => `trace/${(await completed()).trace_id}`,
    shows: async (page) => {
      await expect.poll(() => page.locator('.wf-bar').count()).toBeGreaterThan(2);
      await expect(page.locator('.story li').first()).toBeVisible();
    },
  },
  {
    name: 'performance',
    path: () => 'performance?compare=1',
    shows: async (page) => {
      await expect(page.getByRole('region', { name: 'Routes' }).locator('tbody tr').first()).toBeVisible();
      await expect(page.getByRole('region', { name: 'Web vitals' }).getByText('LCP')).toBeVisible();
      await expect(page.getByRole('region', { name: 'External APIs' }).locator('tbody tr').first()).toBeVisible();
    },
  },
  { name: 'support', path: () => 'support', shows: async (page) => expect(page.getByText('Look up a customer')).toBeVisible() },
  {
    name: 'support-report',
    path: async () => `support?client=${encodeURIComponent(await customer())}&issue=It+does+not+work`,
    shows: async (page) => {
      await expect(page.getByRole('region', { name: 'Probable cause' })).toBeVisible();
      await expect(page.locator('.story li').first()).toBeVisible();
    },
  },
  {
    name: 'error',
    path: async () => `errors/${(await errorGroup()).fingerprint}`,
    shows: async (page) => {
      await expect(page.getByRole('region', { name: 'Occurrences' }).locator('li').first()).toBeVisible();
      await expect(page.getByRole('group', { name: 'State of the issue' })).toBeVisible();
    },
  },
];

for (const view of VIEWS) {
  for (const theme of ['light', 'dark'] as const) {
    test.describe(theme, () => {
      test.use({ colorScheme: theme });
      test(`${view.name} shows real data and is accessible`, async ({ page }) => {
        await page.goto(`/admin/${await view.path()}`);
        await view.shows(page);
        await noSidewaysScroll(page);
        await page.screenshot({ path: join(SHOTS, `${view.name}-${theme}.png`) });
        await accessible(page);
      });
    });
  }
  test.describe('sizes', () => {
    test(`${view.name} fits a phone and a wall`, async ({ page }) => {
      await page.setViewportSize({ width: 360, height: 740 });
      await page.goto(`/admin/${await view.path()}`);
      await view.shows(page);
      await noSidewaysScroll(page);
      await page.screenshot({ path: join(SHOTS, `${view.name}-360.png`) });
      await page.setViewportSize({ width: 3840, height: 2160 });
      await view.shows(page);
      await noSidewaysScroll(page);
      await page.screenshot({ path: join(SHOTS, `${view.name}-4k.png`) });
    });
  });
}

test.describe('before login', () => {
  test.use({ storageState: { cookies: [], origins: [] } });
  test('the login is accessible, tells what is wrong, and lets the right token in', async ({ page }) => {
    const { TOKEN } = await import('./server.js');
    await page.goto('/admin/logs?q=level:ERROR');
    await expect(page.getByLabel('Admin token')).toBeVisible();
    await page.screenshot({ path: join(SHOTS, 'login.png') });
    await accessible(page);
    await page.getByLabel('Admin token').fill('wrong');
    await page.getByRole('button', { name: 'Log in' }).click();
    await expect(page.getByRole('alert')).toContainText('not right');
    await page.getByLabel('Admin token').fill(TOKEN);
    await page.getByRole('button', { name: 'Log in' }).click();
    // Where one wanted to go.
    await expect(page.getByRole('combobox', { name: 'Search logs' })).toHaveValue('level:ERROR');
    await page.getByRole('button', { name: /^Log out/ }).click();
    await expect(page.getByLabel('Admin token')).toBeVisible();
  });
});

test('the customer page is accessible', async ({ page }) => {
  await page.goto('/');
  await expect(page.getByTestId('start-run')).toBeVisible();
  await page.screenshot({ path: join(SHOTS, 'customer.png') });
  await accessible(page);
});
