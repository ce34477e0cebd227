import type { Logger, WorkflowRun } from './types.js';

function noopRun(id: string): WorkflowRun {
  const run: WorkflowRun = {
    id,
    runId: '',
    traceId: '',
    start: () => run,
    step: () => run,
    stepFailed: () => run,
    complete: () => undefined,
    fail: () => undefined,
    headers: () => ({}),
  };
  return run;
}

const nothing = (): void => undefined;

/** A logger that does nothing: before {@link start}, on a server, and without consent to track. */
export const NOOP: Logger = {
  traceId: '',
  sessionId: '',
  enabled: () => false,
  log: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  event: nothing,
  captureError: () => '',
  action: nothing,
  setLevel: nothing,
  setUser: nothing,
  setOrganization: nothing,
  setConsent: nothing,
  workflow: noopRun,
  traceHeaders: () => ({}),
  recent: () => [],
  stats: () => ({ sent: 0, queued: 0, dropped: {} }),
  flush: () => Promise.resolve(),
  stop: () => Promise.resolve(),
};
