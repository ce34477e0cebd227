/** What needs attention: changes, open alerts, health, error groups, unfinished code. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from 'react-router';
import { post } from '../../api/client';
import { alerts, health, incomplete, stats } from '../../api/queries';
import type { Alert, ErrorGroup, Health } from '../../api/types';
import { firing, measured } from '../../lib/alerts';
import { changes } from '../../lib/changes';
import { bytes, count, duration } from '../../lib/format';
import { useTimeRange } from '../../lib/time-range';
import {
  Badge,
  Card,
  Empty,
  Loaded,
  SkeletonRows,
  Sparkline,
  Status,
  statusTone,
  Time,
  type Tone,
} from '../../ui/basics';
import { Icon } from '../../ui/icons';
import { useTabLink } from '../../ui/links';
import { Table } from '../../ui/table';

/** Always the last hour, whatever range the charts show. */
const LAST_HOUR = { timeRange: '1h' };

export function WhatChanged() {
  const link = useTabLink();
  const query = useQuery({ ...stats(LAST_HOUR), refetchInterval: 15_000 });
  return (
    <Card title="What changed" sub="in the last hour, against the one before" className="w4">
      <Loaded query={query} what="What changed" loading={<SkeletonRows rows={5} height={22} />}>
        {(data) => {
          const list = changes(data);
          if (list.length === 0) {
            return (
              <Empty icon="check" title="Nothing unusual">
                Numbers are close to those of the hour before.
              </Empty>
            );
          }
          return (
            <ul className="changes">
              {list.map((c) => (
                <li key={c.text}>
                  <span className={`dot ${c.tone}`} />
                  {c.query ? (
                    <Link to={link('/logs', { q: c.query, range: '1h', from: null, to: null })}>{c.text}</Link>
                  ) : (
                    <span>{c.text}</span>
                  )}
                </li>
              ))}
            </ul>
          );
        }}
      </Loaded>
    </Card>
  );
}

const SEVERITY_TONE: Record<Alert['severity'], Tone> = { critical: 'error', warning: 'warn', info: 'info' };

export function AlertsCard() {
  const query = useQuery(alerts);
  const open = query.data && firing(query.data.alerts);
  return (
    <Card
      title="Open alerts"
      className="w4"
      actions={
        open && open.length > 0 && <Badge tone={SEVERITY_TONE[open[0]?.severity ?? 'info']}>{open.length}</Badge>
      }
    >
      <Loaded query={query} what="Alerts" loading={<SkeletonRows rows={4} height={30} />}>
        {(data) =>
          open && open.length > 0 ? (
            <ul className="components alerts">
              {open.map((alert) => (
                <OpenAlert key={alert.id} alert={alert} />
              ))}
            </ul>
          ) : (
            <Empty icon="check" title="No alert is open">
              {data.alerts.length === 1 ? 'One rule is' : `${count(data.alerts.length)} rules are`} watched.
            </Empty>
          )
        }
      </Loaded>
    </Card>
  );
}

function OpenAlert({ alert }: { alert: Alert }) {
  const link = useTabLink();
  const client = useQueryClient();
  const silence = useMutation({
    mutationFn: (time: string | null) =>
      post<Alert>(`alerts/${encodeURIComponent(alert.id)}/silence`, time === null ? {} : { for: time }),
    onSettled: () => void client.invalidateQueries({ queryKey: alerts.queryKey }),
  });
  const silent = alert.silenced_until !== null;
  return (
    <li>
      <span className={`dot ${silent ? 'gray' : SEVERITY_TONE[alert.severity]}`} title={alert.severity} />
      <span className="grow ellipsis">
        <Link to={link('/logs', alert.search ? { q: alert.search } : {})}>{alert.name}</Link>
        <span className="small muted ellipsis block">
          {silence.error ? (
            <span className="error-text" role="alert">
              {silence.error.message}
            </span>
          ) : (
            <>
              {measured(alert)} ·{' '}
              {silent ? (
                <>
                  silent until <Time iso={alert.silenced_until} as="clock" />
                </>
              ) : (
                <>
                  {alert.status === 'pending' ? 'pending since ' : 'since '}
                  <Time iso={alert.since} as="ago" />
                </>
              )}
            </>
          )}
        </span>
      </span>
      <button
        type="button"
        className="button s ghost"
        disabled={silence.isPending}
        onClick={() => silence.mutate(silent ? null : '1h')}
        aria-label={`${silent ? 'Unsilence' : 'Silence 1 h'}: ${alert.name}`}
      >
        {silent ? 'Unsilence' : 'Silence 1 h'}
      </button>
    </li>
  );
}

