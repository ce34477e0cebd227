/** One run: when each step ran, what it waited for, what it called, what it cost. */
import { useQuery } from '@tanstack/react-query';
import { Link, useParams, useSearchParams } from 'react-router';
import { run as runQuery } from '../../api/queries';
import type { Call, Run, Step } from '../../api/types';
import { bytes, count, duration, money, shortId } from '../../lib/format';
import { useUrlState } from '../../lib/url-state';
import { Badge, Card, CopyButton, Empty, Fact, Loaded, Skeleton, Status, Time } from '../../ui/basics';
import { Icon } from '../../ui/icons';
import { useTabLink } from '../../ui/links';
import { type Column, Table } from '../../ui/table';
import { Timeline } from './timeline';

export default function RunPage() {
  const { runId = '' } = useParams();
  const query = useQuery(runQuery(runId));
  return (
    <div className="page">
      <Loaded
        query={query}
        what="This run"
        loading={
          <>
            <div className="page-head">
              <Skeleton height={28} width={320} />
            </div>
            <div className="card">
              <Skeleton height={320} />
            </div>
          </>
        }
      >
        {(run) => <Content run={run} />}
      </Loaded>
    </div>
  );
}

function Content({ run }: { run: Run }) {
  const link = useTabLink();
  const [search] = useSearchParams();
  const [, update] = useUrlState();
  const steps = run.steps ?? [];
  const chosen =
    steps.find((s) => s.step_id === search.get('step')) ??
    steps.find((s) => s.status === 'failed' || s.status === 'stalled') ??
    steps[0];
  const calls = steps.flatMap((s) => s.calls);
  // Nothing known is not nothing.
  const sum = (pick: (c: Call) => number | null): number | null =>
    calls.reduce<number | null>((total, c) => (pick(c) === null ? total : (total ?? 0) + (pick(c) ?? 0)), null);
  return (
    <>
      <div className="page-head">
        <Link to={link('/workflows')} className="button icon ghost" aria-label="All workflows">
          <Icon name="left" />
        </Link>
        <h1>{run.name || run.workflow_id}</h1>
        <Status status={run.status} />
        <span className="mono muted row">
          {shortId(run.run_id, 13)}
          <CopyButton text={run.run_id} label="Copy the run's id" />
        </span>
        <span className="grow" />
        <Link
          className="button"
          to={link('/logs', { q: `run_id:${run.run_id}`, order: 'oldest', range: '7d', from: null, to: null })}
        >
          <Icon name="logs" size={14} />
          Logs of this run
        </Link>
        {run.trace_id && (
          <Link className="button" to={link(`/trace/${run.trace_id}`)}>
            <Icon name="trace" size={14} />
            Trace
          </Link>
        )}
      </div>
      {run.error && (
        <div className="note error" role="status">
          <Icon name="alert" />
          <span>{run.error}</span>
        </div>
      )}
      <Card label="Facts" className="pad-t">
        <dl className="facts">
          <Fact name="Started">
            <Time iso={run.started_at} />
          </Fact>
          <Fact name="Took">
            {run.ended_at
              ? duration(run.duration_ms)
              : `${duration(run.duration_ms ?? Date.now() - new Date(run.started_at).getTime())} so far`}
          </Fact>
          <Fact name="Steps">
            {run.steps_done}
            {run.steps_total ? ` of ${run.steps_total}` : ''}
          </Fact>
          <Fact name="User">
            {run.user_id ? <Link to={link('/support', { client: run.user_id })}>{run.user_id}</Link> : '–'}
          </Fact>
          <Fact name="Organization">
            {run.organization_id ? (
              <Link to={link('/support', { client: run.organization_id })}>{run.organization_id}</Link>
            ) : (
              '–'
            )}
          </Fact>
          <Fact name="Calls">{count(calls.length)}</Fact>
          <Fact name="Tokens in / out">
            {count(sum((c) => c.input_tokens))} / {count(sum((c) => c.output_tokens))}
          </Fact>
          <Fact name="Cost">{money(sum((c) => c.cost_usd))}</Fact>
        </dl>
      </Card>
      <Card title="Timeline" sub="parallel steps below each other; the critical path underlined" flush>
        {steps.length === 0 ? (
          <Empty icon="workflows" title="No step has begun yet" />
        ) : (
          <Timeline run={run} steps={steps} chosen={chosen?.step_id ?? null} onChoose={(id) => update({ step: id })} />
        )}
      </Card>
      {chosen && <StepCard step={chosen} run={run} />}
    </>
  );
}

