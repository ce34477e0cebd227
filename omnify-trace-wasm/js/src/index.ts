/** Browser logger of Omnify Trace. Importing it does nothing; {@link start} does. */
import { getLogger } from './active.js';
import type { Logger, Options } from './types.js';

export { getLogger } from './active.js';
export type * from './types.js';

/** Starts the logger. A second call answers the running one. On a server it answers a silent logger. */
export async function start(_options: Options): Promise<Logger> {
  return getLogger();
}
