/** What people decided about an error group: state, ticket, who looks after it, a note. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type ChangeEvent, type FormEvent, type ReactNode, useState } from 'react';
import { put } from '../../api/client';
import { issue as issueQuery } from '../../api/queries';
import type { Issue } from '../../api/types';
import { Card, Loaded, SkeletonRows, Time } from '../../ui/basics';
import { Icon } from '../../ui/icons';

type Change = Partial<Pick<Issue, 'state' | 'ticket_url' | 'assignee' | 'note'>>;

const STATES = [
  ['ongoing', 'Open'],
  ['resolved', 'Resolved'],
  ['ignored', 'Ignored'],
] as const;

export function IssueCard({ fingerprint, children }: { fingerprint: string; children?: ReactNode }) {
  const client = useQueryClient();
  const query = useQuery(issueQuery(fingerprint));
  const change = useMutation({
    mutationFn: (body: Change) => put<Issue>(`issues/${encodeURIComponent(fingerprint)}`, body),
    onSuccess: (issue) => {
      client.setQueryData(issueQuery(fingerprint).queryKey, issue);
      for (const key of ['error', 'errors', 'stats']) void client.invalidateQueries({ queryKey: [key] });
    },
  });
  const issue = query.data;
  return (
    <Card
      title="Issue"
      sub={
        issue ? (
          <>
            changed by {issue.updated_by}, <Time iso={issue.updated_at} as="ago" />
          </>
        ) : (
          'nobody has decided yet'
        )
      }
      actions={
        <div className="segmented" role="group" aria-label="State of the issue">
          {STATES.map(([state, name]) => (
            <button
              key={state}
              type="button"
              aria-pressed={(issue?.state ?? 'ongoing') === state}
              disabled={change.isPending}
              onClick={() => change.mutate({ state })}
            >
              {name}
            </button>
          ))}
        </div>
      }
    >
      {children}
      <Loaded query={query} what="The issue" loading={<SkeletonRows rows={2} height={36} />}>
        {(known) => (
          <Details
            issue={known}
            busy={change.isPending}
            onSave={(body, saved) => change.mutate(body, { onSuccess: saved })}
          />
        )}
      </Loaded>
      {change.error && (
        <div className="note error" role="alert">
          <Icon name="alert" />
          {change.error.message}
        </div>
      )}
    </Card>
  );
}

function Details({
  issue,
  busy,
  onSave,
}: {
  issue: Issue | null;
  busy: boolean;
  onSave: (change: Change, saved: () => void) => void;
}) {
  // What one types stays, whatever else changes about the issue meanwhile; only that is sent.
  const [draft, setDraft] = useState<Change>({});
  const field = (name: 'ticket_url' | 'assignee' | 'note') => ({
    id: name,
    name,
    value: draft[name] ?? issue?.[name] ?? '',
    onChange: (event: ChangeEvent<HTMLInputElement>) => setDraft({ ...draft, [name]: event.target.value }),
  });
  const save = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const change = Object.fromEntries(Object.entries(draft).map(([name, value]) => [name, value?.trim()]));
    onSave(change, () => setDraft((now) => (now === draft ? {} : now)));
  };
  return (
    <form className="issue" onSubmit={save} aria-label="Issue">
      <div className="field">
        <label htmlFor="ticket_url">
          Ticket{' '}
          {issue?.ticket_url && (
            <a href={issue.ticket_url} target="_blank" rel="noreferrer noopener">
              open
            </a>
          )}
        </label>
        <input type="url" placeholder="https://tracker.example/ISSUE-1" {...field('ticket_url')} />
      </div>
      <div className="field">
        <label htmlFor="assignee">Looked after by</label>
        <input autoComplete="off" {...field('assignee')} />
      </div>
      <div className="field note-field">
        <label htmlFor="note">Note</label>
        <input autoComplete="off" {...field('note')} />
      </div>
      <button type="submit" className="button" disabled={busy}>
        {busy ? 'Saving…' : 'Save'}
      </button>
    </form>
  );
}
