/** The live tail: lines as they are written, by server-sent events. */
import { useCallback, useEffect, useRef, useState } from 'react';
import { apiUrl, type Params } from '../../api/client';
import type { Line } from '../../api/types';

/** Lines kept in memory; older ones are in the store. */
const KEEP = 2_000;
/** How often what came in is shown: a busy log must not cost a frame per line. */
const SHOW_MS = 250;

export interface Tail {
  /** Newest first. */
  lines: readonly Line[];
  /** Came in while paused. */
  waiting: number;
  /** Lines that the server could not send in time. */
  missed: number;
  state: 'off' | 'connecting' | 'open';
  paused: boolean;
  setPaused: (paused: boolean) => void;
}

export function useTail(on: boolean, filters: Params): Tail {
  const [lines, setLines] = useState<readonly Line[]>([]);
  const [waiting, setWaiting] = useState(0);
  const [missed, setMissed] = useState(0);
  const [state, setState] = useState<Tail['state']>('off');
  const [paused, setPausedState] = useState(false);
  const pausedNow = useRef(false);
  const buffer = useRef<Line[]>([]);
  const key = JSON.stringify({ search: filters.search, level: filters.level });

  const flush = useCallback(() => {
    if (!buffer.current.length) return;
    if (pausedNow.current) {
      setWaiting(buffer.current.length);
      return;
    }
    const fresh = buffer.current.reverse();
    buffer.current = [];
    setWaiting(0);
    setLines((old) => [...fresh, ...old].slice(0, KEEP));
  }, []);

  const setPaused = useCallback(
    (next: boolean) => {
      pausedNow.current = next;
      setPausedState(next);
      if (!next) flush();
    },
    [flush],
  );

  useEffect(() => {
    buffer.current = [];
    setLines([]);
    setWaiting(0);
    setMissed(0);
    setState(on ? 'connecting' : 'off');
    if (!on) return;
    const source = new EventSource(apiUrl('logs/stream', JSON.parse(key) as Params));
    source.onopen = () => setState('open');
    source.onerror = () => setState('connecting');
    source.addEventListener('log', (event) => {
      buffer.current.push(JSON.parse((event as MessageEvent<string>).data) as Line);
      if (buffer.current.length > KEEP) buffer.current.shift();
    });
    source.addEventListener('lag', (event) => {
      setMissed(
        (n) => n + Number((JSON.parse((event as MessageEvent<string>).data) as { missed?: number }).missed ?? 0),
      );
    });
    const timer = setInterval(flush, SHOW_MS);
    return () => {
      clearInterval(timer);
      source.close();
    };
  }, [on, key, flush]);

  return { lines, waiting, missed, state, paused, setPaused };
}
