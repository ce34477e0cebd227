/** A customer's page: each button does something real, and tells the reference under which support finds it. */
import { type FormEvent, useState } from 'react';
import { getLogger } from '../trace';
import { Status } from '../ui/basics';
import { Icon } from '../ui/icons';
import { call, type RunState, runState, startRun } from './calls';

const WORKFLOW = 'client-onboarding';
const POLL_MS = 700;
const GIVE_UP_MS = 60_000;
const DONE = new Set(['completed', 'failed', 'stalled', 'interrupted']);

interface Outcome {
  title: string;
  tone: 'ok' | 'error' | 'info';
  reference: string | null;
  run?: RunState;
}

export function CustomerPage() {
  const [outcomes, setOutcomes] = useState<readonly Outcome[]>([]);
  const [busy, setBusy] = useState<string | null>(null);
  const [broken, setBroken] = useState(false);
  if (broken) throw new Error('The plan picker could not be drawn');

  const add = (outcome: Outcome): void => setOutcomes((all) => [outcome, ...all].slice(0, 6));
  const update = (run: RunState): void =>
    setOutcomes((all) => all.map((o) => (o.run?.run_id === run.run_id ? { ...o, run, tone: tone(run.status) } : o)));
  const doing = async (what: string, action: () => Promise<void>): Promise<void> => {
    setBusy(what);
    try {
      await action();
    } catch (error) {
      add({
        title: 'That did not work',
        tone: 'error',
        reference: getLogger().captureError(error, { kind: 'customer-page' }),
      });
    } finally {
      setBusy(null);
    }
  };

  const start = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    void doing('start', async () => {
      const company = String(form.get('company') ?? '');
      // The page's own part of the run; the request carries its id, and the server goes on with it.
      const tracked = getLogger().workflow(WORKFLOW, { name: 'Client onboarding' }).start();
      tracked.step('send-form');
      const answer = await startRun(WORKFLOW, {
        company,
        email: String(form.get('email') ?? ''),
        plan: String(form.get('plan') ?? ''),
      });
      if (!answer.ok || !answer.body) {
        tracked.fail(new Error(`The onboarding could not be started (${answer.status})`));
        add({ title: 'The onboarding could not be started', tone: 'error', reference: answer.requestId });
        return;
      }
      tracked.step('show-outcome');
      const run: RunState = { run_id: answer.body.run_id, status: 'active' };
      add({ title: `Onboarding ${company}`, tone: 'info', reference: answer.requestId, run });
      void follow(run.run_id, (now) => {
        update(now);
        if (now.status === 'completed') tracked.complete();
        else if (DONE.has(now.status)) tracked.fail(new Error(now.error ?? `The run is ${now.status}`));
      });
    });
  };

  return (
    <div className="customer">
      <header>
        <div className="acme">
          <span>A</span>Acme
        </div>
        <a href="/admin/" className="button ghost">
          Open the dashboard
          <Icon name="right" size={14} />
        </a>
      </header>
      <main>
        <section className="hero">
          <h1>Welcome aboard.</h1>
          <p className="muted">
            Set up your company in a minute. This is the demo's customer page: what you do here is traced from the click
            to the last agent call.
          </p>
        </section>
        <div className="customer-grid">
          <form className="card pad-l stack" onSubmit={start} aria-label="Onboarding">
            <h2>Your company</h2>
            <div className="field">
              <label htmlFor="company">Company</label>
              <input id="company" name="company" defaultValue="Globex" required autoComplete="organization" />
            </div>
            <div className="field">
              <label htmlFor="email">Work email</label>
              <input
                id="email"
                name="email"
                type="email"
                defaultValue="pat@globex.example"
                required
                autoComplete="email"
              />
            </div>
            <fieldset className="plans">
              <legend className="label">Plan</legend>
              {['Starter', 'Team', 'Business'].map((plan, i) => (
                <label key={plan}>
                  <input type="radio" name="plan" value={plan.toLowerCase()} defaultChecked={i === 1} />
                  <span>{plan}</span>
                </label>
              ))}
            </fieldset>
            <button type="submit" className="button primary l" data-testid="start-run" disabled={busy !== null}>
              {busy === 'start' ? 'Starting…' : 'Start onboarding'}
            </button>
          </form>
          <div className="stack">
            <section className="card pad-l stack" aria-label="Try what goes wrong">
              <h2>Try what goes wrong</h2>
              <div className="row wrap">
                <button
                  type="button"
                  className="button"
                  data-testid="slow"
                  disabled={busy !== null}
                  onClick={() =>
                    doing('slow', async () => {
                      const answer = await call('GET', '/api/demo/slow');
                      add({
                        title: answer.ok ? 'The slow call is back' : `The slow call failed (${answer.status})`,
                        tone: answer.ok ? 'ok' : 'error',
                        reference: answer.requestId,
                      });
                    })
                  }
                >
                  {busy === 'slow' ? 'Waiting…' : 'A slow call'}
                </button>
                <button
                  type="button"
                  className="button"
                  data-testid="server-error"
                  disabled={busy !== null}
                  onClick={() =>
                    doing('fail', async () => {
                      const answer = await call('GET', '/api/demo/broken');
                      add({
                        title: `The server answered ${answer.status}`,
                        tone: answer.ok ? 'ok' : 'error',
                        reference: answer.requestId,
                      });
                    })
                  }
                >
                  A failing call
                </button>
                <button
                  type="button"
                  className="button"
                  data-testid="js-error"
                  onClick={() => {
                    add({ title: 'An error in this page was reported', tone: 'error', reference: getLogger().traceId });
                    // Thrown outside of React, as a forgotten case in an event handler would be.
                    setTimeout(() => {
                      throw new TypeError("Cannot read properties of undefined (reading 'invoice')");
                    });
                  }}
                >
                  A script error
                </button>
                <button type="button" className="button" data-testid="render-error" onClick={() => setBroken(true)}>
                  A broken component
                </button>
              </div>
            </section>
            <section className="card pad-l stack-s" aria-label="What happened" aria-live="polite">
              <h2>What happened</h2>
              {outcomes.length === 0 && (
                <p className="muted">
                  Nothing yet. Each action shows its reference here: paste it into the dashboard's search.
                </p>
              )}
              <ul className="outcomes">
                {outcomes.map((o, i) => (
                  <OutcomeRow key={`${o.reference}${outcomes.length - i}`} outcome={o} />
                ))}
              </ul>
            </section>
          </div>
        </div>
      </main>
    </div>
  );
}

