import { start, type Logger } from '@omnify/trace';
import { ErrorBoundary, reactErrorHandlers, useAction, useLogger, useWorkflow } from '@omnify/trace/react';
import { Component, useRef, useState, type ReactNode } from 'react';
import { createRoot, hydrateRoot } from 'react-dom/client';

declare global {
  interface Window {
    logger: Logger;
  }
}

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

/** A boundary that knows nothing of the logger. */
class Foreign extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };
  static getDerivedStateFromError(): { failed: boolean } {
    return { failed: true };
  }
  override render(): ReactNode {
    return this.state.failed ? <p>A boundary of the page's own</p> : this.props.children;
  }
}

function Hooks(): ReactNode {
  const [renders, setRenders] = useState(1);
  const ordered = useAction('order');
  const run = useWorkflow('checkout', { name: 'Checkout' });
  const runs = useRef(new Set<string>());
  runs.current.add(run.runId);
  return (
    <>
      <button
        type="button"
        onClick={() => {
          ordered({ amount: 3 });
          run.step('pay').complete();
          setRenders(renders + 1);
        }}
      >
        Order
      </button>
      <p id="renders">{`${runs.current.size === 1 ? 'one run' : 'several runs'} over ${renders} renders`}</p>
    </>
  );
}

function Keyed(): ReactNode {
  const [customer, setCustomer] = useState(1);
  return (
    <>
      <button type="button" onClick={() => setCustomer(customer + 1)}>
        Another customer
      </button>
      <ErrorBoundary resetKeys={[customer]}>
        <Fragile key={customer} />
      </ErrorBoundary>
    </>
  );
}

const CASES: Record<string, ReactNode> = {
  uncaught: <Fragile />,
  foreign: (
    <Foreign>
      <Fragile />
    </Foreign>
  ),
  hooks: <Hooks />,
  keys: <Keyed />,
  fallback: (
    <ErrorBoundary
      fallback={({ reference, report }) => (
        <p>
          <b id="own-reference">{reference}</b>
          <button type="button" onClick={() => void report('from a fallback')}>
            Tell us
          </button>
        </p>
      )}
    >
      <Fragile />
    </ErrorBoundary>
  ),
};
const boundary = (
  <ErrorBoundary onError={() => (healthy = true)}>
    <Fragile />
  </ErrorBoundary>
);

window.logger = await start({ app: 'react-page', flushIntervalMs: 20 });
const root = document.getElementById('root');
const wanted = new URLSearchParams(location.search).get('case') ?? '';
if (root && wanted === 'hydrate') {
  // What a server rendered differs from what the page makes of it: React renders anew, and says so.
  root.append(Object.assign(document.createElement('p'), { textContent: 'of the server' }));
  hydrateRoot(root, <p>of the page</p>, reactErrorHandlers());
} else if (root) {
  createRoot(root, reactErrorHandlers()).render(CASES[wanted] ?? boundary);
}
