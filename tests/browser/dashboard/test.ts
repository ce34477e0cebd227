/** Playwright's test with the server's address, and with eyes for what a page complains about. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test as plain, expect, type Page } from '@playwright/test';
import type { AxeResults } from 'axe-core';
import { base } from './server.js';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core'), 'utf8');
export const SHOTS = join(import.meta.dirname, '../../artifacts/screenshots');

export const test = plain.extend<{ complaints: string[] }>({
  baseURL: async ({}, use) => use(base()),
  complaints: [
    async ({ page }, use) => {
      const complaints: string[] = [];
      page.on('console', (message) => {
        if (/Content Security Policy|Refused to/.test(message.text())) complaints.push(message.text());
      });
      page.on('pageerror', (error) => complaints.push(String(error.stack ?? error)));
      await use(complaints);
      expect(complaints, 'the page broke its security policy or threw').toEqual([]);
    },
    { auto: true },
  ],
});

/** No violation of any rule that axe knows. */
export async function accessible(page: Page): Promise<void> {
  await page.evaluate(AXE);
  const results = await page.evaluate(
    () => (globalThis as unknown as { axe: { run: (options: object) => Promise<AxeResults> } }).axe.run({ resultTypes: ['violations'] }),
  );
  const told = results.violations.map((v) => `${v.id}: ${v.help}\n${v.nodes.map((n) => `    ${n.html.slice(0, 160)}\n      ${n.any[0]?.message ?? n.all[0]?.message ?? ''}`).slice(0, 4).join('\n')}`);
  expect(told, 'axe finds no violation').toEqual([]);
}

/** Nothing is cut off at the right. */
export async function noSidewaysScroll(page: Page): Promise<void> {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(over, 'pixels beyond the right edge').toBeLessThanOrEqual(0);
}

export { expect };
