import { test as base, expect, type Page } from '@playwright/test';

import { Site, type Entry } from './server.js';

interface Fixtures {
  site: Site;
  /** Opens the page with options for the logger and waits until it runs. */
  open: (options?: object, path?: string) => Promise<Page>;
}

export const test = base.extend<Fixtures>({
  // eslint-disable-next-line no-empty-pattern -- Playwright reads the pattern
  site: async ({}, use) => {
    const site = await new Site().open();
    await use(site);
    await site.close();
  },
  open: async ({ page, site }, use) => {
    await use(async (options = {}, path = '/start') => {
      await page.goto(`${site.origin}${path}?options=${encodeURIComponent(JSON.stringify(options))}`);
      await page.evaluate(() => window.ready);
      return page;
    });
  },
});

/** Waits until so many entries fulfil a condition, and answers them. */
export async function seen(site: Site, wanted: (entry: Entry) => boolean, count = 1): Promise<Entry[]> {
  await expect.poll(() => site.entries.filter(wanted).length, { timeout: 20_000 }).toBeGreaterThanOrEqual(count);
  return site.entries.filter(wanted);
}

/** Waits for the first entry of a type and answers it. */
export async function first(site: Site, type: string, more: (entry: Entry) => boolean = () => true): Promise<Entry> {
  const [entry] = await seen(site, (candidate) => candidate.event_type === type && more(candidate));
  if (!entry) throw new Error('unreachable: seen() waits for one');
  return entry;
}

export { expect };
