/** The query bar: terms completed by field names and by values that are there. Enter searches. */
import { useQuery } from '@tanstack/react-query';
import { useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from 'react';
import type { Params } from '../../api/client';
import { facets } from '../../api/queries';
import { count } from '../../lib/format';
import { FIELDS, term, termAt } from '../../lib/search';
import { Icon } from '../../ui/icons';

interface Suggestion {
  insert: string;
  name: string;
  hint: string;
}

const MOST = 9;

export function QueryBar({
  value,
  time,
  onSearch,
  note,
}: {
  value: string;
  time: Params;
  onSearch: (query: string) => void;
  note: string | undefined;
}) {
  const [text, setText] = useState(value);
  const [caret, setCaret] = useState(0);
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(-1);
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  useEffect(() => setText(value), [value]);
  // In the same turn as the new text: a fast typist's next letter must not come in between.
  const moveTo = useRef<number | null>(null);
  useLayoutEffect(() => {
    if (moveTo.current !== null) input.current?.setSelectionRange(moveTo.current, moveTo.current);
    moveTo.current = null;
  });

  const suggestions = useSuggestions(text, caret, open, time);
  const shown = open && suggestions.length > 0;

  const submit = (query: string): void => {
    setOpen(false);
    setAt(-1);
    onSearch(query.trim());
  };
  const accept = (suggestion: Suggestion): void => {
    const current = termAt(text, caret);
    const start = current?.start ?? caret;
    const end = current?.end ?? caret;
    const complete = !suggestion.insert.endsWith(':');
    const next = `${text.slice(0, start)}${suggestion.insert}${complete ? ' ' : ''}${text.slice(end).trimStart()}`;
    const position = start + suggestion.insert.length + (complete ? 1 : 0);
    setText(next);
    setCaret(position);
    setAt(-1);
    moveTo.current = position;
  };

  return (
    <div className="querybar-wrap grow">
      <form
        className="querybar"
        role="search"
        aria-label="Logs"
        onSubmit={(event) => {
          event.preventDefault();
          submit(text);
        }}
      >
        <Icon name="search" />
        <input
          ref={input}
          data-querybar
          role="combobox"
          aria-label="Search logs"
          aria-expanded={shown}
          aria-controls={`${id}-list`}
          aria-autocomplete="list"
          aria-activedescendant={at >= 0 ? `${id}-${at}` : undefined}
          aria-describedby={note ? `${id}-note` : undefined}
          placeholder='timeout level:ERROR -healthz "card declined" extra.duration_ms>1000'
          value={text}
          spellCheck={false}
          autoComplete="off"
          autoCapitalize="off"
          onChange={(event) => {
            setText(event.target.value);
            setCaret(event.target.selectionStart ?? event.target.value.length);
            setOpen(true);
            setAt(-1);
          }}
          onSelect={(event) => setCaret(event.currentTarget.selectionStart ?? 0)}
          onFocus={() => setOpen(true)}
          onBlur={() => setOpen(false)}
          onKeyDown={(event) => {
            if (event.key === 'ArrowDown' && shown) setAt((at + 1) % suggestions.length);
            else if (event.key === 'ArrowUp' && shown) setAt((at - 1 + suggestions.length) % suggestions.length);
            else if ((event.key === 'Tab' || event.key === 'Enter') && shown && at >= 0 && suggestions[at])
              accept(suggestions[at]);
            else if (event.key === 'Escape' && shown) setOpen(false);
            else return;
            event.preventDefault();
            event.stopPropagation();
          }}
        />
        {text && (
          <button
            type="button"
            className="button s icon ghost"
            aria-label="Clear the search"
            onClick={() => {
              setText('');
              submit('');
            }}
          >
            <Icon name="close" size={14} />
          </button>
        )}
      </form>
      <div id={`${id}-list`} role="listbox" aria-label="Suggestions" className="popover suggestions" hidden={!shown}>
        {suggestions.map((s, i) => (
          <div
            key={s.insert}
            id={`${id}-${i}`}
            role="option"
            aria-selected={i === at}
            className="menu-item"
            onPointerDown={(event) => event.preventDefault()}
            onClick={() => accept(s)}
          >
            <span className="mono">{s.name}</span>
            <span className="small muted ellipsis">{s.hint}</span>
          </div>
        ))}
      </div>
      {note && (
        <div id={`${id}-note`} className="note warn query-note" role="status">
          <Icon name="info" />
          {note}
        </div>
      )}
    </div>
  );
}

function useSuggestions(text: string, caret: number, open: boolean, time: Params): Suggestion[] {
  const current = useMemo(() => termAt(text, caret), [text, caret]);
  const field = current?.field && /:/.test(current.text) ? current.field : null;
  const values = useQuery({ ...facets(time, field ?? '', 20), enabled: open && field !== null });
  return useMemo(() => {
    const minus = current?.negated ? '-' : '';
    const typed = current?.value.toLowerCase() ?? '';
    if (field) {
      return (values.data?.facets[0]?.values ?? [])
        .filter((v) => v.value.toLowerCase().includes(typed) && v.value.toLowerCase() !== typed)
        .slice(0, MOST)
        .map((v) => ({
          insert: term(field, v.value, current?.negated),
          name: v.value,
          hint: `${count(v.count)} lines`,
        }));
    }
    if (current && (current.field || current.text.includes('"'))) return [];
    return FIELDS.filter(([name]) => name.includes(typed.replace(/^-/, '')) && name !== typed)
      .slice(0, MOST)
      .map(([name, what]) => ({ insert: `${minus}${name}:`, name: `${name}:`, hint: what }));
  }, [current, field, values.data]);
}
