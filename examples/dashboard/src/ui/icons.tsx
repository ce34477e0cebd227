/** The icons, drawn on a 16 px grid. */
import type { ReactNode } from 'react';

const PATHS = {
  overview: <path d="M2 9.5h3L7 3l3 10 2-5.5h2" />,
  logs: <path d="M2.5 4h11M2.5 8h8M2.5 12h5" />,
  workflows: (
    <>
      <circle cx="3.5" cy="8" r="1.8" />
      <circle cx="12.5" cy="3.5" r="1.8" />
      <circle cx="12.5" cy="12.5" r="1.8" />
      <path d="M5.3 8h2.2c1.5 0 1.2-4.5 3.2-4.5M7.5 8c1.5 0 1.2 4.5 3.2 4.5" />
    </>
  ),
  performance: <path d="M2.2 12a6 6 0 1 1 11.6 0M8 10.5l3-4" />,
  support: (
    <>
      <circle cx="8" cy="8" r="5.8" />
      <circle cx="8" cy="8" r="2.2" />
      <path d="m3.9 3.9 2.5 2.5m3.2 3.2 2.5 2.5m0-8.2L9.6 6.400m-3.2 3.2-2.5 2.5" />
    </>
  ),
  search: <path d="m10.5 10.5 3.5 3.500M7 11.800a4.8 4.8 0 1 0 0-9.6 4.8 4.8 0 0 0 0 9.600Z" />,
  close: <path d="m4 4 8 8m0-8-8 8" />,
  chevron: <path d="m4.5 6.5 3.5 3.5 3.5-3.5" />,
  right: <path d="m6.5 4.5 3.5 3.5-3.5 3.5" />,
  left: <path d="M9.5 4.5 6 8l3.5 3.5" />,
  plus: <path d="M8 3.500v9M3.5 8h9" />,
  minus: <path d="M3.5 8h9" />,
  copy: (
    <path d="M5.5 5.500v-2a1 1 0 0 1 1-1h6a1 1 0 0 1 1 1v6a1 1 0 0 1-1 1h-2m-7-5h6a1 1 0 0 1 1 1v6a1 1 0 0 1-1 1h-6a1 1 0 0 1-1-1v-6a1 1 0 0 1 1-1Z" />
  ),
  link: (
    <path d="m6.5 9.5 3-3M7 4.500l1.2-1.200a3 3 0 0 1 4.3 4.300L11.3 8.800M9 11.500l-1.2 1.200a3 3 0 0 1-4.3-4.300L4.7 7.2" />
  ),
  check: <path d="m3.5 8.5 3 3 6-7" />,
  alert: (
    <path d="M8 6v3m0 2.300v.1M7.1 2.7 1.9 11.600a1 1 0 0 0 .9 1.500h10.400a1 1 0 0 0 .9-1.500L8.9 2.700a1 1 0 0 0-1.8 0Z" />
  ),
  info: <path d="M8 7.300v4M8 4.900V5M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12Z" />,
  inbox: (
    <path d="M2 9.5 4 3.500h8l2 6v3a1 1 0 0 1-1 1H3a1 1 0 0 1-1-1v-3Zm0 0h3.500c0 1.4 1.1 2.3 2.5 2.300s2.5-.9 2.5-2.300H14" />
  ),
  sun: (
    <path d="M8 10.800a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.600ZM8 1.500v1M8 13.500v1M1.5 8h1M13.5 8h1M3.4 3.400l.7.700M11.9 11.900l.7.700M3.4 12.600l.7-.7M11.9 4.100l.7-.7" />
  ),
  moon: <path d="M13.5 9.500A5.8 5.8 0 0 1 6.5 2.500a5.8 5.8 0 1 0 7 7Z" />,
  system: <path d="M2 3.500h12v7.500H2zM6 13.500h4" />,
  logout: <path d="M6 2.500H3.500a1 1 0 0 0-1 1v9a1 1 0 0 0 1 1H6M10.5 11l3-3-3-3M13.5 8H6" />,
  download: <path d="M8 2.500v7.500m-3-3 3 3 3-3M2.5 13.500h11" />,
  print: <path d="M4.5 6V2.500h7V6M4.5 11.500h-2v-5h11v5h-2m-7-2h7v4h-7z" />,
  columns: <path d="M2.5 3h11v10h-11zM6.2 3v10M9.8 3v10" />,
  play: <path d="M5 3.500v9l7-4.500z" />,
  pause: <path d="M5.5 3.500v9M10.5 3.500v9" />,
  trace: <path d="M2 3.500h7M5 8h7M8 12.500h6" />,
  bolt: <path d="M9 1.5 3.5 9H8l-1 5.500L12.5 7H8z" />,
  up: <path d="M8 12.500v-9m-3.5 3.500L8 3.500l3.5 3.5" />,
  down: <path d="M8 3.500v9m3.5-3.500L8 12.5 4.5 9" />,
  filter: <path d="M2 3.500h12L9.5 9v4l-3 1V9z" />,
  help: (
    <path d="M6.2 6.200a1.9 1.9 0 1 1 2.6 1.800c-.5.2-.8.6-.8 1.200v.3M8 11.600v.1M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12Z" />
  ),
} satisfies Record<string, ReactNode>;

export type IconName = keyof typeof PATHS;

/** Decoration only: what it means stands beside it or in the label. */
export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      {PATHS[name]}
    </svg>
  );
}

export function Logo({ size = 24 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" fill="#5b5bd6" />
      <g fill="none" stroke="#fff" strokeWidth="3" strokeLinecap="round">
        <path d="M7 10h11" />
        <path d="M12 16h13" opacity=".85" />
        <path d="M16 22h6" opacity=".7" />
      </g>
    </svg>
  );
}
