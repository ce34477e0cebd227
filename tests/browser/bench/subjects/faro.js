import { initializeFaro } from '@grafana/faro-web-sdk';

export const init = async () => {
  const faro = initializeFaro({ url: `${location.origin}/collect`, app: { name: 'bench' } });
  return {
    log: () => faro.api.pushLog(['cart opened'], { context: { items: '3', total: '12.5', currency: 'EUR' } }),
  };
};
