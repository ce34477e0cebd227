/** Lines over time, stacked by level. Brushing zooms in. */
import { useQuery } from '@tanstack/react-query';
import { type PointerEvent, useRef, useState } from 'react';
import type { Params } from '../../api/client';
import { histogram } from '../../api/queries';
import type { Histogram as Answer, Level } from '../../api/types';
import { clock, count, dateTime } from '../../lib/format';
import { bounds, useTimeRange } from '../../lib/time-range';
import { Failure, levelTone, PartialNote, Skeleton } from '../../ui/basics';

const BUCKETS = 90;
const HEIGHT = 64;
/** From the bottom up: what matters most sits on the axis. */
const ORDER: readonly Level[] = ['ERROR', 'WARN', 'INFO', 'DEBUG', 'TRACE', 'UNKNOWN'];

export function Histogram({ filters, onZoom }: { filters: Params; onZoom: (from: number, to: number) => void }) {
  const query = useQuery(histogram(filters, BUCKETS));
  if (query.error && !query.data)
    return <Failure error={query.error} what="The histogram" retry={() => query.refetch()} />;
  return (
    <div className="histogram">
      {query.data ? <Bars data={query.data} onZoom={onZoom} /> : <Skeleton height={HEIGHT} />}
      <PartialNote partial={query.data?.partial} />
    </div>
  );
}

function Bars({ data, onZoom }: { data: Answer; onZoom: (from: number, to: number) => void }) {
  const range = useTimeRange();
  const first = data.buckets[0];
  const last = data.buckets.at(-1);
  const [from, to] = bounds(range, last ? Math.max(Date.now(), new Date(last.start).getTime()) : Date.now());
  const start = first ? Math.min(from, new Date(first.start).getTime()) : from;
  const length = Math.max(1, to - start);
  const most = Math.max(1, ...data.buckets.map((b) => b.count));
  const box = useRef<HTMLDivElement>(null);
  const [brush, setBrush] = useState<readonly [number, number] | null>(null);
  const [hover, setHover] = useState<number | null>(null);

  const share = (event: PointerEvent): number => {
    const rect = box.current?.getBoundingClientRect();
    return rect ? Math.min(1, Math.max(0, (event.clientX - rect.left) / rect.width)) : 0;
  };
  const bucketAt = (x: number) =>
    data.buckets.find((b) => {
      const at = new Date(b.start).getTime();
      const t = start + x * length;
      return t >= at && t < at + data.step_ms;
    });
  const hovered = hover === null ? undefined : bucketAt(hover);
  const total = data.buckets.reduce((sum, b) => sum + b.count, 0);
  const width = Math.max(0.15, (data.step_ms / length) * 100 - 0.18);

  return (
    <>
      <div
        ref={box}
        className="histogram-box"
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          const x = share(event);
          setBrush([x, x]);
        }}
        onPointerMove={(event) => {
          const x = share(event);
          setHover(x);
          setBrush((now) => now && [now[0], x]);
        }}
        onPointerLeave={() => setHover(null)}
        onPointerUp={() => {
          if (brush && Math.abs(brush[1] - brush[0]) > 0.01) {
            const [a, b] = brush[0] < brush[1] ? brush : [brush[1], brush[0]];
            onZoom(Math.floor(start + a * length), Math.ceil(start + b * length));
          }
          setBrush(null);
        }}
      >
        <svg
          viewBox={`0 0 100 ${HEIGHT}`}
          preserveAspectRatio="none"
          width="100%"
          height={HEIGHT}
          role="img"
          aria-label={`${count(total)} lines over time, by level`}
        >
          {data.buckets.map((bucket) => {
            const x = ((new Date(bucket.start).getTime() - start) / length) * 100;
            let y = HEIGHT;
            return (
              <g key={bucket.start}>
                {ORDER.map((level) => {
                  const n = bucket.by[level] ?? 0;
                  if (!n) return null;
                  const h = Math.max(1, (n / most) * (HEIGHT - 2));
                  y -= h;
                  return (
                    <rect
                      key={level}
                      x={x}
                      y={y}
                      width={width}
                      height={h}
                      className={`fill-${level === 'INFO' ? 'hist' : levelTone(level)}`}
                    />
                  );
                })}
              </g>
            );
          })}
        </svg>
        {brush && (
          <div
            className="brush"
            style={{ left: `${Math.min(...brush) * 100}%`, width: `${Math.abs(brush[1] - brush[0]) * 100}%` }}
          />
        )}
        {hover !== null && !brush && <div className="crosshair" style={{ left: `${hover * 100}%` }} />}
      </div>
      <div className="histogram-axis">
        {[0, 0.25, 0.5, 0.75, 1].map((x) => {
          const at = new Date(start + x * length).toISOString();
          return (
            <span key={x}>
              {length > 86_400_000 ? dateTime(at).slice(0, -3) : clock(at).slice(0, length > 1_800_000 ? 5 : 8)}
            </span>
          );
        })}
      </div>
      <div className="histogram-tip" aria-live="off">
        {hovered ? (
          <>
            <span>{dateTime(hovered.start)}</span>
            {ORDER.filter((l) => hovered.by[l]).map((l) => (
              <span key={l} className="row">
                <i className={`dot ${levelTone(l)}`} />
                {l.toLowerCase()} {count(hovered.by[l])}
              </span>
            ))}
          </>
        ) : (
          <span>
            {count(total)} lines{brush ? '' : ' · drag to zoom'}
          </span>
        )}
      </div>
    </>
  );
}
