// Sizes and costs of browser loggers, ours beside our peers', alternating in one browser.
// node run.mjs [--quick] [--json FILE]
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants } from 'node:zlib';

import { chromium } from '@playwright/test';
import { build } from 'vite';

import { measureDashboard } from './dashboard.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const SUBJECTS = ['omnify', 'sentry', 'sentry-tracing', 'faro', 'faro-tracing', 'datadog-logs', 'datadog-rum-slim', 'otel', 'none'];
const TYPES = { js: 'text/javascript', wasm: 'application/wasm', html: 'text/html' };

const quick = process.argv.includes('--quick');
const json = process.argv[process.argv.indexOf('--json') + 1];
const ROUNDS = quick ? 3 : 15;

const sizes = {};
for (const subject of SUBJECTS) {
  await build({
    root: HERE,
    base: `/${subject}/`,
    logLevel: 'error',
    build: {
      outDir: join(HERE, 'dist', subject),
      emptyOutDir: true,
      assetsInlineLimit: 0,
      rollupOptions: {
        input: join(HERE, 'subjects', `${subject}.js`),
        preserveEntrySignatures: 'strict',
        // React itself is not part of any of them.
        external: ['react', 'react/jsx-runtime'],
        output: { entryFileNames: 'entry.js' },
      },
    },
  });
  sizes[subject] = files(join(HERE, 'dist', subject)).reduce((sum, file) => sum + packed(readFileSync(file)).length, 0);
}

const early = packed(readFileSync(join(HERE, '../../../omnify-trace-wasm/js/dist/early.js'))).length;

function packed(content) {
  return brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } });
}

function files(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? files(join(folder, entry.name)) : [join(folder, entry.name)],
  );
}

const REACT = 'export const Component = class {}; export const useState = () => []; export const useCallback = (f) => f; export const jsx = () => null; export const jsxs = jsx;';
const PAGE = '<!doctype html><script type="importmap">{"imports":{"react":"/react.js","react/jsx-runtime":"/react.js"}}</script><body>';
const server = createServer((request, response) => {
  request.resume();
  // An isolated page has a clock of 5 µs instead of 100.
  response.setHeader('cross-origin-opener-policy', 'same-origin');
  response.setHeader('cross-origin-embedder-policy', 'require-corp');
  const path = new URL(request.url, 'http://x').pathname;
  const type = TYPES[path.split('.')[1] ?? 'html'] ?? 'text/plain';
  if (request.method === 'POST' || path.startsWith('/api')) return response.writeHead(202).end('{}');
  if (path === '/react.js') return response.writeHead(200, { 'content-type': type }).end(REACT);
  if (path === '/') return response.writeHead(200, { 'content-type': type }).end(PAGE);
  try {
    const content = readFileSync(join(HERE, 'dist', path));
    return response.writeHead(200, { 'content-type': type }).end(content);
  } catch {
    return response.writeHead(404).end();
  }
});
await new Promise((done) => server.listen(0, '127.0.0.1', done));
const origin = `http://127.0.0.1:${server.address().port}`;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-background-networking'],
});

const samples = Object.fromEntries(SUBJECTS.map((subject) => [subject, { init: [], log: [], warm: [], quiet: [], fetch: [], warmFetch: [] }]));
for (let round = 0; round < ROUNDS; round++) {
  for (const subject of SUBJECTS) {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(origin);
    const measured = await page.evaluate(measure, `/${subject}/entry.js`);
    for (const [name, value] of Object.entries(measured)) if (value !== null) samples[subject][name].push(value);
    await context.close();
  }
}
const dashboard = await measureDashboard(browser);
await browser.close();
server.close();

