/**
 * The WebAssembly core: loads it and calls it. By hand, because wasm-bindgen's glue is three times as
 * large; the types are those that wasm-bindgen writes for the module, so that neither changes alone.
 */
import type * as Module from '#module';

/** Where the module is, or the module. */
export type Source = string | URL | WebAssembly.Module | BufferSource;

export const encoder = new TextEncoder();
let wasm: typeof Module;
let memory = new Uint8Array();
/** The length of what was put into the module last. */
let length = 0;

/** Loads the module, in the place of any earlier one. */
export async function load(from: Source = new URL('./core/core_bg.wasm', import.meta.url)): Promise<void> {
  // Nothing that it calls but this, and no value of JavaScript's ever goes into its table.
  const imports = { './core_bg.js': { __wbindgen_init_externref_table: (): void => undefined } };
  const source = typeof from === 'string' || from instanceof URL ? await download(from) : from;
  const made: WebAssembly.Instance | WebAssembly.WebAssemblyInstantiatedSource = await WebAssembly.instantiate(source as BufferSource, imports);
  wasm = ('exports' in made ? made : made.instance).exports as unknown as typeof Module;
  memory = new Uint8Array();
}

async function download(from: string | URL): Promise<ArrayBuffer> {
  const response = await fetch(from);
  if (!response.ok) throw Error(String(response.status));
  // Not streamed: the module is small, and servers that do not know its type are many.
  return response.arrayBuffer();
}

/** The module's memory: another one once it has grown. */
function view(): Uint8Array {
  if (memory.length === 0) memory = new Uint8Array(wasm.memory.buffer);
  return memory;
}

/** Hands bytes over to the module; answers where they are. */
function put(bytes: Uint8Array): number {
  length = bytes.length;
  const at = wasm.__wbindgen_malloc(length, 1);
  view().set(bytes, at);
  return at;
}

/** Hands a text over to the module; answers where it is. */
function text(value: string): number {
  // Most are ASCII and fit as they are. Letter by letter: for what a log line has, the encoder takes longer to call.
  length = value.length;
  const at = wasm.__wbindgen_malloc(length, 1);
  const bytes = view();
  let done = 0;
  for (let code; done < length && (code = value.charCodeAt(done)) < 128; done++) bytes[at + done] = code;
  if (done === length) return at;
  wasm.__wbindgen_free(at, length, 1);
  return put(encoder.encode(value));
}

/** Takes over what the module answered. */
function answer([at, size]: [number, number]): Uint8Array<ArrayBuffer> {
  // Signed, as wasm gives it: the module's memory is never half of what it may be.
  const bytes = view().slice(at, at + size) as Uint8Array<ArrayBuffer>;
  wasm.__wbindgen_free(at, size, 1);
  return bytes;
}

// What each of these does is said where it lives, in `omnify-trace-wasm/src/exports.rs`.

export function create(seed: Uint8Array, now: number): void {
  wasm.create(put(seed), length, now);
}

export function set(what: number, value: string, now: number): void {
  wasm.set(what, text(value), length, now);
}

export function get(what: number, now: number): Uint8Array {
  return answer(wasm.get(what, now));
}

export function count(what: number): number {
  return wasm.count(what);
}

export function notice(what: number, value: number, now: number): boolean {
  return wasm.notice(what, value, now) !== 0;
}

export function log(level: number, event: number, parts: string, request: number, now: number): void {
  wasm.log(level, event, text(parts), length, request, now);
}

export function judge(parts: string, now: number): Uint8Array {
  return answer(wasm.judge(text(parts), length, now));
}

export function request_start(url: string, follow: boolean, now: number): Uint8Array {
  return answer(wasm.request_start(text(url), length, Number(follow), now));
}

export function request_end(request: number, now: number): void {
  wasm.request_end(request, now);
}

export function due(now: number): number {
  return wasm.due(now);
}

export function take(limit: number, hurry: boolean, now: number): Uint8Array<ArrayBuffer> {
  return answer(wasm.take(limit, Number(hurry), now));
}

export function done(id: number, status: number, rejected: number, pause: number, now: number): void {
  wasm.done(id, status, rejected, pause, now);
}
