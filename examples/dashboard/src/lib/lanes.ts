/** Where bars of a timeline lie: parallel ones below each other, later ones back in the first free lane. */

export interface Bar {
  /** Milliseconds. */
  start: number;
  end: number;
}

/** The lane of each bar, in the order of the input. */
export function lanes(bars: readonly Bar[]): number[] {
  const order = bars.map((_, i) => i).sort((a, b) => (bars[a]?.start ?? 0) - (bars[b]?.start ?? 0));
  const ends: number[] = [];
  const result = new Array<number>(bars.length).fill(0);
  for (const i of order) {
    const bar = bars[i];
    if (!bar) continue;
    let lane = ends.findIndex((end) => end <= bar.start);
    if (lane === -1) lane = ends.length;
    ends[lane] = Math.max(bar.end, bar.start);
    result[i] = lane;
  }
  return result;
}

/** Round distances for an axis of this length: at most `most` ticks. */
export function ticks(length: number, most = 6): number[] {
  if (!(length > 0)) return [0];
  const raw = length / most;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = ([1, 2, 5, 10].find((m) => m * power >= raw) ?? 10) * power;
  const result: number[] = [];
  for (let t = 0; t <= length; t += step) result.push(t);
  return result;
}