function StepCard({ step, run }: { step: Step; run: Run }) {
  const link = useTabLink();
  return (
    <Card
      title={step.name || step.step_id}
      label={`Step ${step.name || step.step_id}`}
      sub={
        <span className="row">
          <Status status={step.status} />
          {step.critical && <Badge tone="accent">critical path</Badge>}
          {step.attempts > 1 && (
            <Badge tone="warn">
              attempt {step.attempt} of {step.attempts}
            </Badge>
          )}
        </span>
      }
      actions={
        <Link
          className="button s"
          to={link('/logs', {
            q: `run_id:${run.run_id} step_id:${step.step_id}`,
            order: 'oldest',
            range: '7d',
            from: null,
            to: null,
          })}
        >
          Logs of this step
        </Link>
      }
    >
      <div className="stack">
        {step.error && (
          <div className="note error">
            <Icon name="alert" />
            <span>{step.error}</span>
          </div>
        )}
        <dl className="facts">
          <Fact name="Took">{duration(step.duration_ms)}</Fact>
          <Fact name="Started">
            <Time iso={step.started_at} as="clock" />
          </Fact>
          <Fact name="Done by">{step.agent_type ?? '–'}</Fact>
          <Fact name="After">{step.depends_on.length ? step.depends_on.join(', ') : 'nothing'}</Fact>
          <Fact name="Input / output">
            {bytes(step.input_bytes)} / {bytes(step.output_bytes)}
          </Fact>
        </dl>
        {step.calls.length > 0 && <Calls calls={step.calls} />}
      </div>
    </Card>
  );
}

const KIND = { agent: 'Agent', external_api: 'External API', db_query: 'Database' } as const;

const CALL_COLUMNS: readonly Column<Call>[] = [
  {
    name: 'Call',
    cell: (c) => (
      <>
        <span className="mono">{c.name}</span>
        {(c.provider || c.model) && (
          <span className="small muted block">{[c.provider, c.model].filter(Boolean).join(' · ')}</span>
        )}
        {c.error && <span className="small block error-text">{c.error}</span>}
      </>
    ),
  },
  { name: 'Kind', whole: true, cell: (c) => KIND[c.kind] ?? c.kind },
  {
    name: 'State',
    whole: true,
    cell: (c) => (
      <>
        <Status status={c.status} />
        {c.status_code !== null && <span className="small muted"> {c.status_code}</span>}
      </>
    ),
  },
  {
    name: 'Attempt',
    right: true,
    cell: (c) => (
      <>
        {c.step_attempt}
        {c.attempt !== null && c.attempt > 1 && <span className="small muted"> try {c.attempt}</span>}
      </>
    ),
  },
  { name: 'Took', right: true, cell: (c) => duration(c.duration_ms) },
  {
    name: 'Tokens in / out',
    right: true,
    cell: (c) =>
      c.input_tokens === null && c.output_tokens === null
        ? '–'
        : `${count(c.input_tokens ?? 0)} / ${count(c.output_tokens ?? 0)}`,
  },
  { name: 'Cost', right: true, cell: (c) => money(c.cost_usd) },
];

function Calls({ calls }: { calls: readonly Call[] }) {
  return (
    <div className="scroll-x" tabIndex={0} role="region" aria-label="Calls of this step">
      <Table compact rows={calls} id={(c, at) => `${c.started_at}${at}`} columns={CALL_COLUMNS} />
    </div>
  );
}