export function HealthCard() {
  const query = useQuery(health);
  return (
    <Card
      title="Health"
      actions={query.data && <Badge tone={statusTone(query.data.status)}>{query.data.status}</Badge>}
    >
      <Loaded query={query} what="Health" loading={<SkeletonRows rows={7} height={22} />}>
        {(data) => (
          <ul className="components">
            {parts(data).map(([name, tone, detail]) => (
              <li key={name}>
                <span className={`dot ${tone}`} />
                <span className="name">{name}</span>
                <span className="muted ellipsis small" title={detail}>
                  {detail}
                </span>
              </li>
            ))}
            <li>
              <span className="dot ok" />
              <span className="name">oldest line</span>
              <span className="muted small">
                {typeof data.store.oldest === 'string' ? <Time iso={data.store.oldest} as="ago" /> : 'none yet'}
              </span>
            </li>
          </ul>
        )}
      </Loaded>
    </Card>
  );
}

/** What is well, and what is not: name, tone, and the number behind it. */
function parts({
  components,
  store,
  journal,
  uptime_s,
  version,
}: Health): [name: string, tone: Tone, detail: string][] {
  const of = (key: string): number => Number(store[key] ?? 0);
  const lost = Number(journal.lost_lines ?? 0);
  const bad = of('malformed') + of('quarantined');
  return [
    ...components.map((c): [string, Tone, string] => [c.name, statusTone(c.status), c.detail || c.status]),
    ['storage', 'ok', `${count(of('lines'))} lines · ${bytes(of('bytes'))} in ${count(of('segments'))} segments`],
    [
      'reading',
      of('behind_bytes') > 1_000_000 ? 'warn' : 'ok',
      of('behind_bytes') ? `${bytes(of('behind_bytes'))} behind` : 'up to date',
    ],
    [
      'unreadable',
      bad ? 'warn' : 'ok',
      bad ? `${count(of('malformed'))} lines, ${count(of('quarantined'))} files` : 'none',
    ],
    ['lost lines', lost ? 'error' : 'ok', lost ? count(lost) : 'none'],
    ['live tails', 'ok', count(Number(journal.live_streams ?? 0))],
    ['uptime', 'ok', `${duration(uptime_s * 1000)} · v${version}`],
  ];
}

export function TopErrors({ errors }: { errors: readonly ErrorGroup[] }) {
  const link = useTabLink();
  return (
    <Card title="Top errors" sub="grouped by what they have in common" className="w8" flush>
      {errors.length === 0 ? (
        <Empty icon="check" title="No errors in this range" />
      ) : (
        <Table
          rows={errors}
          id={(e) => e.fingerprint}
          columns={[
            {
              name: 'Error',
              cut: true,
              cell: (e) => (
                <>
                  <Link to={link(`/errors/${encodeURIComponent(e.fingerprint)}`)}>{e.message}</Link>
                  <span className="small muted">{e.type}</span>
                </>
              ),
            },
            { name: 'State', cell: (e) => <Status status={e.state} /> },
            {
              name: 'Trend',
              hideSmall: true,
              className: 'trend',
              cell: (e) => <Sparkline values={e.trend} tone="error" label="Trend" />,
            },
            { name: 'Count', right: true, cell: (e) => count(e.count) },
            { name: 'Users', right: true, hideSmall: true, cell: (e) => count(e.users) },
            { name: 'Last seen', right: true, className: 'muted', cell: (e) => <Time iso={e.last_seen} as="ago" /> },
          ]}
        />
      )}
    </Card>
  );
}

export function Unfinished() {
  const range = useTimeRange();
  const link = useTabLink();
  const query = useQuery(incomplete(range.params));
  return (
    <Card title="Unfinished code" sub="reached while running">
      <Loaded query={query} what="Unfinished code" loading={<SkeletonRows rows={3} />}>
        {(data) =>
          data.items.length === 0 ? (
            <Empty icon="check" title="None was reached" />
          ) : (
            <ul className="components">
              {data.items.slice(0, 8).map((item) => (
                <li key={`${item.location}${item.kind}`} className="two">
                  <Icon name="alert" />
                  <span className="grow ellipsis">
                    <Link to={link('/logs', { q: 'event_type:incomplete_code' })} className="mono">
                      {item.location}
                    </Link>
                    <span className="small muted ellipsis block">{item.message || item.kind}</span>
                  </span>
                  <Badge tone="warn">{count(item.count)}×</Badge>
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </Card>
  );
}
