/** The frame around the tabs: navigation, search, time range, theme. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { lazy, type ReactNode, Suspense, useEffect, useRef, useState } from 'react';
import { Link, NavLink, useLocation, useNavigate, useSearchParams } from 'react-router';
import { remove, setCsrfToken } from '../api/client';
import { health } from '../api/queries';
import type { Session } from '../api/types';
import { useShortcuts } from '../lib/keys';
import { setTheme, useTheme } from '../lib/theme';
import { rangeSearch } from '../lib/time-range';
import { statusTone } from '../ui/basics';
import { Icon, type IconName, Logo } from '../ui/icons';
import { RangePicker } from '../ui/range-picker';
import { useFinder } from './finder';

const Palette = lazy(() => import('./palette'));
const Help = lazy(() => import('./help'));

export const TABS: readonly (readonly [path: string, name: string, icon: IconName])[] = [
  ['/', 'Overview', 'overview'],
  ['/logs', 'Logs', 'logs'],
  ['/workflows', 'Workflows', 'workflows'],
  ['/performance', 'Performance', 'performance'],
  ['/support', 'Support', 'support'],
];

export function Shell({ who, children }: { who: Session; children: ReactNode }) {
  const [search] = useSearchParams();
  const { pathname } = useLocation();
  const [open, setOpen] = useState<'palette' | 'help' | null>(null);
  const finder = useRef<HTMLInputElement>(null);
  const keep = rangeSearch(search);

  useShortcuts({
    '/': () => (document.querySelector<HTMLInputElement>('[data-querybar]') ?? finder.current)?.focus(),
    '?': () => setOpen('help'),
    'mod+k': () => setOpen((now) => (now === 'palette' ? null : 'palette')),
  });

  useEffect(() => {
    const name = TABS.find(([path]) => path === pathname)?.[1];
    document.title = name ? `${name} · Omnify Trace` : 'Omnify Trace';
  }, [pathname]);

  return (
    <div className="shell">
      <a href="#content" className="skip">
        Skip to the content
      </a>
      <header className="rail">
        <Link to={`/${keep}`} className="brand" aria-label="Omnify Trace, overview">
          <Logo />
          <span>Omnify Trace</span>
        </Link>
        <nav aria-label="Tabs" className="stack-s rail-nav">
          {TABS.map(([path, name, icon]) => (
            <NavLink key={path} to={`${path}${keep}`} end={path === '/'} className="tab" title={name}>
              <Icon name={icon} size={18} />
              <span>{name}</span>
            </NavLink>
          ))}
        </nav>
        <div className="rail-foot">
          <HealthLine />
        </div>
      </header>
      <div className="main">
        <section className="topbar" aria-label="Page tools">
          <Finder inputRef={finder} />
          <span className="grow hide-s" />
          <RangePicker />
          <ThemeButton />
          <button
            type="button"
            className="button icon ghost hide-s"
            aria-label="Keyboard shortcuts"
            title="Keyboard shortcuts (?)"
            onClick={() => setOpen('help')}
          >
            <Icon name="help" />
          </button>
          <LogoutButton who={who} />
        </section>
        <main id="content" tabIndex={-1} className="grow stack-0">
          {children}
        </main>
      </div>
      <Suspense fallback={null}>
        {open === 'palette' && <Palette close={() => setOpen(null)} />}
        {open === 'help' && <Help close={() => setOpen(null)} />}
      </Suspense>
    </div>
  );
}

function Finder({ inputRef }: { inputRef: React.RefObject<HTMLInputElement | null> }) {
  const { find, busy } = useFinder();
  const [text, setText] = useState('');
  return (
    <form
      className="finder"
      role="search"
      aria-label="Everything"
      onSubmit={(event) => {
        event.preventDefault();
        if (text.trim()) void find(text).then(() => setText(''));
      }}
    >
      <Icon name="search" />
      <input
        ref={inputRef}
        type="search"
        value={text}
        onChange={(event) => setText(event.target.value)}
        placeholder="Search logs, or paste a request or trace id"
        aria-label="Search everything"
        aria-busy={busy}
        spellCheck={false}
        autoComplete="off"
        data-finder
      />
      <kbd aria-hidden="true">/</kbd>
    </form>
  );
}

function HealthLine() {
  const { data, isError } = useQuery(health);
  const status = isError ? 'unreachable' : (data?.status ?? 'checking');
  return (
    <>
      <span className="row">
        <span className={`dot ${isError ? 'error' : statusTone(status)}`} />
        {status === 'ok' ? 'All systems up' : `Server ${status}`}
      </span>
      <span className="muted">{data ? `v${data.version}` : '\u00a0'}</span>
    </>
  );
}

const NEXT = { system: 'light', light: 'dark', dark: 'system' } as const;
const THEME_ICON = { system: 'system', light: 'sun', dark: 'moon' } as const;

function ThemeButton() {
  const theme = useTheme();
  return (
    <button
      type="button"
      className="button icon ghost"
      onClick={() => setTheme(NEXT[theme])}
      aria-label={`Theme: ${theme}. Switch to ${NEXT[theme]}`}
      title={`Theme: ${theme}`}
    >
      <Icon name={THEME_ICON[theme]} />
    </button>
  );
}

function LogoutButton({ who }: { who: Session }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const logout = async (): Promise<void> => {
    await remove('session').catch(() => undefined);
    setCsrfToken(undefined);
    client.clear();
    navigate('/');
    await client.invalidateQueries();
    location.reload();
  };
  return (
    <button
      type="button"
      className="button icon ghost hide-s"
      onClick={logout}
      aria-label={`Log out ${who.name}`}
      title={`${who.name} (${who.role}): log out`}
    >
      <Icon name="logout" />
    </button>
  );
}
