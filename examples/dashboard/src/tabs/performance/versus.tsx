import { change, duration } from '../../lib/format';
import { Delta } from '../../ui/basics';

/** A duration, and how it compares with the one before. */
export function Versus({ now, before }: { now: number | null; before: number | null | undefined }) {
  return (
    <span className="nowrap" title={before === undefined ? undefined : `before: ${duration(before)}`}>
      {duration(now)}{' '}
      {before !== undefined && (
        <span className="small">
          <Delta share={change(now, before)} />
        </span>
      )}
    </span>
  );
}
