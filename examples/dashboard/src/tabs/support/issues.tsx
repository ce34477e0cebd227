/** The error groups behind a report: what people decided about them, and where to say so. */
import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { errors } from '../../api/queries';
import type { SupportReport } from '../../api/types';
import { groupsOf } from '../../lib/groups';
import { useTimeRange } from '../../lib/time-range';
import { useUrlState } from '../../lib/url-state';
import { Status } from '../../ui/basics';
import { useTabLink } from '../../ui/links';
import { IssueCard } from '../errors/issue-card';

export function Issues({ report }: { report: SupportReport }) {
  const range = useTimeRange();
  const link = useTabLink();
  const query = useQuery(errors(range.params));
  const [search, update] = useUrlState();
  const picked = search.get('group');
  const groups = groupsOf(report, query.data?.errors ?? []);
  const shown = groups.find((group) => group.fingerprint === picked) ?? groups[0];
  if (!shown) return null;
  return (
    <div className="stack no-print">
      {groups.length > 1 && (
        <div className="segmented wrap" role="group" aria-label="Error group of the issue">
          {groups.map((group) => (
            <button
              key={group.fingerprint}
              type="button"
              aria-pressed={group === shown}
              title={group.message}
              onClick={() => update({ group: group.fingerprint })}
            >
              <Status status={group.state} /> <span className="pattern ellipsis">{group.message}</span>
            </button>
          ))}
        </div>
      )}
      <IssueCard fingerprint={shown.fingerprint} key={shown.fingerprint}>
        <div className="small issue-of">
          <Link to={link(`/errors/${encodeURIComponent(shown.fingerprint)}`)}>{shown.message}</Link>
          <p className="muted">What is decided here holds for everyone whom this error meets.</p>
        </div>
      </IssueCard>
    </div>
  );
}
