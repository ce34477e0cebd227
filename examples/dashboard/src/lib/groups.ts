/** Which error groups a support report tells of. */
import type { ErrorGroup, SupportReport } from '../api/types';

/** More than these are a page of their own. */
const MOST = 4;

/** The groups of the report's error patterns, in the report's order. A pattern is `type: message` of its group. */
export function groupsOf(report: Pick<SupportReport, 'error_patterns'>, groups: readonly ErrorGroup[]): ErrorGroup[] {
  const named = new Map(groups.map((group) => [`${group.type}: ${group.message}`, group]));
  return report.error_patterns
    .map(({ pattern }) => named.get(pattern))
    .filter((group) => group !== undefined)
    .slice(0, MOST);
}
