/** Starts `omnify-server demo` on a free port with a directory of its own, and stops it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Cookies of the session that the set-up opened. */
export const STATE = join(import.meta.dirname, '../../artifacts/session.json');
export const TOKEN = process.env.OMNIFY_E2E_TOKEN ?? 'end-to-end-test-token-0123456789abcdef';
/** Debug builds on a busy machine take their time. */
const READY_MS = 60_000;

/** Where the server is; the set-up puts it here for the workers. */
export function base(): string {
  const address = process.env.OMNIFY_E2E_BASE;
  if (!address) throw new Error('the set-up did not run');
  return address;
}

/** GET of the admin API. */
export async function admin<T = Record<string, unknown>>(path: string): Promise<T> {
  const response = await fetch(`${base()}/api/admin/${path}`, { headers: { authorization: `Bearer ${TOKEN}` } });
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  return response.json() as Promise<T>;
}

/** POST, PUT or DELETE of the admin API. */
export async function change<T = Record<string, unknown>>(method: 'POST' | 'PUT' | 'DELETE', path: string, body?: object): Promise<T> {
  const response = await fetch(`${base()}/api/admin/${path}`, {
    method,
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
  return (text ? JSON.parse(text) : {}) as T;
}

/** Six letters that no other test has: what begins with digits would be taken for a number and grouped away. */
export const word = (): string => Array.from({ length: 6 }, () => String.fromCharCode(97 + Math.floor(Math.random() * 26))).join('');

/** Sends an entry as a browser's logger would. */
export const send = (entry: object): Promise<Response> =>
  fetch(`${base()}/api/logs/frontend`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify([entry]) });

/**
 * An error of the test's own, of a customer of its own: tests run side by side, and what one decides about
 * an error group another must not find. Answers once both are known.
 */
export async function ownError(): Promise<{ user: string; fingerprint: string; message: string; trace: string }> {
  const name = word();
  const trace = randomBytes(16).toString('hex');
  const user = `u-${name}`;
  const message = `The ${name} drawer is jammed`;
  const entry = {
    timestamp: new Date().toISOString(),
    level: 'ERROR',
    message,
    event_type: 'frontend_error',
    target: 'end-to-end',
    context: { user_id: user, trace_id: trace, span_id: randomBytes(8).toString('hex') },
    exception: { type: `Jammed${name}Error`, message, stacktrace: `at ${name} (drawer.js:1:1)` },
  };
  const sent = await send(entry);
  if (sent.status !== 202) throw new Error(`the intake answered ${sent.status}: ${await sent.text()}`);
  const fingerprint = await until('the error group', 60_000, async () => {
    const { errors } = await admin<{ errors: { fingerprint: string; message: string }[] }>('errors?timeRange=1h');
    return errors.find((e) => e.message.includes(name))?.fingerprint;
  });
  return { user, fingerprint, message, trace };
}

/** Asks again until the answer is there. */
export async function until<T>(what: string, ms: number, ask: () => Promise<T | null | undefined | false>): Promise<T> {
  const deadline = Date.now() + ms;
  let last: unknown;
  while (Date.now() < deadline) {
    try {
      const answer = await ask();
      if (answer) return answer;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`${what}: not within ${ms / 1000} s${last ? ` (${String(last)})` : ''}`);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => (address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port'))));
    });
  });
}

export interface Running {
  base: string;
  stop: () => Promise<void>;
}

export async function startServer(): Promise<Running> {
  const binary = process.env.OMNIFY_SERVER_BIN;
  if (!binary) throw new Error('OMNIFY_SERVER_BIN has to name the built omnify-server');
  const directory = mkdtempSync(join(tmpdir(), 'omnify-e2e-'));
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  const said: string[] = [];
  const child = spawn(binary, ['demo'], {
    cwd: directory,
    env: {
      ...process.env,
      OMNIFY_LISTEN: `127.0.0.1:${port}`,
      OMNIFY_DATA_DIR: join(directory, 'data'),
      OMNIFY_ADMIN_TOKEN: TOKEN,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => said.push(part.toString()));
  const stop = async (): Promise<void> => {
    await end(child);
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await until('the server is ready', READY_MS, async () => {
      if (child.exitCode !== null) return true;
      return (await fetch(`${address}/readyz`)).ok;
    });
    if (child.exitCode !== null) throw new Error(`the server ended with code ${child.exitCode}`);
  } catch (error) {
    await stop();
    throw new Error(`${String(error)}\n${said.join('')}`);
  }
  return { base: address, stop };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await ended;
  clearTimeout(timer);
}
