/** "What happened to this customer?" */
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { Link, useSearchParams } from 'react-router';
import { post, postForText } from '../../api/client';
import type { SupportReport } from '../../api/types';
import { count, percent } from '../../lib/format';
import { useTimeRange } from '../../lib/time-range';
import { useUrlState } from '../../lib/url-state';
import { Badge, Card, Empty, Loaded, SkeletonRows, Status, Time } from '../../ui/basics';
import { Icon } from '../../ui/icons';
import { useTabLink } from '../../ui/links';
import { Story } from '../../ui/story';
import { Table } from '../../ui/table';
import { Issues } from './issues';
import { Troubled } from './troubled';

export default function Support() {
  const [search] = useSearchParams();
  const [, update] = useUrlState();
  const range = useTimeRange();
  const client = search.get('client') ?? '';
  const issue = search.get('issue') ?? '';
  const { params } = range;
  // In a body, moments are text.
  const time = 'from' in params ? { from: String(params.from), to: String(params.to) } : params;
  const request = { clientId: client, ...(issue ? { issueDescription: issue } : {}), ...time };
  const query = useQuery({
    queryKey: ['support', request],
    queryFn: ({ signal }) => post<SupportReport>('client-support', request, {}, signal),
    enabled: client !== '',
    staleTime: 30_000,
  });
  return (
    <div className="page">
      <div className="page-head">
        <h1>Support</h1>
        <span className="sub">What happened to this customer?</span>
      </div>
      <Lookup
        key={`${client}|${issue}`}
        client={client}
        issue={issue}
        busy={query.isFetching}
        onLook={(next) => update({ client: next.client, issue: next.issue, group: null }, 'push')}
      />
      {client === '' ? (
        <>
          <div className="card">
            <Empty icon="support" title="Look up a customer">
              Enter the id of a user or an organization. You get one timeline of everything that happened to them, the
              probable cause, and what to do, each with its evidence.
            </Empty>
          </div>
          <Troubled />
        </>
      ) : (
        <Loaded query={query} what="The report" loading={<Loading />}>
          {(report) => <Report report={report} request={request} />}
        </Loaded>
      )}
    </div>
  );
}

function Lookup({
  client,
  issue,
  busy,
  onLook,
}: {
  client: string;
  issue: string;
  busy: boolean;
  onLook: (next: { client: string; issue: string }) => void;
}) {
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    onLook({ client: String(form.get('client') ?? '').trim(), issue: String(form.get('issue') ?? '').trim() });
  };
  return (
    <form className="card lookup pad no-print" onSubmit={submit} role="search" aria-label="Client lookup">
      <div className="field">
        <label htmlFor="client">User or organization</label>
        <input
          id="client"
          name="client"
          defaultValue={client}
          required
          spellCheck={false}
          autoComplete="off"
          placeholder="u-1001"
          data-querybar
        />
      </div>
      <div className="field">
        <label htmlFor="issue">What did they report? (optional)</label>
        <input id="issue" name="issue" defaultValue={issue} placeholder="Onboarding never finished" />
      </div>
      <button type="submit" className="button primary" disabled={busy}>
        {busy ? 'Looking…' : 'Look up'}
      </button>
    </form>
  );
}

function Loading() {
  return (
    <div className="grid">
      <div className="card w7 pad">
        <SkeletonRows rows={6} height={24} />
      </div>
      <div className="card w5 pad">
        <SkeletonRows rows={6} height={24} />
      </div>
    </div>
  );
}

function Report({ report, request }: { report: SupportReport; request: object }) {
  const unfinished = report.workflows.unfinished;
  if (report.total_logs === 0) {
    return (
      <div className="card">
        <Empty icon="search" title={`Nothing is known of ${report.client_id} in this time range`}>
          Check the id, or widen the time range. Ids are exact: capitals matter.
        </Empty>
      </div>
    );
  }
  return (
    <>
      <div className="page-head">
        <h2>{report.client_id}</h2>
        <Badge tone="accent">{report.kind}</Badge>
        <span className="sub small">
          <Time iso={report.from} /> – <Time iso={report.to} />
        </span>
        <span className="grow" />
        <Downloads report={report} request={request} />
      </div>
      <div className="kpis">
        <Figure name="Log lines" value={count(report.total_logs)} />
        <Figure name="Errors" value={count(report.error_count)} tone={report.error_count ? 'error' : 'ok'} />
        <Figure name="Workflows completed" value={count(report.workflows.completed)} />
        <Figure
          name="Workflows failed"
          value={count(report.workflows.failed)}
          tone={report.workflows.failed ? 'error' : 'ok'}
        />
        <Figure name="Unfinished" value={count(unfinished.length)} tone={unfinished.length ? 'warn' : 'ok'} />
      </div>
      <div className="grid">
        <div className="stack w7">
          <Cause report={report} />
          <Advice report={report} />
          <Issues report={report} />
        </div>
        <div className="stack w5">
          <Patterns report={report} />
          <UnfinishedRuns report={report} />
        </div>
        <Card title="Timeline" sub="everything that happened to them, in order" flush>
          {report.timeline.length ? (
            <Story lines={report.timeline} tall />
          ) : (
            <Empty title="Nothing happened in this range" />
          )}
        </Card>
      </div>
    </>
  );
}