/** In the page. Times in microseconds, except `init` in milliseconds. */
async function measure(url) {
  // An answer at once: what is left is what the logger adds.
  // A logger's own files still come from the server.
  const real = window.fetch;
  window.fetch = (input, init) =>
    /\.(wasm|js)$/.test(String(input?.url ?? input)) ? real(input, init) : Promise.resolve(new Response('{}', { status: 200 }));
  // Time that can be let pass: loggers hold back what comes too fast, and that is not what is measured.
  const clock = performance.now.bind(performance);
  const wall = Date.now;
  let passed = 0;
  performance.now = () => clock() + passed;
  Date.now = () => wall() + passed;
  const begin = clock();
  const { init } = await import(url);
  const { log, quiet } = await init();
  const took = clock() - begin;
  // The middle half's mean: the clock steps by 5 µs, more than some calls take.
  const p50 = (list) => {
    const middle = list.sort((a, b) => a - b).slice(list.length / 4, (list.length * 3) / 4);
    return middle.reduce((sum, time) => sum + time, 0) / middle.length;
  };
  const pause = () => new Promise((done) => setTimeout(done, 5));
  const calls = async (call, batch) => {
    const times = [];
    for (let turn = 0; turn < 20; turn++) {
      const at = clock();
      for (let count = 0; count < batch; count++) call();
      times.push(((clock() - at) * 1_000) / batch);
      await pause();
    }
    return p50(times);
  };
  const fetches = async () => {
    const times = [];
    for (let turn = 0; turn < 20; turn++) {
      const at = clock();
      for (let count = 0; count < 5; count++) await fetch('/api/x');
      times.push(((clock() - at) * 1_000) / 5);
      await pause();
    }
    return p50(times);
  };
  // As in a page that has logged a while: the browser has optimised what it saw often.
  const warmed = async (batch, run) => {
    const times = [];
    for (let turn = 0; turn < 150; turn++) {
      passed += 15_000;
      const at = clock();
      await run();
      times.push(((clock() - at) * 1_000) / batch);
      await new Promise((done) => setTimeout(done));
    }
    return p50(times.slice(-50));
  };
  return {
    init: took,
    // Under 200 entries in all: no logger is to be measured at dropping what its limits forbid.
    log: await calls(log, 4),
    quiet: quiet ? await calls(quiet, 1_000) : null,
    fetch: await fetches(),
    warm: await warmed(50, () => {
      for (let count = 0; count < 50; count++) log();
    }),
    warmFetch: await warmed(20, async () => {
      for (let count = 0; count < 20; count++) await fetch('/api/x');
    }),
  };
}

const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const rows = [];
const add = (name, subject, value, unit, to) => {
  const row = { area: 'browser', case: name, subject, value: Math.round(value * 1_000) / 1_000, unit };
  // As in the other areas: how many times less this one costs.
  if (to > 0 && value > 0) Object.assign(row, { ratio_to: 'omnify', ratio: Math.round((to / value) * 1_000) / 1_000 });
  rows.push(row);
};
const loggers = SUBJECTS.filter((subject) => subject !== 'none');
const bare = median(samples.none.fetch);
const of = (subject, name) => median(samples[subject][name]);
for (const subject of loggers) add('bundle', subject, sizes[subject] / 1_000, 'KB brotli', sizes.omnify / 1_000);
for (const subject of loggers) add('import and init', subject, of(subject, 'init'), 'ms', of('omnify', 'init'));
for (const subject of loggers) add('log', subject, of(subject, 'log'), 'µs', of('omnify', 'log'));
for (const subject of loggers) add('log, warm', subject, of(subject, 'warm'), 'µs', of('omnify', 'warm'));
add('log below level', 'omnify', of('omnify', 'quiet'), 'µs');
for (const subject of loggers) add('added to a fetch', subject, of(subject, 'fetch') - bare, 'µs', of('omnify', 'fetch') - bare);
const bareWarm = median(samples.none.warmFetch);
for (const subject of loggers) add('added to a fetch, warm', subject, of(subject, 'warmFetch') - bareWarm, 'µs', of('omnify', 'warmFetch') - bareWarm);
add('early stub', 'omnify', early / 1_000, 'KB brotli');
add('dashboard, first load', 'omnify', dashboard.firstLoad, 'KB gzip');
add('dashboard, 100,000 lines scrolled, frame p95', 'omnify', dashboard.frame, 'ms');

console.log(`${'case'.padEnd(20)}${'subject'.padEnd(20)}${'value'.padStart(12)}  unit        omnify / it`);
for (const row of rows) {
  console.log(`${row.case.padEnd(20)}${row.subject.padEnd(20)}${row.value.toFixed(3).padStart(12)}  ${row.unit.padEnd(12)}${row.ratio ?? ''}`);
}
if (process.argv.includes('--json')) {
  mkdirSync(join(json, '..'), { recursive: true });
  writeFileSync(json, `${JSON.stringify(rows, null, 2)}\n`);
}
