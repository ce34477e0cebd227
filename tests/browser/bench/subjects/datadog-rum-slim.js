import { datadogRum } from '@datadog/browser-rum-slim';

export const init = async () => {
  datadogRum.init({
    applicationId: 'a',
    clientToken: 'pub',
    site: 'datadoghq.com',
    proxy: `${location.origin}/dd`,
    sessionSampleRate: 100,
    trackResources: true,
    trackUserInteractions: true,
    allowedTracingUrls: [location.origin],
  });
  return { log: () => datadogRum.addAction('cart opened', { items: 3, total: 12.5, currency: 'EUR' }) };
};
