/** The demo's own API, and what of its answers a person can tell to support. */

/** Headers in which the server names the request. */
const REQUEST_ID = 'x-request-id';

export interface Answer<T> {
  ok: boolean;
  status: number;
  requestId: string | null;
  body: T | null;
}

export interface Started {
  run_id: string;
  request_id?: string;
}

export interface RunState {
  run_id: string;
  status: string;
  steps?: { step_id: string; name?: string; status: string }[];
  error?: string | null;
}

export async function call<T>(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer<T>> {
  const response = await fetch(path, {
    method,
    headers: {
      accept: 'application/json',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer = (await response.json().catch(() => null)) as (T & { request_id?: string }) | null;
  return {
    ok: response.ok,
    status: response.status,
    requestId: answer?.request_id ?? response.headers.get(REQUEST_ID),
    body: answer,
  };
}

export const startRun = (workflow: string, input: unknown): Promise<Answer<Started>> =>
  call('POST', `/api/workflows/${encodeURIComponent(workflow)}/runs`, input);

export const runState = (id: string): Promise<Answer<RunState>> => call('GET', `/api/runs/${encodeURIComponent(id)}`);
