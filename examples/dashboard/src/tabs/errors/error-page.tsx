/** One group of errors: how often, since when, whom it hit, examples. */
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from 'react-router';
import { errorGroup } from '../../api/queries';
import type { ErrorGroup } from '../../api/types';
import { count } from '../../lib/format';
import { Card, Empty, Fact, Loaded, Skeleton, Sparkline, Status, Time } from '../../ui/basics';
import { Icon } from '../../ui/icons';
import { useTabLink } from '../../ui/links';
import { Story } from '../../ui/story';
import { IssueCard } from './issue-card';

export default function ErrorPage() {
  const { fingerprint = '' } = useParams();
  const query = useQuery(errorGroup(fingerprint));
  return (
    <div className="page">
      <Loaded
        query={query}
        what="This error"
        loading={
          <div className="card">
            <Skeleton height={300} />
          </div>
        }
      >
        {(group) => <Content group={group} />}
      </Loaded>
    </div>
  );
}

function Content({ group }: { group: ErrorGroup }) {
  const link = useTabLink();
  const example = group.examples?.[0];
  const trace = example?.context?.trace_id;
  return (
    <>
      <div className="page-head">
        <Link to={link('/')} className="button icon ghost" aria-label="Back to the overview">
          <Icon name="left" />
        </Link>
        <h1>{group.message}</h1>
        <Status status={group.state} />
        <span className="grow" />
        {trace && (
          <Link className="button" to={link(`/trace/${trace}`, { focus: example?.id })}>
            <Icon name="trace" size={14} />
            Trace of the latest
          </Link>
        )}
      </div>
      <Card label="Facts" className="pad-t">
        <div className="stack">
          <dl className="facts">
            <Fact name="Type">
              <span className="mono">{group.type}</span>
            </Fact>
            <Fact name="Count">{count(group.count)}</Fact>
            <Fact name="First seen">
              <Time iso={group.first_seen} />
            </Fact>
            <Fact name="Last seen">
              <Time iso={group.last_seen} as="ago" />
            </Fact>
            <Fact name="Users">{count(group.users)}</Fact>
            <Fact name="Workflows">{count(group.workflows)}</Fact>
          </dl>
          <Sparkline values={group.trend} tone="error" label="Occurrences over time" />
        </div>
      </Card>
      <IssueCard fingerprint={group.fingerprint} />
      {example?.exception && (
        <Card title="Latest example">
          <pre className="stacktrace" tabIndex={0}>
            {[
              `${example.exception.type ?? 'error'}: ${example.exception.message ?? ''}`,
              ...(example.exception.chain ?? []).map((c) => `caused by: ${c}`),
              example.exception.stacktrace ?? '',
            ].join('\n')}
          </pre>
        </Card>
      )}
      <Card title="Occurrences" sub="latest first" flush>
        {group.examples?.length ? <Story lines={group.examples} /> : <Empty title="No example is left in the store" />}
      </Card>
    </>
  );
}
