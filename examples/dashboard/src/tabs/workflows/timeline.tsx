/** Steps as bars over time: parallel ones in lanes of their own, what they waited for as curves. */
import type { Run, Step } from '../../api/types';
import { duration } from '../../lib/format';
import { lanes, ticks } from '../../lib/lanes';
import { statusTone } from '../../ui/basics';

const WIDTH = 1000;
const LANE = 46;
const BAR = 30;
const TOP = 30;
const PAD = 16;

interface Placed {
  step: Step;
  x: number;
  width: number;
  y: number;
}

/** Ends of a step that still runs are now. */
function place(run: Run, steps: readonly Step[]): { placed: Placed[]; length: number; laneCount: number } {
  const zero = new Date(run.started_at).getTime();
  const now = run.ended_at ? new Date(run.ended_at).getTime() : Date.now();
  const begun = steps.filter((s) => s.started_at);
  const bars = begun.map((s) => {
    const start = new Date(s.started_at ?? run.started_at).getTime() - zero;
    const end = s.ended_at
      ? new Date(s.ended_at).getTime() - zero
      : s.duration_ms !== null
        ? start + s.duration_ms
        : now - zero;
    return { start, end: Math.max(end, start) };
  });
  const length = Math.max(1, run.duration_ms ?? 0, ...bars.map((b) => b.end));
  const at = lanes(bars);
  const scale = (WIDTH - PAD * 2) / length;
  const placed = begun.map((step, i) => {
    const bar = bars[i] ?? { start: 0, end: 0 };
    return {
      step,
      x: PAD + bar.start * scale,
      width: Math.max(4, (bar.end - bar.start) * scale),
      y: TOP + (at[i] ?? 0) * LANE,
    };
  });
  return { placed, length, laneCount: Math.max(1, ...at.map((l) => l + 1)) };
}

export function Timeline({
  run,
  steps,
  chosen,
  onChoose,
}: {
  run: Run;
  steps: readonly Step[];
  chosen: string | null;
  onChoose: (id: string) => void;
}) {
  const { placed, length, laneCount } = place(run, steps);
  const height = TOP + laneCount * LANE + 4;
  const byId = new Map(placed.map((p) => [p.step.step_id, p]));
  const scale = (WIDTH - PAD * 2) / length;
  const unbegun = steps.filter((s) => !s.started_at);
  return (
    <div className="timeline">
      <svg viewBox={`0 0 ${WIDTH} ${height}`} role="group" aria-label="Steps over time">
        {ticks(length).map((t) => (
          <g key={t}>
            <line className="gridline" x1={PAD + t * scale} x2={PAD + t * scale} y1={20} y2={height} />
            <text className="axis" x={PAD + t * scale + 3} y={14}>
              {t === 0 ? '0' : duration(t)}
            </text>
          </g>
        ))}
        {placed.flatMap((p) =>
          p.step.depends_on.map((id) => {
            const from = byId.get(id);
            if (!from) return null;
            const x1 = from.x + from.width;
            const y1 = from.y + BAR / 2;
            const y2 = p.y + BAR / 2;
            const bend = Math.max(14, (p.x - x1) / 2);
            return (
              <path
                key={`${id}-${p.step.step_id}`}
                className={`dep${from.step.critical && p.step.critical ? ' hot' : ''}`}
                d={`M${x1} ${y1} C${x1 + bend} ${y1} ${p.x - bend} ${y2} ${p.x} ${y2}`}
              />
            );
          }),
        )}
        {placed.map((p) => (
          <Bar
            key={p.step.step_id}
            placed={p}
            chosen={p.step.step_id === chosen}
            onChoose={() => onChoose(p.step.step_id)}
          />
        ))}
      </svg>
      {unbegun.length > 0 && (
        <p className="small muted pad">Not begun: {unbegun.map((s) => s.name || s.step_id).join(', ')}</p>
      )}
    </div>
  );
}

function Bar({
  placed: { step, x, width, y },
  chosen,
  onChoose,
}: {
  placed: Placed;
  chosen: boolean;
  onChoose: () => void;
}) {
  const name = step.name || step.step_id;
  const note = `${duration(step.duration_ms)}${step.attempts > 1 ? ` · ${step.attempts} attempts` : ''}`;
  // About 6.5 units a letter: what does not fit inside stands to the right, or to the left at the end.
  const inside = width > name.length * 6.8 + 20;
  const right = x + width + (name.length + note.length) * 6.6 < WIDTH;
  return (
    <g
      className="bar"
      role="button"
      tabIndex={0}
      aria-pressed={chosen}
      aria-label={`${name}: ${step.status}, ${note}${step.critical ? ', on the critical path' : ''}`}
      onClick={onChoose}
      onKeyDown={(event) => {
        if (event.key === 'Enter' || event.key === ' ') {
          event.preventDefault();
          onChoose();
        }
      }}
    >
      <rect className={`main soft-${statusTone(step.status)}`} x={x} y={y} width={width} height={BAR} />
      <rect className={`fill-${statusTone(step.status)}`} x={x} y={y} width={Math.min(4, width)} height={BAR} />
      {step.critical && <rect className="critical" x={x - 2} y={y - 2} width={width + 4} height={BAR + 4} />}
      {inside ? (
        <>
          <text x={x + 11} y={y + 13}>
            {name}
          </text>
          <text className="axis" x={x + 11} y={y + 25}>
            {note}
          </text>
        </>
      ) : (
        <>
          <text x={right ? x + width + 7 : x - 7} y={y + 13} textAnchor={right ? 'start' : 'end'}>
            {name}
          </text>
          <text className="axis" x={right ? x + width + 7 : x - 7} y={y + 25} textAnchor={right ? 'start' : 'end'}>
            {note}
          </text>
        </>
      )}
    </g>
  );
}
