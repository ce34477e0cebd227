/** A tiny site: the built page under a strict policy, an API, and the logger's endpoint. */
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

import { OUT } from './build.js';

const EARLY = fileURLToPath(new URL('../../../omnify-trace-wasm/js/dist/early.js', import.meta.url));
const TYPES: Record<string, string> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript',
  wasm: 'application/wasm',
};

/** A line as the logger writes it. */
export interface Entry {
  timestamp: string;
  level: string;
  message: string;
  event_type?: string;
  target: string;
  source: string;
  context: Record<string, string>;
  extra?: Record<string, unknown>;
  exception?: { type: string; message: string; chain: string[]; stacktrace: string };
}

/** A request that the page made of the API. */
export interface Call {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
}

/** How the logger's endpoint answers. */
export interface Answer {
  status: number;
  headers?: Record<string, string>;
  body?: string;
}

export class Site {
  readonly batches: { sentAt: string; entries: Entry[]; bytes: number }[] = [];
  readonly calls: Call[] = [];
  /** When the logger's endpoint answered with each status: Unix milliseconds. */
  readonly answered: { status: number; at: number }[] = [];
  /** Answers of the logger's endpoint, used up one by one; then 202. */
  readonly answers: Answer[] = [];
  readonly #servers: Server[] = [];
  /** The page's own origin. */
  origin = '';
  /** An origin that the page may call, and trace if it is told so. */
  other = '';

  get entries(): Entry[] {
    return this.batches.flatMap((batch) => batch.entries);
  }

  async open(): Promise<this> {
    this.other = await this.#listen();
    this.origin = await this.#listen();
    return this;
  }

  async close(): Promise<void> {
    for (const server of this.#servers) {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    }
  }

  async #listen(): Promise<string> {
    const server = createServer((request, response) => {
      this.#serve(request, response).catch(() => response.destroy());
    });
    this.#servers.push(server);
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://x');
    response.setHeader('access-control-allow-origin', '*');
    response.setHeader('access-control-allow-headers', '*');
    if (url.pathname === '/api/logs/frontend') return this.#take(request, response);
    if (url.pathname.startsWith('/api/')) return this.#call(request, response, url.pathname);
    return this.#file(response, url.pathname);
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const text = await body(request);
    const answer = this.answers.shift() ?? { status: 202 };
    this.answered.push({ status: answer.status, at: Date.now() });
    if (answer.status < 300) {
      const { sent_at, entries } = JSON.parse(text) as { sent_at: string; entries: Entry[] };
      this.batches.push({ sentAt: sent_at, entries, bytes: Buffer.byteLength(text) });
    }
    const accepted = answer.body ?? '{"accepted":1,"rejected":[]}';
    response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers }).end(accepted);
  }

  async #call(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    if (path === '/api/broken') {
      request.socket.destroy();
      return;
    }
    await body(request);
    this.calls.push({ method: request.method ?? '', path, headers: request.headers });
    const status = /^\/api\/status\/(\d+)/.exec(path)?.[1];
    response.writeHead(Number(status ?? 200), { 'content-type': 'application/json', 'content-length': 11 }).end('{"ok":true}');
  }

  async #file(response: ServerResponse, path: string): Promise<void> {
    const extension = path.split('.')[1] ?? 'html';
    const name = path === '/early.js' ? EARLY : join(OUT, normalize(path.includes('.') ? path : '/index.html'));
    try {
      const content = await readFile(name);
      response.setHeader('content-security-policy', this.#policy());
      response.writeHead(200, { 'content-type': TYPES[extension] ?? 'application/octet-stream' }).end(content);
    } catch {
      response.writeHead(404).end();
    }
  }

  #policy(): string {
    return [
      "default-src 'self'",
      "script-src 'self' 'wasm-unsafe-eval'",
      `connect-src 'self' ${this.other}`,
      "style-src 'self'",
      "object-src 'none'",
      "base-uri 'self'",
      "require-trusted-types-for 'script'",
    ].join('; ');
  }
}

async function body(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}
