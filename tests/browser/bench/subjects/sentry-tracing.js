import { browserTracingIntegration, init as start, logger } from '@sentry/browser';

export const init = async () => {
  start({
    dsn: `${location.protocol}//key@${location.host}/1`,
    enableLogs: true,
    integrations: [browserTracingIntegration()],
    tracesSampleRate: 1,
  });
  return { log: () => logger.info('cart opened', { items: 3, total: 12.5, currency: 'EUR' }) };
};
