import { start } from '@omnify/trace';
// The whole of it: what a React application would import.
export * from '@omnify/trace/react';

export const init = async () => {
  const logger = await start({ app: 'bench', sampleRate: 1 });
  if (!logger.sessionId) throw new Error('the logger did not start: nothing would be measured');
  return {
    log: () => logger.info('cart opened', { items: 3, total: 12.5, currency: 'EUR' }),
    quiet: () => logger.debug('cart opened', { items: 3, total: 12.5, currency: 'EUR' }),
  };
};
