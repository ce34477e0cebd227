/** The browser logger of both pages. */
import { getLogger, start } from '@omnify/trace';

export { getLogger };

/** Starts it; the page works as well where it cannot start. */
export async function startTrace(app: string): Promise<void> {
  try {
    await start({ app });
  } catch (error) {
    console.warn('The browser logger could not start.', error);
  }
}
