/** What one does on the Logs tab. */
import { readFileSync } from 'node:fs';
import type { Page } from '@playwright/test';
import { base } from './server.js';
import { accessible, expect, test } from './test.js';

const rows = (page: Page) => page.locator('.log-row');
const bar = (page: Page) => page.getByRole('combobox', { name: 'Search logs' });
const drawer = (page: Page) => page.getByRole('complementary', { name: 'Line details' });
const query = (page: Page): string => new URL(page.url()).searchParams.get('q') ?? '';

test('terms are completed by fields and by values that are there', async ({ page }) => {
  await page.goto('/admin/logs');
  await expect(rows(page).first()).toBeVisible();
  await bar(page).pressSequentially('event_t');
  await expect(page.getByRole('option', { name: /event_type:/ })).toBeVisible();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect(bar(page)).toHaveValue('event_type:');
  await bar(page).pressSequentially('request_st');
  await page.getByRole('option', { name: /request_start/ }).click();
  await page.keyboard.press('Enter');
  await expect.poll(() => query(page)).toBe('event_type:request_start');
  await expect(rows(page).first().locator('.cell-event_type')).toHaveText('request_start');
});

test('a field of a line narrows or excludes; its top values are counted', async ({ page }) => {
  await page.goto('/admin/logs?q=event_type:request_complete');
  await rows(page).first().click();
  const row = drawer(page).locator('.field-row', { has: page.locator('dt', { hasText: /^method$/ }) });
  await row.hover();
  await row.getByRole('button', { name: 'Top values of method' }).click();
  await expect(row.locator('.top-values li').first()).toContainText(/GET|POST/);
  const value = (await row.locator('.value').textContent()) ?? '';
  await row.getByRole('button', { name: 'Only lines with this method' }).click();
  await expect.poll(() => query(page)).toBe(`event_type:request_complete extra.method:${value}`);
  await row.getByRole('button', { name: 'No lines with this method' }).click();
  await expect.poll(() => query(page)).toBe(`event_type:request_complete -extra.method:${value}`);
  await accessible(page);
});

test('a line shows what happened around it, and its link leads back to it', async ({ page }) => {
  await page.goto('/admin/logs?q=event_type:request_complete');
  await rows(page).first().click();
  await expect(drawer(page)).toBeVisible();
  await expect(page).toHaveURL(/line=/);
  await drawer(page).getByRole('button', { name: '±5', exact: true }).click();
  await expect(drawer(page).locator('.around [aria-current="true"]')).toBeVisible();
  const message = await drawer(page).locator('.drawer-message').textContent();
  await page.goto(page.url());
  await expect(drawer(page).locator('.drawer-message')).toHaveText(message ?? '');
});

test('brushing the histogram zooms, and going back undoes it', async ({ page }) => {
  await page.goto('/admin/logs?range=15m');
  await expect(rows(page).first()).toBeVisible();
  await expect(page.locator('.histogram rect').first()).toBeVisible();
  const box = await page.locator('.histogram-box').boundingBox();
  if (!box) throw new Error('no histogram');
  await page.mouse.move(box.x + box.width * 0.5, box.y + 20);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.98, box.y + 20, { steps: 5 });
  await page.mouse.up();
  await expect(page).toHaveURL(/from=\d+&to=\d+|to=\d+.*from=\d+/);
  const zoomed = new URL(page.url()).searchParams;
  const length = Number(zoomed.get('to')) - Number(zoomed.get('from'));
  expect(length).toBeGreaterThan(6 * 60_000);
  expect(length).toBeLessThan(9 * 60_000);
  await page.goBack();
  await expect(page).toHaveURL(/range=15m/);
});

