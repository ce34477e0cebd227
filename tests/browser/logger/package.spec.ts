/** The package as it is shipped: how large it is, what an importer gets, what a strict policy forbids. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants } from 'node:zlib';

import { expect, test } from '@playwright/test';
import { build, type Rollup } from 'vite';

const DIST = fileURLToPath(new URL('../../../omnify-trace-wasm/js/dist/', import.meta.url));

/** What an application's bundle of these lines weighs: its code, and the files that come with it. */
async function bundle(code: string): Promise<{ code: string; brotli: number }> {
  const entry = 'virtual:entry';
  const result = await build({
    root: fileURLToPath(new URL('.', import.meta.url)),
    logLevel: 'error',
    plugins: [{ name: 'entry', resolveId: (id) => (id === entry ? `\0${entry}` : null), load: (id) => (id === `\0${entry}` ? code : null) }],
    build: {
      write: false,
      assetsInlineLimit: 0,
      rollupOptions: { input: entry, preserveEntrySignatures: 'strict', external: ['react', 'react/jsx-runtime'] },
    },
  });
  const files = (result as Rollup.RollupOutput).output.map((file) => (file.type === 'chunk' ? file.code : file.source));
  const packed = files.map((content) => brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length);
  return { code: files.filter((file) => typeof file === 'string').join('\n'), brotli: packed.reduce((sum, size) => sum + size, 0) };
}

test.describe('the package', () => {
  test.skip(({ browserName }) => browserName !== 'chromium', 'it is the same for every browser');

  test('with its React helpers it is at most 20 KB, and the early stub at most half of one', async () => {
    const whole = await bundle("export * from '@omnify/trace'; export * from '@omnify/trace/react';");
    expect(whole.brotli).toBeGreaterThan(10_000);
    expect(whole.brotli).toBeLessThanOrEqual(20_000);
    expect(brotliCompressSync(readFileSync(`${DIST}early.js`)).length).toBeLessThanOrEqual(500);
  });

  test('what is imported and not used is not in the bundle', async () => {
    const unused = await bundle("import '@omnify/trace'; import { start } from '@omnify/trace'; import { ErrorBoundary } from '@omnify/trace/react'; export const x = 1;");
    expect(unused.code).not.toMatch(/wasm|sendBeacon|omnify/);
    const asked = await bundle("import { getLogger } from '@omnify/trace'; export const log = () => getLogger().info('x');");
    expect(asked.code).toContain('captureError');
    expect(asked.code, 'the logger itself comes with start()').not.toMatch(/wasm|sendBeacon|MutationObserver/);
  });

  test('no text becomes code', () => {
    const scripts = readdirSync(DIST, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.js'));
    expect(scripts.length).toBeGreaterThan(15);
    for (const name of scripts) {
      expect(readFileSync(`${DIST}${name}`, 'utf8'), name).not.toMatch(/\beval\b|new Function|Function\(|innerHTML|document\.write|insertAdjacentHTML/);
    }
  });
});
