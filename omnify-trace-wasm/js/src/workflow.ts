
import { EVENT_WORKFLOW_COMPLETE, EVENT_WORKFLOW_ERROR, EVENT_WORKFLOW_START, EVENT_WORKFLOW_STEP, EVENT_WORKFLOW_STEP_ERROR, SETTING_RUN_ID, SETTING_STEP_ID, SETTING_WORKFLOW_ID, SIGN_RUN } from './codes.js';
import { now } from './clock.js';
import { describe } from './exceptions.js';
import { ERROR, INFO, type BrowserLogger } from './logger.js';
import type { Fields, WorkflowRun } from './types.js';

/** A run of a workflow as the page sees it. */
export class Run implements WorkflowRun {
  readonly id: string;
  readonly runId: string;
  #traceId = '';
  readonly #logger: BrowserLogger;
  readonly #name: string;
  #state: 'new' | 'open' | 'ended' = 'new';
  #started = 0;
  #step = '';
  #stepStarted = 0;

  constructor(logger: BrowserLogger, id: string, name: string, runId: string) {
    this.#logger = logger;
    this.id = id;
    this.#name = name;
    this.runId = runId;
  }

  get traceId(): string {
    return this.#traceId || this.#logger.traceId;
  }

  start(fields?: Fields): this {
    if (this.#state === 'new') {
      this.#state = 'open';
      this.#started = now();
      this.#traceId = this.#logger.traceId;
      this.#tell(EVENT_WORKFLOW_START, `Workflow started: ${this.#name}`, { ...fields, workflow_name: this.#name });
    }
    return this;
  }

  step(stepId: string, fields?: Fields): this {
    this.start();
    if (this.#state !== 'open') return this;
    this.#completeStep();
    this.#step = stepId;
    this.#stepStarted = now();
    this.#tell(EVENT_WORKFLOW_STEP, `Step started: ${stepId}`, { ...fields, step_name: stepId, status: 'started', attempt: 1 });
    return this;
  }

  stepFailed(error: unknown, fields?: Fields): this {
    if (this.#state === 'open' && this.#step) {
      const step_name = this.#step;
      const more = { ...fields, step_name, attempt: 1, duration_ms: now() - this.#stepStarted };
      this.#tell(EVENT_WORKFLOW_STEP_ERROR, `Step failed: ${step_name}`, more, error);
      this.#step = '';
    }
    return this;
  }

  complete(fields?: Fields): void {
    this.start();
    if (this.#state !== 'open') return;
    this.#completeStep();
    this.#end(EVENT_WORKFLOW_COMPLETE, `Workflow completed: ${this.#name}`, { ...fields });
  }

  fail(error: unknown, fields?: Fields): void {
    this.start();
    if (this.#state !== 'open') return;
    const failed_step = this.#step || undefined;
    this.#end(EVENT_WORKFLOW_ERROR, `Workflow failed: ${this.#name}`, { ...fields, failed_step }, error);
  }

  headers(): Record<string, string> {
    return this.#logger.traceHeaders(location.href);
  }

  #completeStep(): void {
    const step_name = this.#step;
    if (!step_name) return;
    const duration_ms = now() - this.#stepStarted;
    this.#tell(EVENT_WORKFLOW_STEP, `Step completed: ${step_name}`, { step_name, status: 'completed', attempt: 1, duration_ms });
    this.#step = '';
  }

  #end(event: number, message: string, fields: Fields, ...error: unknown[]): void {
    this.#state = 'ended';
    this.#tell(event, message, { ...fields, workflow_name: this.#name, duration_ms: now() - this.#started }, ...error);
    this.#logger.set(SETTING_RUN_ID, '');
  }

  /** Makes this the open run of the current trace, then logs. */
  #tell(event: number, message: string, fields: Fields, ...error: unknown[]): void {
    const logger = this.#logger;
    logger.set(SETTING_WORKFLOW_ID, this.id);
    logger.set(SETTING_RUN_ID, this.runId);
    logger.set(SETTING_STEP_ID, this.#step);
    logger.baggage = `omnify.run_id=${encodeURIComponent(this.runId)},omnify.workflow_id=${encodeURIComponent(this.id)}`;
    logger.notice(SIGN_RUN);
    const failed = error.length > 0;
    logger.emit(failed ? ERROR : INFO, event, message, fields, failed ? { exception: describe(error[0]).json } : {});
  }
}
