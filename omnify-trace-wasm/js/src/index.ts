/** Browser logger of Omnify Trace. Importing it does nothing; {@link start} does. */
export { getLogger } from './active.js';
export { start } from './start.js';
export type * from './types.js';
