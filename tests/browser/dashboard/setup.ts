/** One server for all tests; it has told its story when they begin. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { request } from '@playwright/test';
import { admin, STATE, startServer, TOKEN, until } from './server.js';

/** "Within a minute of the start every tab shows real data." */
const FULL_MS = 60_000;

interface Stats {
  requests: { count: number };
  workflows: { completed: number };
  frontend: { events: number };
}

export default async function setup(): Promise<() => Promise<void>> {
  // A server that runs already may be named instead: quicker while one writes tests.
  const running = process.env.OMNIFY_E2E_BASE;
  const server = running ? { base: running, stop: async () => undefined } : await startServer();
  process.env.OMNIFY_E2E_BASE = server.base;
  try {
    const began = Date.now();
    await until('every tab has data', FULL_MS, async () => {
      const stats = await admin<Stats>('stats?timeRange=1h');
      const vitals = await admin<{ web_vitals: unknown[] }>('performance?timeRange=1h');
      return stats.requests.count > 0 && stats.workflows.completed > 0 && stats.frontend.events > 0 && vitals.web_vitals.length > 0;
    });
    console.log(`every tab has data after ${((Date.now() - began) / 1000).toFixed(1)} s`);
    mkdirSync(dirname(STATE), { recursive: true });
    const context = await request.newContext({ baseURL: server.base });
    const answer = await context.post('/api/admin/session', { data: { token: TOKEN } });
    if (!answer.ok()) throw new Error(`logging in answered ${answer.status()}: ${await answer.text()}`);
    await context.storageState({ path: STATE });
    await context.dispose();
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server.stop;
}
