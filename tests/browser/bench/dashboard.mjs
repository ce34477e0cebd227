// The dashboard's build as a browser gets it: the weight of its first page, and how a list of 100,000 lines scrolls.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const FIXTURE = fileURLToPath(new URL('../fixture/server.mjs', import.meta.url));
const LINES = 100_000;
/** Frames that are looked at, and pixels that each of them scrolls: four rows, a fast flick. */
const FRAMES = 300;
const STEP = 120;

/** Answers `{ firstLoad, frame }`: KB gzip, and the 95th percentile of milliseconds between frames. */
export async function measureDashboard(browser) {
  const server = spawn(process.execPath, [FIXTURE, '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const address = await new Promise((resolve, reject) => {
      server.stdout.once('data', (said) => resolve(String(said).trim()));
      server.once('exit', () => reject(new Error('the server of the dashboard ended')));
    });
    return { firstLoad: await firstLoad(browser, address), frame: await scroll(browser, address) };
  } finally {
    server.kill();
  }
}

async function loggedIn(browser, address) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  await context.request.post(new URL('/api/admin/session', address).href, { data: { token: 'any' } });
  return context;
}

/** All files of the first page, fonts and WebAssembly too, until nothing more comes. */
async function firstLoad(browser, address) {
  const context = await loggedIn(browser, address);
  const page = await context.newPage();
  const sizes = [];
  page.on('response', (response) => {
    if (new URL(response.url()).pathname.startsWith('/api/')) return;
    sizes.push(response.body().then((body) => Math.min(body.length, gzipSync(body, { level: 9 }).length)));
  });
  await page.goto(address);
  await page.locator('.uplot canvas').first().waitFor({ timeout: 120_000 });
  await page.waitForTimeout(1_000);
  const sum = (await Promise.all(sizes)).reduce((all, size) => all + size, 0);
  await context.close();
  return sum / 1_000;
}

async function scroll(browser, address) {
  const context = await loggedIn(browser, address);
  const page = await context.newPage();
  const logs = Array.from({ length: LINES }, (_, n) => ({
    id: `l-${n}`,
    file: 'backend.log',
    timestamp: new Date(Date.now() - n * 30).toISOString(),
    level: ['INFO', 'INFO', 'DEBUG', 'WARN', 'ERROR'][n % 5],
    message: `Request completed, number ${n}`,
    event_type: 'request_complete',
    target: 'shop::orders',
    service: { name: 'shop' },
    context: { user_id: `u-${n % 97}`, request_id: `r-${n}`, trace_id: 'ab'.repeat(16) },
    extra: { method: 'GET', route: '/api/orders/{id}', status_code: 200, duration_ms: n % 900 },
  }));
  const body = JSON.stringify({ logs, next_cursor: null });
  await page.route(/\/api\/admin\/logs\?/, (route) => route.fulfill({ contentType: 'application/json', body }));
  await page.goto(new URL('/admin/logs?live=0', address).href);
  // Thirty megabytes go through the browser's driver: on a busy machine that takes its time.
  await page.locator('.log-row').first().waitFor({ timeout: 300_000 });
  await page.waitForTimeout(1_000);
  const frames = await page.evaluate(scrollDown, [FRAMES, STEP]);
  await context.close();
  if (frames.rows < LINES) throw new Error(`the list stands for ${frames.rows} lines, not ${LINES}`);
  const sorted = frames.times.sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length * 0.95)];
}

/** In the page: scrolls the list a step a frame, and answers the times between frames. */
async function scrollDown([frames, step]) {
  let list = document.querySelector('.log-row');
  while (list && !(list.scrollHeight > list.clientHeight * 2 && /auto|scroll/.test(getComputedStyle(list).overflowY))) list = list.parentElement;
  list ??= document.scrollingElement;
  const row = document.querySelector('.log-row').getBoundingClientRect().height;
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const times = [];
  let last = await frame();
  for (let n = 0; n < frames; n++) {
    list.scrollTop += step;
    const now = await frame();
    times.push(now - last);
    last = now;
  }
  return { times, rows: Math.round(list.scrollHeight / row) };
}
