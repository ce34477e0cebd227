import { now } from './clock.js';
import { describe, toJson } from './exceptions.js';
import type { BrowserLogger } from './logger.js';
import type { Fields, WorkflowRun } from './types.js';

const START = 0;
const STEP = 1;
const STEP_ERROR = 2;
const COMPLETE = 3;
const ERROR = 4;

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
      this.#tell(START, '', this.#name, '', -1, fields);
    }
    return this;
  }

  step(stepId: string, fields?: Fields): this {
    this.start();
    if (this.#state !== 'open') return this;
    this.#completeStep();
    this.#step = stepId;
    this.#stepStarted = now();
    this.#tell(STEP, stepId, stepId, 'started', -1, fields);
    return this;
  }

  stepFailed(error: unknown, fields?: Fields): this {
    if (this.#state === 'open' && this.#step) {
      this.#tell(STEP_ERROR, this.#step, this.#step, '', now() - this.#stepStarted, fields, describe(error).json);
      this.#step = '';
    }
    return this;
  }

  complete(fields?: Fields): void {
    this.start();
    if (this.#state !== 'open') return;
    this.#completeStep();
    this.#end(COMPLETE, fields);
  }

  fail(error: unknown, fields?: Fields): void {
    this.start();
    if (this.#state !== 'open') return;
    this.#end(ERROR, fields, describe(error).json);
  }

  headers(): Record<string, string> {
    return this.#logger.traceHeaders(location.href);
  }

  #completeStep(): void {
    if (this.#step) {
      this.#tell(STEP, this.#step, this.#step, 'completed', now() - this.#stepStarted);
      this.#step = '';
    }
  }

  #end(what: number, fields?: Fields, exception = ''): void {
    this.#state = 'ended';
    this.#tell(what, this.#step, this.#name, '', now() - this.#started, fields, exception);
  }

  #tell(
    what: number,
    stepId: string,
    name: string,
    status: string,
    duration: number,
    fields?: Fields,
    exception = '',
  ): void {
    this.#logger.use((core) =>
      core.workflow(
        what,
        this.id,
        this.runId,
        stepId,
        name,
        status,
        duration,
        fields ? toJson(fields) : '',
        exception,
        now(),
      ),
    );
  }
}
