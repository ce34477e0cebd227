import { getLogger, start, type Logger, type Options } from '@omnify/trace';
import { traceAxios } from '@omnify/trace/axios';
import axios from 'axios';

declare global {
  interface Window {
    logger: Logger;
    axios: typeof axios;
    traceAxios: typeof traceAxios;
    getLogger: typeof getLogger;
    startLogger: typeof start;
    ready: Promise<void>;
  }
}

window.axios = axios;
window.traceAxios = traceAxios;
window.getLogger = getLogger;
window.startLogger = start;

const given = new URLSearchParams(location.search).get('options');
const options = { app: 'test-page', flushIntervalMs: 20, ...(JSON.parse(given ?? '{}') as Partial<Options>) };

document.querySelector('form')?.addEventListener('submit', (event) => event.preventDefault());

// With `?hold` the logger is imported and not started.
const hold = new URLSearchParams(location.search).has('hold');
window.ready = hold
  ? Promise.resolve()
  : start(options).then((logger) => {
      window.logger = logger;
    });
