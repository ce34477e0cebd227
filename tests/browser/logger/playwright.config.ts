/** The browser logger on a real page, in real browsers. */
import { fileURLToPath } from 'node:url';

import { defineConfig } from '@playwright/test';

const firefox = process.env['FIREFOX'];
// Said once, by the process that leads, not by its workers.
if (!firefox && process.env['TEST_WORKER_INDEX'] === undefined) {
  console.warn('\n!!! FIREFOX IS NOT SET: the logger is tested in Chromium alone. Install `firefox-esr` (or `firefox`) and name it in FIREFOX.\n');
}

export default defineConfig({
  testDir: '.',
  fullyParallel: true,
  workers: 2,
  // Bounds for a machine that does other things too; nothing waits for them to pass.
  timeout: 60_000,
  expect: { timeout: 20_000 },
  reporter: 'list',
  outputDir: '../../artifacts/logger',
  globalSetup: './build.ts',
  projects: [
    {
      name: 'chromium',
      use: {
        browserName: 'chromium',
        launchOptions: {
          executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
          args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-background-networking'],
        },
      },
    },
    ...(firefox
      ? [
          {
            name: 'firefox',
            // What depends on the browser; the rest too with FIREFOX_ALL=1, which takes a minute more.
            ...(process.env['FIREFOX_ALL'] ? {} : { testMatch: /(errors|lifecycle|names|page)\.spec/ }),
            use: {
              browserName: 'firefox' as const,
              channel: 'moz-firefox',
              launchOptions: { executablePath: fileURLToPath(new URL('./firefox.mjs', import.meta.url)) },
            },
          },
        ]
      : []),
  ],
});
