/** Login first, then the tabs. Each tab is a chunk of its own. */
import { ErrorBoundary } from '@omnify/trace/react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense, useEffect } from 'react';
import { Navigate, Route, Routes, useLocation } from 'react-router';
import { ApiError, setCsrfToken } from '../api/client';
import { session } from '../api/queries';
import { Overview } from '../tabs/overview/overview';
import { getLogger } from '../trace';
import { Empty, Failure, SkeletonRows } from '../ui/basics';
import { crash } from '../ui/crash';
import { Login } from './login';
import { Shell } from './shell';

const Logs = lazy(() => import('../tabs/logs/logs'));
const Workflows = lazy(() => import('../tabs/workflows/workflows'));
const RunPage = lazy(() => import('../tabs/workflows/run-page'));
const PerformanceTab = lazy(() => import('../tabs/performance/performance'));
const Support = lazy(() => import('../tabs/support/support'));
const TracePage = lazy(() => import('../tabs/trace/trace'));
const ErrorPage = lazy(() => import('../tabs/errors/error-page'));

export function App() {
  const who = useQuery(session);
  const client = useQueryClient();

  useEffect(() => {
    if (who.data?.csrf_token) setCsrfToken(who.data.csrf_token);
    if (who.data) getLogger().setUser(who.data.name);
  }, [who.data]);

  // A session that ended shows itself as a 401 of any query.
  useEffect(
    () =>
      client.getQueryCache().subscribe((event) => {
        const error = event.query.state.error;
        if (
          event.type === 'updated' &&
          event.query.queryKey[0] !== 'session' &&
          error instanceof ApiError &&
          error.status === 401
        ) {
          void client.invalidateQueries({ queryKey: ['session'] });
        }
      }),
    [client],
  );

  if (who.error instanceof ApiError && who.error.status === 401) return <Login />;
  if (who.error && !who.data)
    return (
      <main className="login">
        <Failure error={who.error} what="The dashboard" retry={() => who.refetch()} />
      </main>
    );
  if (!who.data) return <div className="login" role="status" aria-label="Loading" />;
  return (
    <Shell who={who.data}>
      <Tabs />
    </Shell>
  );
}

function Tabs() {
  const { pathname } = useLocation();
  return (
    <ErrorBoundary fallback={crash} resetKeys={[pathname]}>
      <Suspense
        fallback={
          <div className="page">
            <SkeletonRows rows={8} height={28} />
          </div>
        }
      >
        <Routes>
          <Route index element={<Overview />} />
          <Route path="overview" element={<Navigate to="/" replace />} />
          <Route path="logs" element={<Logs />} />
          <Route path="workflows" element={<Workflows />} />
          <Route path="runs/:runId" element={<RunPage />} />
          <Route path="performance" element={<PerformanceTab />} />
          <Route path="support" element={<Support />} />
          <Route path="trace/:traceId" element={<TracePage />} />
          <Route path="errors/:fingerprint" element={<ErrorPage />} />
          <Route
            path="*"
            element={
              <div className="page">
                <Empty icon="search" title="There is no such page">
                  Pick one of the tabs.
                </Empty>
              </div>
            }
          />
        </Routes>
      </Suspense>
    </ErrorBoundary>
  );
}
