/** Builds the test's page as a user would: with Vite and no plugin for the logger. */
import { fileURLToPath } from 'node:url';

import { build } from 'vite';

export const OUT = fileURLToPath(new URL('./dist', import.meta.url));

export default async function buildPage(): Promise<void> {
  await build({
    root: fileURLToPath(new URL('./page', import.meta.url)),
    logLevel: 'warn',
    build: {
      outDir: OUT,
      emptyOutDir: true,
      // Component stacks are read by their functions' names.
      minify: false,
      rollupOptions: { input: ['index.html', 'react.html'].map((name) => fileURLToPath(new URL(`./page/${name}`, import.meta.url))) },
    },
  });
}
