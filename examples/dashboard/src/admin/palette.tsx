/** ⌘K: go to a tab, an id, a range, a theme. */
import { useMemo, useRef, useState } from 'react';
import { useNavigate, useSearchParams } from 'react-router';
import { asId } from '../lib/search';
import { setTheme } from '../lib/theme';
import { RANGES, rangeSearch } from '../lib/time-range';
import { useUrlState } from '../lib/url-state';
import { Dialog } from '../ui/dialog';
import { Icon, type IconName } from '../ui/icons';
import { useFinder } from './finder';
import { TABS } from './shell';

interface Command {
  name: string;
  hint: string;
  icon: IconName;
  run: () => void;
}

export default function Palette({ close }: { close: () => void }) {
  const navigate = useNavigate();
  const [search] = useSearchParams();
  const [, update] = useUrlState();
  const { find } = useFinder();
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const keep = rangeSearch(search);

  const commands = useMemo<Command[]>(() => {
    const all: Command[] = [
      ...TABS.map(([path, name, icon]) => ({
        name: `Go to ${name}`,
        hint: 'Tab',
        icon,
        run: () => navigate(`${path}${keep}`),
      })),
      {
        name: 'Errors of the range',
        hint: 'Logs',
        icon: 'filter',
        run: () => navigate(`/logs${keep}${keep ? '&' : '?'}level=ERROR`),
      },
      { name: 'Follow the logs live', hint: 'Logs', icon: 'play', run: () => navigate('/logs?live=1') },
      ...RANGES.map(([range, name]) => ({
        name,
        hint: 'Time range',
        icon: 'overview' as const,
        run: () => update({ range, from: null, to: null }, 'push'),
      })),
      { name: 'Light theme', hint: 'Theme', icon: 'sun', run: () => setTheme('light') },
      { name: 'Dark theme', hint: 'Theme', icon: 'moon', run: () => setTheme('dark') },
      { name: 'Theme of the system', hint: 'Theme', icon: 'system', run: () => setTheme('system') },
    ];
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    const matching = all.filter((c) => words.every((w) => `${c.name} ${c.hint}`.toLowerCase().includes(w)));
    if (!text.trim()) return matching;
    const id = asId(text);
    return [
      ...(id
        ? [{ name: `Show everything about ${id}`, hint: 'Trace', icon: 'trace' as const, run: () => void find(text) }]
        : []),
      ...matching,
      { name: `Search logs for “${text.trim()}”`, hint: 'Logs', icon: 'search', run: () => void find(text) },
      ...(id
        ? []
        : [
            {
              name: `Look up client “${text.trim()}”`,
              hint: 'Support',
              icon: 'support' as const,
              run: () => navigate(`/support?client=${encodeURIComponent(text.trim())}`),
            },
          ]),
    ];
  }, [text, keep, navigate, update, find]);

  const current = Math.min(at, commands.length - 1);
  const choose = (command: Command | undefined): void => {
    if (!command) return;
    close();
    command.run();
  };
  const move = (to: number): void => {
    const next = (to + commands.length) % commands.length;
    setAt(next);
    list.current?.children[next]?.scrollIntoView({ block: 'nearest' });
  };

  return (
    <Dialog label="Go anywhere" close={close}>
      <div className="palette-input">
        <Icon name="search" />
        <input
          autoFocus
          role="combobox"
          aria-expanded="true"
          aria-controls="palette-list"
          aria-activedescendant={`palette-${current}`}
          aria-label="Command, id or search"
          placeholder="Where to? A tab, an id, a customer, a search"
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setAt(0);
          }}
          onKeyDown={(event) => {
            if (event.key === 'ArrowDown') move(current + 1);
            else if (event.key === 'ArrowUp') move(current - 1);
            else if (event.key === 'Enter') choose(commands[current]);
            else return;
            event.preventDefault();
          }}
        />
        <kbd>Esc</kbd>
      </div>
      <div ref={list} id="palette-list" role="listbox" aria-label="Commands" className="palette-list">
        {commands.map((command, i) => (
          <div
            key={`${command.hint}${command.name}`}
            id={`palette-${i}`}
            role="option"
            aria-selected={i === current}
            className="menu-item"
            onClick={() => choose(command)}
            onPointerMove={() => setAt(i)}
          >
            <Icon name={command.icon} />
            <span className="grow ellipsis">{command.name}</span>
            <span className="small muted">{command.hint}</span>
          </div>
        ))}
      </div>
    </Dialog>
  );
}
