/** One server for all tests; it has told its story when they begin. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { request } from '@playwright/test';
import { admin, STATE, startServer, TOKEN, until } from './server.js';

/** The demo promises a minute; a debug build on a machine that is busy with other tests gets more. */
const FULL_MS = 180_000;

/** What each tab lives on. Asked for one line at a time: a debug build adds up slowly. */
const NEEDED = [
  'eventType=request_complete',
  'eventType=workflow_complete',
  'eventType=agent_complete',
  'eventType=page_performance&search=metric:LCP',
  'eventType=user_action',
  'eventType=external_api_call',
  'level=ERROR',
];

export default async function setup(): Promise<() => Promise<void>> {
  // A server that runs already may be named instead: quicker while one writes tests.
  const running = process.env.OMNIFY_E2E_BASE;
  const server = running ? { base: running, stop: async () => undefined } : await startServer();
  process.env.OMNIFY_E2E_BASE = server.base;
  try {
    const began = Date.now();
    for (const what of NEEDED) {
      await until(`a line of ${what}`, FULL_MS - (Date.now() - began), async () => {
        const { logs } = await admin<{ logs: unknown[] }>(`logs?timeRange=15m&${what}&limit=1`);
        return logs.length > 0;
      });
    }
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
