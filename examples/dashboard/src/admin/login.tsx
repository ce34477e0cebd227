import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { ApiError, post, setCsrfToken } from '../api/client';
import type { Session } from '../api/types';
import { Icon, Logo } from '../ui/icons';

/** By the token that the server printed at its first start, or by name and password. */
export function Login() {
  const client = useQueryClient();
  const [byPassword, setByPassword] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);

  const submit = async (event: FormEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const value = (name: string): string => String(form.get(name) ?? '').trim();
    setBusy(true);
    setError(null);
    try {
      const body = byPassword
        ? { username: value('username'), password: String(form.get('password') ?? '') }
        : { token: value('token') };
      const who = await post<Session>('session', body);
      setCsrfToken(who.csrf_token);
      client.setQueryData(['session'], who);
    } catch (caught) {
      setError(explain(caught));
    } finally {
      setBusy(false);
    }
  };

  return (
    <main className="login">
      <form onSubmit={submit} aria-label="Log in">
        <div className="brand">
          <Logo size={30} />
          <h1>Omnify Trace</h1>
        </div>
        {byPassword ? (
          <>
            <div className="field">
              <label htmlFor="username">User name</label>
              <input id="username" name="username" autoComplete="username" required />
            </div>
            <div className="field">
              <label htmlFor="password">Password</label>
              <input id="password" name="password" type="password" autoComplete="current-password" required />
            </div>
          </>
        ) : (
          <div className="field">
            <label htmlFor="token">Admin token</label>
            <input
              id="token"
              name="token"
              type="password"
              autoComplete="current-password"
              spellCheck={false}
              required
              aria-describedby="token-help"
            />
            <p id="token-help" className="small muted">
              The server printed it at its first start; OMNIFY_ADMIN_TOKEN sets one of your own.
            </p>
          </div>
        )}
        {error && (
          <div className="note error" role="alert">
            <Icon name="alert" />
            {error}
          </div>
        )}
        <button type="submit" className="button primary" disabled={busy}>
          {busy ? 'Logging in…' : 'Log in'}
        </button>
        <button type="button" className="button ghost s" onClick={() => setByPassword(!byPassword)}>
          {byPassword ? 'Use an admin token' : 'Use a name and password'}
        </button>
      </form>
    </main>
  );
}

function explain(caught: unknown): string {
  if (!(caught instanceof ApiError)) return 'Logging in failed.';
  if (caught.status === 401) return 'That is not right. Check for missing characters at the ends.';
  if (caught.status === 429) return 'Too many attempts. Wait a minute, then try again.';
  return caught.message;
}
