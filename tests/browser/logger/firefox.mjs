#!/usr/bin/env node
/**
 * Firefox for Playwright: the distribution's, over WebDriver BiDi. Playwright's own build comes from a
 * host of its own that many machines do not reach, and sends commands that a release of Firefox may not
 * know yet. Those of no concern to the tests are answered here; everything else passes through.
 */
import { spawn } from 'node:child_process';

import { WebSocket, WebSocketServer } from 'ws';

/** Emulation of media features, which these tests do not use. */
const NOT_YET_KNOWN = new Set(['emulation.setMediaFeaturesOverride']);

const child = spawn(process.env.FIREFOX ?? 'firefox-esr', process.argv.slice(2), { stdio: ['inherit', 'inherit', 'pipe'] });
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code) => process.exit(code ?? 1));

let said = '';
child.stderr.on('data', (part) => {
  said += part;
  const lines = said.split('\n');
  said = lines.pop() ?? '';
  for (const line of lines) {
    const address = /^WebDriver BiDi listening on (ws:\/\/.*)$/.exec(line.trim())?.[1];
    if (address) stand(address);
    else process.stderr.write(`${line}\n`);
  }
});

/** Stands between Playwright and the browser. */
function stand(address) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 }, () => {
    process.stderr.write(`WebDriver BiDi listening on ws://127.0.0.1:${server.address().port}\n`);
  });
  server.on('connection', (client, request) => {
    const browser = new WebSocket(address + (request.url ?? ''), { perMessageDeflate: false, maxPayload: 256 * 1024 * 1024 });
    const early = [];
    client.on('message', (data) => {
      const text = String(data);
      const { id, method } = JSON.parse(text);
      if (NOT_YET_KNOWN.has(method)) client.send(JSON.stringify({ type: 'success', id, result: {} }));
      else if (browser.readyState === WebSocket.OPEN) browser.send(text);
      else early.push(text);
    });
    browser.on('open', () => early.splice(0).forEach((text) => browser.send(text)));
    browser.on('message', (data) => client.send(String(data)));
    browser.on('close', () => client.close());
    client.on('close', () => browser.close());
    browser.on('error', () => client.close());
  });
}
