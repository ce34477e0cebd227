import '../styles/tokens.css';
import '../styles/base.css';
import '../styles/shell.css';
import '../styles/components.css';
import '../styles/tabs.css';
import '../styles/logs.css';
import '../styles/wall.css';
import { ErrorBoundary, reactErrorHandlers } from '@omnify/trace/react';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { createRoot } from 'react-dom/client';
import { BrowserRouter } from 'react-router';
import { ApiError } from '../api/client';
import { startTrace } from '../trace';
import { crash } from '../ui/crash';
import { App } from './app';

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 2_000,
      // What the client did wrong will not get better by asking again.
      retry: (count, error) => count < 2 && !(error instanceof ApiError && error.status >= 400 && error.status < 500),
    },
  },
});

void startTrace('dashboard');

const root = document.getElementById('root');
if (root) {
  createRoot(root, reactErrorHandlers()).render(
    <ErrorBoundary fallback={crash}>
      <QueryClientProvider client={client}>
        <BrowserRouter basename="/admin">
          <App />
        </BrowserRouter>
      </QueryClientProvider>
    </ErrorBoundary>,
  );
}
