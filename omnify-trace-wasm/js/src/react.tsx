/** React helpers: an error boundary that reports, handlers for React's roots, hooks. */
import { Component, useCallback, useState, type ErrorInfo, type FormEvent, type ReactNode } from 'react';

import { getLogger } from './active.js';
import type { Fields, Logger, WorkflowRun } from './types.js';

/** What a fallback is given. */
export interface FallbackProps {
  error: unknown;
  /** What the person can tell to support; also in the logs. */
  reference: string;
  /** Shows the children again. */
  retry: () => void;
  /** Sends a problem report with the person's words; resolves when it is on its way. */
  report: (description: string) => Promise<void>;
}

export interface ErrorBoundaryProps {
  children?: ReactNode;
  /** Shown instead of the children after an error. Defaults to a friendly page with retry and report. */
  fallback?: ReactNode | ((props: FallbackProps) => ReactNode);
  /** Called after the error was logged. */
  onError?: (error: unknown, reference: string) => void;
  /** A change of any of these shows the children again. */
  resetKeys?: readonly unknown[];
}

interface State {
  error: unknown;
  failed: boolean;
  reference: string;
  /** The trace in which it failed; reporting it is an action with a trace of its own. */
  trace: string;
}

const CALM: State = { error: undefined, failed: false, reference: '', trace: '' };

/** Catches errors of its children, logs them, and shows a page from which a person can go on. */
export class ErrorBoundary extends Component<ErrorBoundaryProps, State> {
  override state: State = CALM;

  static getDerivedStateFromError(error: unknown): Partial<State> {
    return { error, failed: true };
  }

  override componentDidCatch(error: unknown, info: ErrorInfo): void {
    const logger = getLogger();
    const { componentStack } = info;
    const reference = logger.captureError(error, { kind: 'react', componentStack });
    this.setState({ reference, trace: logger.traceId });
    this.props.onError?.(error, reference);
  }

  override componentDidUpdate(previous: ErrorBoundaryProps): void {
    const keys = this.props.resetKeys ?? [];
    const before = previous.resetKeys ?? [];
    if (this.state.failed && (keys.length !== before.length || keys.some((key, i) => !Object.is(key, before[i])))) {
      this.retry();
    }
  }

  private readonly retry = (): void => this.setState(CALM);

  private readonly report = (description: string): Promise<void> => {
    const logger = getLogger();
    logger.event('problem_report', description || 'Problem reported', {
      reference: this.state.reference,
      error_trace_id: this.state.trace,
      recent: logger.recent(),
    });
    return logger.flush();
  };

  override render(): ReactNode {
    if (!this.state.failed) return this.props.children;
    const { fallback } = this.props;
    const props: FallbackProps = {
      error: this.state.error,
      reference: this.state.reference,
      retry: this.retry,
      report: this.report,
    };
    if (typeof fallback === 'function') return fallback(props);
    if (fallback !== undefined) return fallback;
    return <ErrorPage {...props} />;
  }
}

/** The page shown by default: what happened, what to do, and a way to tell. Style it by its class names. */
export function ErrorPage({ reference, retry, report }: FallbackProps): ReactNode {
  const [description, setDescription] = useState('');
  const [sent, setSent] = useState(false);
  const send = (event: FormEvent): void => {
    event.preventDefault();
    void report(description).then(() => setSent(true));
  };
  return (
    <section role="alert" className="omnify-error">
      <h2>Something went wrong</h2>
      <p>
        The problem was noted. Tell support this number: <strong>{reference}</strong>
      </p>
      <button type="button" onClick={retry}>
        Try again
      </button>
      {sent ? (
        <p role="status">Thank you. Your report was sent.</p>
      ) : (
        <form name="problem-report" onSubmit={send}>
          <label>
            What were you doing?
            <textarea name="description" value={description} onChange={(event) => setDescription(event.target.value)} />
          </label>
          <button type="submit">Report the problem</button>
        </form>
      )}
    </section>
  );
}

type RootHandler = (error: unknown, info: { componentStack?: string | undefined }) => void;

/**
 * Handlers for `createRoot(element, reactErrorHandlers())`: errors that no boundary sees, or a boundary
 * other than ours, are logged too. An error is logged once, however many of them see it.
 */
export function reactErrorHandlers(): Record<'onCaughtError' | 'onUncaughtError' | 'onRecoverableError', RootHandler> {
  const capture =
    (kind: string): RootHandler =>
    (error, { componentStack }) => {
      getLogger().captureError(error, { kind, componentStack });
    };
  return {
    onCaughtError: capture('react'),
    onUncaughtError: capture('react-uncaught'),
    onRecoverableError: capture('react-recoverable'),
  };
}

/** The running logger. */
export function useLogger(): Logger {
  return getLogger();
}

/** A workflow run that lives as long as the component. */
export function useWorkflow(id: string, options?: { name?: string; runId?: string }): WorkflowRun {
  const [run] = useState(() => getLogger().workflow(id, options));
  return run;
}

/** A stable callback that logs a named user action. */
export function useAction(name: string): (fields?: Fields) => void {
  return useCallback((fields?: Fields) => getLogger().action(name, fields), [name]);
}