function Figure({ name, value, tone }: { name: string; value: string; tone?: string }) {
  return (
    <div className="kpi">
      <span className="name">
        {tone && <span className={`dot ${tone}`} />}
        {name}
      </span>
      <span className="value">{value}</span>
    </div>
  );
}

function Evidence({ ids }: { ids: readonly string[] }) {
  const link = useTabLink();
  if (!ids.length) return null;
  return (
    <span className="evidence small no-print">
      {ids.slice(0, 8).map((id, i) => (
        <Link key={id} to={link('/logs', { line: id })} className="badge accent">
          line {i + 1}
        </Link>
      ))}
    </span>
  );
}

function Cause({ report }: { report: SupportReport }) {
  const cause = report.probable_cause;
  return (
    <Card title="Probable cause">
      {cause ? (
        <div className="cause">
          <p className="big">{cause.summary}</p>
          <div className="row wrap">
            <Badge tone="purple">{cause.category.replaceAll('_', ' ')}</Badge>
            <span className="confidence grow">
              <span
                className="meter"
                role="meter"
                aria-valuenow={Math.round(cause.confidence * 100)}
                aria-valuemin={0}
                aria-valuemax={100}
                aria-label="Confidence"
              >
                <i className="fill-accent" style={{ width: `${cause.confidence * 100}%` }} />
              </span>
              <span className="small muted nowrap">{percent(cause.confidence)} sure</span>
            </span>
          </div>
          <Evidence ids={cause.evidence} />
        </div>
      ) : (
        <Empty icon="check" title="Nothing points to a problem" />
      )}
    </Card>
  );
}

function Advice({ report }: { report: SupportReport }) {
  const next = report.next_steps;
  return (
    <Card title="What to do">
      {report.recommendations.length === 0 ? (
        <Empty icon="check" title="Nothing to do" />
      ) : (
        <ol className="advice">
          {report.recommendations.map((r) => (
            <li key={r.text}>
              <span>
                <span>{r.text} </span>
                <Evidence ids={r.evidence} />
              </span>
            </li>
          ))}
        </ol>
      )}
      {next && next.length > 0 && <p className="muted next-steps">{Array.isArray(next) ? next.join(' ') : next}</p>}
    </Card>
  );
}

function Patterns({ report }: { report: SupportReport }) {
  const link = useTabLink();
  return (
    <Card title="Error patterns" flush>
      {report.error_patterns.length === 0 ? (
        <Empty icon="check" title="No errors" />
      ) : (
        <Table
          rows={report.error_patterns}
          id={(p) => p.pattern}
          columns={[
            {
              name: 'Pattern',
              cut: true,
              cell: (p) => (
                <Link className="pattern-text" to={link('/logs', { line: p.example_id })} title={p.pattern}>
                  {p.pattern}
                </Link>
              ),
            },
            { name: 'Count', right: true, cell: (p) => count(p.count) },
            { name: 'Last seen', right: true, className: 'muted', cell: (p) => <Time iso={p.last_seen} as="ago" /> },
          ]}
        />
      )}
    </Card>
  );
}

function UnfinishedRuns({ report }: { report: SupportReport }) {
  const link = useTabLink();
  return (
    <Card title="Unfinished workflows">
      {report.workflows.unfinished.length === 0 ? (
        <Empty icon="check" title="None" />
      ) : (
        <ul className="components">
          {report.workflows.unfinished.map((r) => (
            <li key={r.run_id}>
              <Link className="grow ellipsis" to={link(`/runs/${encodeURIComponent(r.run_id)}`)}>
                {r.name || r.workflow_id}
                {r.current_step && <span className="muted"> at {r.current_step}</span>}
              </Link>
              <Status status={r.status} />
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

const TYPES = { markdown: 'text/markdown', html: 'text/html', json: 'application/json' } as const;
const ENDING = { markdown: 'md', html: 'html', json: 'json' } as const;

function Downloads({ report, request }: { report: SupportReport; request: object }) {
  const [failed, setFailed] = useState(false);
  const save = async (format: keyof typeof TYPES): Promise<void> => {
    setFailed(false);
    try {
      const text = await postForText('client-support', request, { format });
      const address = URL.createObjectURL(new Blob([text], { type: TYPES[format] }));
      const link = document.createElement('a');
      link.href = address;
      link.download = `support-${report.client_id.replace(/[^\w.-]/g, '_')}.${ENDING[format]}`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(address), 1000);
    } catch {
      setFailed(true);
    }
  };
  return (
    <span className="row wrap no-print">
      {failed && (
        <span className="small error-text" role="alert">
          The download failed.
        </span>
      )}
      <span className="segmented" role="group" aria-label="Download the report">
        {(Object.keys(TYPES) as (keyof typeof TYPES)[]).map((format) => (
          <button key={format} type="button" onClick={() => save(format)}>
            <Icon name="download" size={14} />
            {format === 'markdown' ? 'Markdown' : format.toUpperCase()}
          </button>
        ))}
      </span>
      <button type="button" className="button" onClick={() => print()}>
        <Icon name="print" size={14} />
        Print
      </button>
    </span>
  );
}