test('keys: / searches, j and k walk, Esc closes, ? helps, Ctrl K goes anywhere', async ({ page }) => {
  await page.goto('/admin/logs');
  await expect(rows(page).nth(3)).toBeVisible();
  await page.keyboard.press('/');
  await expect(bar(page)).toBeFocused();
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  await expect(bar(page)).not.toBeFocused();
  const chosen = (): string | null => new URL(page.url()).searchParams.get('line');
  await page.keyboard.press('j');
  await expect.poll(chosen).not.toBeNull();
  const first = chosen();
  await page.keyboard.press('j');
  await expect.poll(chosen).not.toBe(first);
  await page.keyboard.press('k');
  await expect.poll(chosen).toBe(first);
  await page.keyboard.press('Escape');
  await expect(drawer(page)).toBeHidden();
  await page.keyboard.press('?');
  await expect(page.getByRole('dialog', { name: 'Help' })).toBeVisible();
  await accessible(page);
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toBeHidden();
  // As on a Mac, and as anywhere else.
  for (const key of ['Meta+k', 'Control+k']) {
    await page.keyboard.press('Escape');
    await expect(page.getByRole('dialog')).toBeHidden();
    await page.keyboard.press(key);
    await expect(page.getByRole('dialog', { name: 'Go anywhere' })).toBeVisible();
  }
  await accessible(page);
  await page.keyboard.type('perf');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/admin\/performance/);
});

test('the live tail follows, pauses while one reads, and goes on', async ({ page }) => {
  await page.goto('/admin/logs?live=1');
  await expect(page.getByText('following')).toBeVisible();
  const newest = () => rows(page).first().locator('time').getAttribute('datetime');
  const before = await newest();
  await fetch(`${base()}/api/customers`);
  await expect.poll(newest).not.toBe(before);
  const table = page.locator('.log-table');
  // A fresh server has few lines at first.
  await expect.poll(() => table.evaluate(({ scrollHeight, clientHeight }) => scrollHeight - clientHeight)).toBeGreaterThan(60);
  await table.evaluate((element) => element.scrollTo({ top: 60 }));
  await expect(page.getByText('paused while you read')).toBeVisible();
  await fetch(`${base()}/api/customers`);
  const button = page.getByRole('button', { name: /new lines?$/ });
  await expect(button).toBeVisible();
  await button.click();
  await expect(page.getByText('following')).toBeVisible();
});

test('what matches can be taken along', async ({ page }) => {
  await page.goto('/admin/logs?q=event_type:request_start');
  await expect(rows(page).first()).toBeVisible();
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'NDJSON' }).click()]);
  const lines = readFileSync(await download.path(), 'utf8').trim().split('\n');
  expect(lines.length).toBeGreaterThan(0);
  for (const line of lines) expect((JSON.parse(line) as { event_type: string }).event_type).toBe('request_start');
});

test('columns are chosen, and are part of the address', async ({ page }) => {
  await page.goto('/admin/logs?q=event_type:request_complete');
  await page.getByRole('button', { name: 'Columns' }).click();
  await page.getByRole('menuitemcheckbox', { name: 'request_id' }).click();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('columnheader', { name: 'request_id' })).toBeVisible();
  await page.reload();
  await expect(page.getByRole('columnheader', { name: 'request_id' })).toBeVisible();
});

test('no match, a broken query and a server that fails are told, not blank', async ({ page }) => {
  await page.goto('/admin/logs?q=nothing-has-this-word-zzzz');
  await expect(page.getByText('No lines match')).toBeVisible();
  await accessible(page);
  await bar(page).fill('"half a quote');
  await page.keyboard.press('Enter');
  await expect(page.locator('.query-note')).toBeVisible();
  await page.route('**/api/admin/logs?**', (route) => route.fulfill({ status: 500, contentType: 'application/problem+json', body: JSON.stringify({ title: 'Broken', detail: 'The store is closed.', code: 'OT0302', request_id: 'r-1' }) }));
  await page.goto('/admin/logs?q=another');
  await expect(page.getByRole('alert').getByText('The logs could not be loaded')).toBeVisible();
  await expect(page.getByText('OT0302 · request r-1')).toBeVisible();
  await page.unroute('**/api/admin/logs?**');
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByRole('alert')).toBeHidden();
});
