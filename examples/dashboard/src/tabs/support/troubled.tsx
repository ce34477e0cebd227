/** Where to begin: customers with errors in this range. */
import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { facets } from '../../api/queries';
import { count } from '../../lib/format';
import { useTimeRange } from '../../lib/time-range';
import { Card, Empty, Loaded, SkeletonRows } from '../../ui/basics';
import { useTabLink } from '../../ui/links';

const FIELDS = [
  ['context.user_id', 'Users with errors'],
  ['context.organization_id', 'Organizations with errors'],
] as const;

export function Troubled() {
  const range = useTimeRange();
  const query = useQuery(facets({ ...range.params, level: 'ERROR' }, FIELDS.map(([field]) => field).join(','), 8));
  return (
    <div className="grid">
      {FIELDS.map(([field, title], i) => (
        <Card key={field} title={title} sub="most first" className="w6">
          <Loaded query={query} what={title} loading={<SkeletonRows rows={4} />}>
            {(data) => <Values values={data.facets[i]?.values ?? []} />}
          </Loaded>
        </Card>
      ))}
    </div>
  );
}

function Values({ values }: { values: readonly { value: string; count: number }[] }) {
  const link = useTabLink();
  if (values.length === 0) return <Empty icon="check" title="None in this range" />;
  return (
    <ul className="components">
      {values.map((v) => (
        <li key={v.value}>
          <Link className="grow ellipsis" to={link('/support', { client: v.value })}>
            {v.value}
          </Link>
          <span className="small muted num">
            {count(v.count)} {v.count === 1 ? 'error' : 'errors'}
          </span>
        </li>
      ))}
    </ul>
  );
}
