/** An error of any kind, taken apart for a line's `exception`. */
export interface Described {
  type: string;
  message: string;
  stack: string;
  /** The `exception` object as JSON. */
  json: string;
}

const MAX_CHAIN = 8;
const MAX_STACK = 8_192;

/** Takes an error apart: anything can be thrown, and nothing about it can be relied on. */
export function describe(error: unknown): Described {
  const { type, message, stack } = parts(error);
  const json = toJson({
    type,
    message,
    chain: causes(error),
    stacktrace: stack.slice(0, MAX_STACK),
  });
  return { type, message, stack, json };
}

/** JSON of anything: cycles, big numbers and throwing getters included. */
export function toJson(value: object): string {
  try {
    return JSON.stringify(value);
  } catch {
    const seen = new WeakSet();
    try {
      return JSON.stringify(value, (_key, part: unknown) => {
        if (typeof part === 'bigint') return part.toString();
        if (typeof part === 'object' && part !== null) {
          if (seen.has(part)) return '[circular]';
          seen.add(part);
        }
        return part;
      });
    } catch (reason) {
      return JSON.stringify({ unserialisable: String(reason) });
    }
  }
}

function parts(error: unknown): { type: string; message: string; stack: string } {
  try {
    if (typeof error === 'object' && error !== null && 'message' in error) {
      const { name, message, stack } = error as Partial<Error>;
      return { type: String(name || 'Error'), message: String(message), stack: typeof stack === 'string' ? stack : '' };
    }
    const shown = typeof error === 'object' && error !== null ? toJson(error).slice(0, 500) : String(error);
    return { type: typeof error === 'object' ? 'Object' : typeof error, message: shown, stack: '' };
  } catch {
    return { type: 'unknown', message: 'an error that cannot be read', stack: '' };
  }
}

/** `Type: message` of each cause, the outer one first; of an AggregateError, its members. */
function causes(error: unknown): string[] {
  const chain: string[] = [];
  const seen = new Set<unknown>([error]);
  const queue = inner(error);
  while (queue.length > 0 && chain.length < MAX_CHAIN) {
    const cause = queue.shift();
    if (seen.has(cause)) continue;
    seen.add(cause);
    const { type, message } = parts(cause);
    chain.push(`${type}: ${message}`);
    queue.push(...inner(cause));
  }
  return chain;
}

function inner(error: unknown): unknown[] {
  if (typeof error !== 'object' || error === null) return [];
  try {
    const { cause, errors } = error as { cause?: unknown; errors?: unknown };
    const found = cause === undefined ? [] : [cause];
    return Array.isArray(errors) ? [...found, ...(errors as unknown[]).slice(0, 3)] : found;
  } catch {
    return [];
  }
}
