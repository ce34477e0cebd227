import '../styles/tokens.css';
import '../styles/base.css';
import '../styles/components.css';
import '../styles/customer.css';
import { ErrorBoundary, reactErrorHandlers } from '@omnify/trace/react';
import { createRoot } from 'react-dom/client';
import { startTrace } from '../trace';
import { crash } from '../ui/crash';
import { CustomerPage } from './page';

void startTrace('acme-onboarding').finally(() => {
  document.documentElement.dataset.trace = 'started';
});

const root = document.getElementById('root');
if (root) {
  createRoot(root, reactErrorHandlers()).render(
    <ErrorBoundary fallback={crash}>
      <CustomerPage />
    </ErrorBoundary>,
  );
}
