/** React helpers: an error boundary that reports, handlers for React's roots, hooks. */
import { Component, useCallback, useRef, type ErrorInfo, type ReactNode } from 'react';

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
}

const CALM: State = { error: undefined, failed: false, reference: '' };

/** Catches errors of its children, logs them, and shows a page from which a person can go on. */
export class ErrorBoundary extends Component<ErrorBoundaryProps, State> {
  override state: State = CALM;

  static getDerivedStateFromError(error: unknown): Partial<State> {
    return { error, failed: true };
  }

  override componentDidCatch(error: unknown, info: ErrorInfo): void {
    const reference = getLogger().captureError(error, {
      kind: 'react',
      ...(info.componentStack ? { componentStack: info.componentStack } : {}),
    });
    this.setState({ reference });
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
    return (
      <div role="alert">
        <p>Something went wrong. Reference: {props.reference}</p>
        <button type="button" onClick={props.retry}>Try again</button>
      </div>
    );
  }
}

/** Handlers for `createRoot(element, reactErrorHandlers())`: errors that no boundary sees are logged too. */
export function reactErrorHandlers(): {
  onUncaughtError: (error: unknown, info: { componentStack?: string | undefined }) => void;
  onRecoverableError: (error: unknown, info: { componentStack?: string | undefined }) => void;
} {
  const capture = (kind: string) => (error: unknown, info: { componentStack?: string | undefined }) => {
    getLogger().captureError(error, {
      kind,
      ...(info.componentStack ? { componentStack: info.componentStack } : {}),
    });
  };
  return { onUncaughtError: capture('react-uncaught'), onRecoverableError: capture('react-recoverable') };
}

/** The running logger. */
export function useLogger(): Logger {
  return getLogger();
}

/** A workflow run that lives as long as the component. */
export function useWorkflow(id: string, options?: { name?: string; runId?: string }): WorkflowRun {
  const run = useRef<WorkflowRun | null>(null);
  run.current ??= getLogger().workflow(id, options);
  return run.current;
}

/** A stable callback that logs a named user action. */
export function useAction(name: string): (fields?: Fields) => void {
  return useCallback((fields?: Fields) => getLogger().action(name, fields), [name]);
}
