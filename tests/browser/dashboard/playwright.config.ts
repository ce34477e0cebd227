/** The dashboard and the customer page in a real browser, against the real server with its demo's traffic. */
import { defineConfig } from '@playwright/test';
import { STATE } from './server.js';

export default defineConfig({
  testDir: '.',
  outputDir: '../../artifacts/dashboard',
  globalSetup: './setup.ts',
  // The server is one and shared; two pages at a time are what a small machine bears.
  workers: 2,
  fullyParallel: true,
  // Bounds, not pauses: above what each wait in a test may take, on a machine that does other things too.
  timeout: 240_000,
  expect: { timeout: 60_000 },
  forbidOnly: true,
  reporter: [['list']],
  use: {
    storageState: STATE,
    viewport: { width: 1440, height: 900 },
    trace: 'retain-on-failure',
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-dev-shm-usage'],
    },
  },
});
