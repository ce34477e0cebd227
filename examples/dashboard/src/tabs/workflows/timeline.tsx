/** Steps as bars over time: parallel ones in lanes of their own, what they waited for as curves. */
import type { Run, Step } from '../../api/types';
import { axisDuration, duration } from '../../lib/format';
import { lanes, ticks } from '../../lib/lanes';
import { statusTone } from '../../ui/basics';
import { useWidth } from '../../ui/use-width';

/** Below this the timeline scrolls. */
const LEAST_WIDTH = 560;
const LANE = 46;
const BAR = 32;
const TOP = 30;
const PAD = 16;
/** Width of a letter of the labels, about. */
const LETTER = 6.9;

interface Placed {
  step: Step;
  x: number;
  width: number;
  y: number;
  /** From where to where bar and label reach: all of it can be clicked. */
  from: number;
  to: number;
  /** The label fits into the bar, stands to its right, or to its left. */
  label: 'inside' | 'right' | 'left';
}

const nameOf = (step: Step): string => step.name || step.step_id;
const noteOf = (step: Step): string =>
  `${duration(step.duration_ms)}${step.attempts > 1 ? ` · ${step.attempts} attempts` : ''}`;
const labelWidth = (step: Step): number => Math.max(nameOf(step).length, noteOf(step).length) * LETTER + 20;

/** Ends of a step that still runs are now. */
function times(run: Run, steps: readonly Step[]): { start: number; end: number }[] {
  const zero = new Date(run.started_at).getTime();
  const now = run.ended_at ? new Date(run.ended_at).getTime() : Date.now();
  return steps.map((s) => {
    const start = new Date(s.started_at ?? run.started_at).getTime() - zero;
    const given = s.duration_ms === null ? now - zero : start + s.duration_ms;
    const end = s.ended_at ? new Date(s.ended_at).getTime() - zero : given;
    return { start, end: Math.max(end, start) };
  });
}

function place(run: Run, begun: readonly Step[], width: number): { placed: Placed[]; scale: number; length: number } {
  const bars = times(run, begun);
  const length = Math.max(1, run.duration_ms ?? 0, ...bars.map((b) => b.end));
  const scale = (width - PAD * 2) / length;
  const boxes = bars.map((bar, i) => {
    const step = begun[i];
    const x = PAD + bar.start * scale;
    const long = Math.max(4, (bar.end - bar.start) * scale);
    const needed = step ? labelWidth(step) : 0;
    const label = long > needed ? 'inside' : x + long + needed < width ? 'right' : 'left';
    return {
      x,
      width: long,
      label,
      from: label === 'left' ? x - needed : x,
      to: label === 'right' ? x + long + needed : x + long,
    } as const;
  });
  // A lane is free only where neither a bar nor its label lies.
  const at = lanes(boxes.map((b) => ({ start: b.from, end: b.to })));
  const placed = begun.flatMap((step, i) => {
    const box = boxes[i];
    return box ? [{ ...box, step, y: TOP + (at[i] ?? 0) * LANE }] : [];
  });
  return { placed, scale, length };
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
  const [box, measured] = useWidth<HTMLDivElement>(1000);
  const width = Math.max(LEAST_WIDTH, measured);
  const { placed, scale, length } = place(
    run,
    steps.filter((s) => s.started_at),
    width,
  );
  const height = Math.max(TOP + LANE, ...placed.map((p) => p.y + LANE)) + 4;
  const byId = new Map(placed.map((p) => [p.step.step_id, p]));
  const unbegun = steps.filter((s) => !s.started_at);
  return (
    <div className="timeline" ref={box}>
      <svg width={width} height={height} role="group" aria-label="Steps over time">
        {ticks(length, Math.max(3, Math.floor(width / 160))).map((t) => (
          <Tick key={t} x={PAD + t * scale} label={t === 0 ? '0' : axisDuration(t)} width={width} height={height} />
        ))}
        {placed.flatMap((to) =>
          to.step.depends_on.map((id) => <Dependency key={`${id} ${to.step.step_id}`} from={byId.get(id)} to={to} />),
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
      {unbegun.length > 0 && <p className="small muted pad">Not begun: {unbegun.map(nameOf).join(', ')}</p>}
    </div>
  );
}

/** A line of the axis; its label stands to its right, or to its left where that would be cut off. */
function Tick({ x, label, width, height }: { x: number; label: string; width: number; height: number }) {
  const fits = x + 3 + label.length * LETTER < width;
  return (
    <g>
      <line className="gridline" x1={x} x2={x} y1={20} y2={height} />
      <text className="axis" textAnchor={fits ? 'start' : 'end'} x={fits ? x + 3 : x - 3} y={14}>
        {label}
      </text>
    </g>
  );
}

function Dependency({ from, to }: { from: Placed | undefined; to: Placed }) {
  if (!from) return null;
  const x1 = from.x + from.width;
  const y1 = from.y + BAR / 2;
  const y2 = to.y + BAR / 2;
  const bend = Math.max(14, Math.min(80, (to.x - x1) / 2));
  const hot = from.step.critical && to.step.critical;
  return (
    <path
      className={`dep${hot ? ' hot' : ''}`}
      d={`M${x1} ${y1} C${x1 + bend} ${y1} ${to.x - bend} ${y2} ${to.x} ${y2}`}
    />
  );
}

function Bar({
  placed: { step, x, width, y, from, to, label },
  chosen,
  onChoose,
}: {
  placed: Placed;
  chosen: boolean;
  onChoose: () => void;
}) {
  const tone = statusTone(step.status);
  const textX = label === 'inside' ? x + 12 : label === 'right' ? x + width + 8 : x - 8;
  const anchor = label === 'left' ? 'end' : 'start';
  return (
    <g
      className="bar"
      role="button"
      tabIndex={0}
      aria-pressed={chosen}
      aria-label={`${nameOf(step)} ${noteOf(step)}, ${step.status}${step.critical ? ', on the critical path' : ''}`}
      onClick={onChoose}
      onKeyDown={(event) => {
        if (event.key !== 'Enter' && event.key !== ' ') return;
        event.preventDefault();
        onChoose();
      }}
    >
      <rect className="reach" x={from} y={y} width={to - from} height={BAR} />
      <rect className={`main soft-${tone}`} x={x} y={y} width={width} height={BAR} />
      <rect className={`fill-${tone}`} x={x} y={y} width={Math.min(4, width)} height={BAR} />
      {step.critical && <rect className="critical" x={x} y={y + BAR - 3} width={width} height={3} />}
      <text className={label === 'inside' ? undefined : 'outside'} textAnchor={anchor}>
        <tspan x={textX} y={y + 13}>
          {nameOf(step)}
        </tspan>{' '}
        <tspan className="axis" x={textX} y={y + 26}>
          {noteOf(step)}
        </tspan>
      </text>
    </g>
  );
}
