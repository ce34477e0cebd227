import { start } from '@omnify/trace';
import { ErrorBoundary, reactErrorHandlers, useLogger, useWorkflow } from '@omnify/trace/react';
import { useState, type ReactNode } from 'react';
import { createRoot } from 'react-dom/client';

let healthy = false;

function Fragile(): ReactNode {
  const [broken, setBroken] = useState(false);
  const logger = useLogger();
  const run = useWorkflow('checkout', { name: 'Checkout' });
  if (broken && !healthy) throw new TypeError('the cart is gone', { cause: new Error('no storage') });
  return (
    <button
      type="button"
      onClick={() => {
        logger.info('about to break');
        run.step('pay');
        setBroken(true);
      }}
    >
      Break
    </button>
  );
}

await start({ app: 'react-page', flushIntervalMs: 20 });
const root = document.getElementById('root');
if (root) {
  createRoot(root, reactErrorHandlers()).render(
    <ErrorBoundary onError={() => (healthy = true)}>
      <Fragile />
    </ErrorBoundary>,
  );
}
