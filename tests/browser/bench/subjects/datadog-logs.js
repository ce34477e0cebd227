import { datadogLogs } from '@datadog/browser-logs';

export const init = async () => {
  datadogLogs.init({ clientToken: 'pub', site: 'datadoghq.com', proxy: `${location.origin}/dd`, sessionSampleRate: 100 });
  return { log: () => datadogLogs.logger.info('cart opened', { items: 3, total: 12.5, currency: 'EUR' }) };
};
