/** Calls of the admin API. Every failure is an {@link ApiError}; its ids lead to the lines on the server. */

const BASE = '/api/admin';
/** Header that proves a changing call came from this page. */
const CSRF_HEADER = 'x-csrf-token';

/** RFC 9457 problem, with our extensions. */
export interface Problem {
  title?: string;
  detail?: string;
  status?: number;
  code?: string;
  request_id?: string;
  trace_id?: string;
}

export class ApiError extends Error {
  readonly status: number;
  readonly problem: Problem;
  constructor(status: number, problem: Problem) {
    super(
      problem.detail ??
        problem.title ??
        (status === 0 ? 'The server does not answer.' : `The server answered ${status}.`),
    );
    this.name = 'ApiError';
    this.status = status;
    this.problem = problem;
  }
}

let csrfToken: string | undefined;

/** Keeps the token that changing calls send along. */
export function setCsrfToken(token: string | undefined): void {
  csrfToken = token;
}

export type Params = Record<string, string | number | boolean | null | undefined>;

/** `?a=b` of the values that are there. */
export function queryString(params: Params): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(params)) {
    if (value !== undefined && value !== null && value !== '') search.set(key, String(value));
  }
  const text = search.toString();
  return text && `?${text}`;
}

/** The address of an admin route, for EventSource and downloads. */
export function apiUrl(path: string, params: Params = {}): string {
  return `${BASE}/${path}${queryString(params)}`;
}

async function send(
  method: string,
  path: string,
  params: Params,
  body: unknown,
  signal?: AbortSignal,
): Promise<Response> {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (body !== undefined) headers['content-type'] = 'application/json';
  if (method !== 'GET' && csrfToken) headers[CSRF_HEADER] = csrfToken;
  let response: Response;
  try {
    response = await fetch(apiUrl(path, params), {
      method,
      headers,
      credentials: 'same-origin',
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, { detail: 'The server does not answer. Is it running?' });
  }
  if (!response.ok) {
    const problem = (await response.json().catch(() => ({}))) as Problem;
    throw new ApiError(response.status, problem);
  }
  return response;
}

export async function get<T>(path: string, params: Params = {}, signal?: AbortSignal): Promise<T> {
  return (await send('GET', path, params, undefined, signal)).json() as Promise<T>;
}

export async function post<T>(path: string, body: unknown, params: Params = {}, signal?: AbortSignal): Promise<T> {
  return (await send('POST', path, params, body, signal)).json() as Promise<T>;
}

export async function put<T>(path: string, body: unknown): Promise<T> {
  return (await send('PUT', path, {}, body)).json() as Promise<T>;
}

export async function postForText(path: string, body: unknown, params: Params): Promise<string> {
  return (await send('POST', path, params, body)).text();
}

export async function remove(path: string): Promise<void> {
  await send('DELETE', path, {}, undefined);
}
