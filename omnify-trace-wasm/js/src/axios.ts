/** Follows the requests of an axios instance, whatever adapter it sends them with. */
import { getLogger } from './active.js';
import { follow, type Followed } from './hooks/requests.js';
import { BrowserLogger } from './logger.js';

/** The part of an axios instance that is needed: no dependency on axios itself. */
export interface AxiosLike {
  getUri: (config?: never) => string;
  interceptors: {
    // eslint-disable-next-line @typescript-eslint/no-explicit-any -- axios' own types differ between versions
    request: { use: (onSend: (config: any) => any) => number; eject: (id: number) => void };
    // eslint-disable-next-line @typescript-eslint/no-explicit-any
    response: { use: (onAnswer: (answer: any) => any, onError: (error: any) => any) => number; eject: (id: number) => void };
  };
}

interface Config {
  method?: string;
  headers: { has: (name: string) => boolean; set: (name: string, value: string) => void };
}

/** A request's configuration as the adapter got it: its data is what was sent. */
interface Sent {
  data?: unknown;
}

interface Answer {
  status: number;
  headers: Record<string, unknown>;
  config: Sent;
}

/** Adds trace headers and logs start, answer and error of each request. Answers what undoes it. */
export function traceAxios(axios: AxiosLike): () => void {
  const open = new WeakMap<object, Followed>();
  const end = (config: Sent | undefined, status: number, bytes: number, error?: string): void => {
    const followed = config && open.get(config);
    if (followed) {
      open.delete(config);
      followed.end(status, bytes, error, config.data);
    }
  };
  const request = axios.interceptors.request.use((config: Config) => {
    const logger = getLogger();
    if (!(logger instanceof BrowserLogger) || config.headers.has('traceparent')) return config;
    const url = new URL(axios.getUri(config as never), document.baseURI);
    const followed = follow(logger, (config.method ?? 'get').toUpperCase(), url);
    // Where headers must not go, the hook on fetch and XMLHttpRequest follows the request, if it is there.
    if (!followed?.headers) return config;
    for (const [name, value] of Object.entries(followed.headers)) {
      if (!config.headers.has(name)) config.headers.set(name, value);
    }
    open.set(config, followed);
    return config;
  });
  const response = axios.interceptors.response.use(
    (answer: Answer) => {
      end(answer.config, answer.status, Number(answer.headers['content-length'] ?? -1));
      return answer;
    },
    (error: { config?: Sent; code?: string; name?: string; response?: Answer }) => {
      const cancelled = error.code === 'ERR_CANCELED';
      const name = error.response ? '' : cancelled ? 'AbortError' : (error.code ?? error.name ?? 'Error');
      end(error.config, error.response?.status ?? 0, -1, name);
      return Promise.reject(error);
    },
  );
  return () => {
    axios.interceptors.request.eject(request);
    axios.interceptors.response.eject(response);
  };
}