const tone = (status: string): Outcome['tone'] =>
  status === 'completed' ? 'ok' : status === 'failed' || status === 'interrupted' ? 'error' : 'info';

/** Asks for the run's state until it has ended. */
async function follow(id: string, update: (run: RunState) => void): Promise<void> {
  const until = Date.now() + GIVE_UP_MS;
  while (Date.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    const answer = await runState(id).catch(() => null);
    if (!answer?.body || !answer.ok) continue;
    update(answer.body);
    if (DONE.has(answer.body.status)) return;
  }
}

function OutcomeRow({ outcome }: { outcome: Outcome }) {
  const { title, reference, run } = outcome;
  return (
    <li data-testid="outcome">
      <div className="row">
        <span className={`dot ${outcome.tone}`} />
        <strong className="grow">{title}</strong>
        {run && <Status status={run.status} />}
      </div>
      {reference && (
        <p className="small muted">
          Reference <code data-testid="reference">{reference}</code>{' '}
          <a href={`/admin/logs?q=${encodeURIComponent(reference)}`}>find it</a>
        </p>
      )}
      {run?.steps && run.steps.length > 0 && (
        <ul className="steps">
          {run.steps.map((s) => (
            <li key={s.step_id}>
              <Status status={s.status} /> {s.name ?? s.step_id}
            </li>
          ))}
        </ul>
      )}
    </li>
  );
}
