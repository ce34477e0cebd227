import { dateTime } from '../lib/format';
import { DEFAULT_RANGE, RANGES, useTimeRange } from '../lib/time-range';
import { useUrlState } from '../lib/url-state';
import { Icon } from './icons';

/** The range of every tab. A brushed (fixed) range shows its ends and can be let go. */
export function RangePicker() {
  const range = useTimeRange();
  const [, update] = useUrlState();
  const fixed = 'from' in range.params ? range.params : null;
  return (
    <div className="select">
      <select
        aria-label="Time range"
        value={range.relative ?? 'fixed'}
        onChange={(event) =>
          update(
            {
              range: event.target.value === DEFAULT_RANGE ? null : event.target.value,
              from: null,
              to: null,
              line: null,
            },
            'push',
          )
        }
      >
        {fixed && (
          <option value="fixed" disabled>
            {dateTime(new Date(fixed.from).toISOString())} – {dateTime(new Date(fixed.to).toISOString())}
          </option>
        )}
        {RANGES.map(([name, title]) => (
          <option key={name} value={name}>
            {title}
          </option>
        ))}
      </select>
      <Icon name="chevron" size={14} />
    </div>
  );
}
