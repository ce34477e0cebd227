/** The whole chain: a click, and everything it causes, under one trace id. */
import { admin, until } from './server.js';
import { expect, test } from './test.js';

interface Line {
  id: string;
  timestamp: string;
  source?: string;
  event_type?: string;
  service?: { name?: string };
  context?: { trace_id?: string; request_id?: string; run_id?: string; session_id?: string };
}
interface Page_ {
  logs: Line[];
}

/** Where the agents run: a service of its own, with log lines of its own. */
const AGENT_SERVICE = /agentkit/;

test('a click, its request, workflow, steps, agent call and the agent service share one trace, found by the request id', async ({ page }) => {
  await page.goto('/');
  await page.waitForFunction(() => document.documentElement.dataset.trace === 'started');
  await page.getByLabel('Company').fill('Initech');
  await page.getByTestId('start-run').click();
  const outcome = page.getByTestId('outcome').first();
  const requestId = (await outcome.getByTestId('reference').textContent())?.trim() ?? '';
  expect(requestId).toMatch(/^[\w.+/=-]{8,128}$/);
  // Whether it succeeds is the agents' affair, which fail now and then in the demo; it has to end.
  await expect(outcome.locator('.badge').first()).toHaveText(/completed|failed/, { timeout: 45_000 });

  const first = await until('the request is in the store', 10_000, async () => (await admin<Page_>(`logs?requestId=${requestId}&timeRange=1h&limit=1`)).logs[0]);
  const traceId = first.context?.trace_id ?? '';
  expect(traceId).toMatch(/^[0-9a-f]{32}$/);

  const wanted: Record<string, (line: Line) => boolean> = {
    'the click in the browser': (l) => l.source === 'frontend' && l.event_type === 'user_action',
    'the browser’s view of the request': (l) => l.source === 'frontend' && /^api_/.test(l.event_type ?? ''),
    'the request': (l) => l.event_type === 'request_start' && l.context?.request_id === requestId,
    'the workflow': (l) => l.event_type === 'workflow_start',
    'a step': (l) => l.event_type === 'workflow_step',
    'the agent call': (l) => l.event_type === 'agent_start',
    'the agent service’s own line': (l) => AGENT_SERVICE.test(l.service?.name ?? ''),
  };
  const lines = await until('every part of the chain carries the trace id', 20_000, async () => {
    const { logs } = await admin<Page_>(`logs?traceId=${traceId}&timeRange=1h&limit=1000&order=oldest`);
    const missing = Object.entries(wanted).filter(([, is]) => !logs.some(is)).map(([name]) => name);
    if (missing.length) throw new Error(`missing: ${missing.join(', ')}`);
    return logs;
  });
  for (const line of lines) expect(line.context?.trace_id).toBe(traceId);
  // The server's own lines of the request say in which visit of which browser it was made.
  const session = lines.find((l) => wanted['the click in the browser']?.(l))?.context?.session_id;
  expect(session).toMatch(/^[0-9a-f]{32}$/);
  for (const part of ['the request', 'the workflow', 'a step']) expect(lines.find((l) => wanted[part]?.(l))?.context?.session_id, part).toBe(session);

  // The dashboard's search, with nothing but the id.
  await page.goto('/admin/');
  await page.getByRole('searchbox', { name: 'Search everything' }).fill(requestId);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(new RegExp(`/admin/trace/${traceId}`));
  const story = page.locator('.story li');
  await expect(story.first()).toBeVisible();
  const shown = await story.evaluateAll((items) =>
    items.map((li) => ({ event: (li as HTMLElement).dataset.event ?? '', service: (li as HTMLElement).dataset.service ?? '', time: li.querySelector('time')?.dateTime ?? '' })),
  );
  for (const event of ['user_action', 'request_start', 'workflow_start', 'workflow_step', 'agent_start']) expect(shown.map((s) => s.event)).toContain(event);
  expect(shown.some((s) => s.service === 'browser')).toBe(true);
  expect(shown.some((s) => AGENT_SERVICE.test(s.service))).toBe(true);
  const times = shown.map((s) => s.time);
  expect(times, 'in order of time').toEqual([...times].sort());
  // The page's own part of the workflow begins before its request does.
  expect(shown.findIndex((s) => s.service === 'browser' && s.event === 'workflow_start')).toBeGreaterThanOrEqual(0);
  const at = (event: string): number => shown.findIndex((s) => s.service !== 'browser' && s.event === event);
  expect(at('request_start')).toBeLessThan(at('workflow_start'));
  expect(at('workflow_start')).toBeLessThan(at('agent_start'));
  await expect(page.getByRole('region', { name: 'Spans over time' })).toBeVisible();
});

test('the page\'s part of a workflow and the server\'s are one run, with the steps of both', async ({ page }) => {
  await page.goto('/');
  await page.waitForFunction(() => document.documentElement.dataset.trace === 'started');
  await page.getByTestId('start-run').click();
  const outcome = page.getByTestId('outcome').first();
  const requestId = (await outcome.getByTestId('reference').textContent())?.trim() ?? '';
  await expect(outcome.locator('.badge').first()).toHaveText(/completed|failed/, { timeout: 45_000 });

  const runId = await until('the server\'s start of the run', 20_000, async () => {
    const { logs } = await admin<Page_>(`logs?requestId=${requestId}&eventType=workflow_start&timeRange=1h&limit=1`);
    return logs[0]?.context?.run_id;
  });
  const query = encodeURIComponent(`run_id:${runId}`);
  const ends = (line: Line): boolean => /^workflow_(complete|error)$/.test(line.event_type ?? '');
  await until('both ends of the run', 20_000, async () => {
    const { logs } = await admin<Page_>(`logs?search=${query}&timeRange=1h&limit=1000`);
    const sides = logs.filter(ends).map((line) => line.source === 'frontend');
    return sides.includes(true) && sides.includes(false);
  });
  const run = await admin<{ steps: { step_id: string }[] }>(`runs/${runId}`);
  const steps = run.steps.map(({ step_id }) => step_id);
  expect(steps).toContain('send-form');
  expect(steps).toContain('research');

  await page.goto(`/admin/runs/${runId}`);
  const bars = page.locator('.timeline .bar');
  await expect(bars.filter({ hasText: 'send-form' })).toBeVisible();
  await expect(bars.filter({ hasText: 'Research the company' })).toBeVisible();
});
