/** Time series on a canvas, by uPlot. The table of the same numbers is there for those who do not see it. */
import { useEffect, useRef, useState } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { useResolvedTheme } from '../lib/theme';
import type { Tone } from './basics';

export interface Series {
  name: string;
  tone: Tone;
  values: readonly (number | null)[];
  /** Area below the line. */
  fill?: boolean;
  /** Bars instead of a line. */
  bars?: boolean;
}

const TONE_VAR: Record<Tone, string> = {
  accent: '--accent',
  error: '--error-fill',
  warn: '--warn-fill',
  info: '--info-fill',
  ok: '--ok-fill',
  purple: '--purple-fill',
  gray: '--gray-fill',
};

/** Colours as the canvas understands them: `light-dark()` resolved by an element. */
function colour(host: HTMLElement, name: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(${name})`;
  host.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

const alpha = (rgb: string, a: number): string =>
  rgb.replace(/^rgba?\(([^)]+)\)$/, (_, inner: string) => `rgba(${inner.split(',').slice(0, 3).join(',')}, ${a})`);

export function Chart({
  label,
  times,
  series,
  format,
  axis: formatAxis = format,
  height = 190,
  onZoom,
}: {
  label: string;
  /** Unix seconds. */
  times: readonly number[];
  series: readonly Series[];
  format: (value: number | null | undefined) => string;
  /** Shorter, for the axis. */
  axis?: (value: number | null | undefined) => string;
  height?: number;
  /** Unix milliseconds of what was brushed. */
  onZoom?: (from: number, to: number) => void;
}) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const theme = useResolvedTheme();
  const [at, setAt] = useState<number | null>(null);
  const zoom = useRef(onZoom);
  zoom.current = onZoom;
  const data = [times, ...series.map((s) => s.values)] as unknown as uPlot.AlignedData;
  const latest = useRef(data);
  latest.current = data;
  const shape = series.map((s) => `${s.name}${s.tone}${s.fill}${s.bars}`).join('|');

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new plot for a new shape or theme; new data goes into the old one
  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const grid = colour(element, '--border');
    const ink = colour(element, '--text-3');
    const font = `11px ${getComputedStyle(element).fontFamily}`;
    const axis = { stroke: ink, font, grid: { stroke: grid, width: 1 }, ticks: { show: false } };
    plot.current = new uPlot(
      {
        width: element.clientWidth || 300,
        height,
        legend: { show: false },
        padding: [8, 24, 0, 0],
        cursor: { y: false, points: { size: 7 }, drag: { x: true, y: false, setScale: false } },
        scales: { x: { time: true }, y: { range: (_u, _min, max) => [0, max > 0 ? max * 1.1 : 1] } },
        axes: [
          { ...axis, grid: { show: false }, size: 26, space: 80, values: (_u, splits) => splits.map((v) => tick(v)) },
          { ...axis, size: 58, space: 36, values: (_u, splits) => splits.map((v) => formatAxis(v)) },
        ],
        series: [
          {},
          ...series.map((s) => {
            const line = colour(element, TONE_VAR[s.tone]);
            const bars = s.bars ? uPlot.paths.bars?.({ size: [0.7, 24], radius: 0.15 }) : undefined;
            return {
              stroke: line,
              width: s.bars ? 0 : 1.75,
              ...(s.fill || s.bars ? { fill: alpha(line, s.bars ? 0.85 : 0.12) } : {}),
              ...(bars ? { paths: bars } : {}),
              points: { show: false },
              spanGaps: true,
            } satisfies uPlot.Series;
          }),
        ],
        hooks: {
          setCursor: [(u) => setAt(u.cursor.idx ?? null)],
          setSelect: [
            (u) => {
              if (u.select.width < 4) return;
              const from = u.posToVal(u.select.left, 'x');
              const to = u.posToVal(u.select.left + u.select.width, 'x');
              u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
              zoom.current?.(Math.round(from * 1000), Math.round(to * 1000));
            },
          ],
        },
      },
      latest.current,
      element,
    );
    const resize = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height }));
    resize.observe(element);
    return () => {
      resize.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [theme, shape, height]);

  useEffect(() => {
    plot.current?.setData(data);
  });

  return (
    <figure className="chart" aria-label={label}>
      <div className="legend">
        {series.map((s) => (
          <span key={s.name}>
            <i className={`fill-${s.tone}`} />
            {s.name}
            {at !== null && <strong>{format(s.values[at])}</strong>}
          </span>
        ))}
        {at !== null && times[at] !== undefined && <span className="legend-time">{tick(times[at], true)}</span>}
      </div>
      <div ref={host} style={{ height }} aria-hidden="true" />
      <table className="visually-hidden">
        <caption>{label}</caption>
        <thead>
          <tr>
            <th scope="col">Time</th>
            {series.map((s) => (
              <th scope="col" key={s.name}>
                {s.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {sample(times.length).map((i) => (
            <tr key={i}>
              <th scope="row">{tick(times[i] ?? 0, true)}</th>
              {series.map((s) => (
                <td key={s.name}>{format(s.values[i])}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </figure>
  );
}

/** At most a dozen rows for the table. */
function sample(length: number): number[] {
  const step = Math.max(1, Math.ceil(length / 12));
  return Array.from({ length: Math.ceil(length / step) }, (_, i) => i * step);
}

/** A time on the axis; midnight is the day. */
function tick(seconds: number, whole = false): string {
  const date = new Date(seconds * 1000);
  const [h, m, s] = [date.getHours(), date.getMinutes(), date.getSeconds()].map((n) => String(n).padStart(2, '0'));
  if (whole) return `${h}:${m}:${s}`;
  if (h === '00' && m === '00' && s === '00') return date.toLocaleDateString('en', { month: 'short', day: 'numeric' });
  return s === '00' ? `${h}:${m}` : `${h}:${m}:${s}`;
}
