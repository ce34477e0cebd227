import { getWebInstrumentations, initializeFaro } from '@grafana/faro-web-sdk';
import { TracingInstrumentation } from '@grafana/faro-web-tracing';

export const init = async () => {
  const faro = initializeFaro({
    url: `${location.origin}/collect`,
    app: { name: 'bench' },
    // Else it drops each line that is equal to the one before, which is not what is measured.
    dedupe: false,
    instrumentations: [...getWebInstrumentations(), new TracingInstrumentation()],
  });
  return {
    log: () => faro.api.pushLog(['cart opened'], { context: { items: '3', total: '12.5', currency: 'EUR' } }),
  };
};
