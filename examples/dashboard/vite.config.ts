import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

const server = process.env.OMNIFY_SERVER ?? 'http://127.0.0.1:8000';

// Two pages, one build: `/` is the demo's customer page, `/admin/` the dashboard. Everything
// hashed lives below /admin/assets, so that the server can mark that folder as immutable.
export default defineConfig({
  plugins: [react(), spaFallback()],
  build: {
    target: ['chrome123', 'firefox121', 'safari17.5'],
    cssTarget: ['chrome123', 'firefox121', 'safari17.5'],
    assetsDir: 'admin/assets',
    // No data: URLs and no inline modulepreload script: the pages' CSP allows neither.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: ['index.html', 'admin/index.html'] },
  },
  server: { proxy: { '/api': server } },
  test: { include: ['test/**/*.test.ts', 'test/**/*.test.tsx'] },
});

/** In development, as in the server, every address below /admin that is no file is the app's. */
function spaFallback() {
  return {
    name: 'spa-fallback',
    configureServer(server: {
      middlewares: { use(fn: (req: { url?: string }, res: unknown, next: () => void) => void): void };
    }) {
      server.middlewares.use((req, _res, next) => {
        const path = req.url?.split('?')[0] ?? '';
        if (/^\/admin(\/|$)/.test(path) && !/\.\w+$/.test(path)) req.url = '/admin/index.html';
        next();
      });
    },
  };
}
