/** Answers of the admin API, as docs/admin-api.md promises them. */

export type Level = 'TRACE' | 'DEBUG' | 'INFO' | 'WARN' | 'ERROR' | 'UNKNOWN';
export type RunStatus = 'active' | 'completed' | 'failed' | 'stalled' | 'interrupted';
export type StepStatus = RunStatus | 'skipped' | 'waiting';

/** What is known of who and what a line belongs to. */
export interface LineContext {
  request_id?: string;
  trace_id?: string;
  span_id?: string;
  parent_span_id?: string;
  session_id?: string;
  user_id?: string;
  organization_id?: string;
  workflow_id?: string;
  run_id?: string;
  step_id?: string;
  agent?: string;
}

export interface LineException {
  type?: string;
  message?: string;
  chain?: string[];
  stacktrace?: string;
  span_trace?: string[];
  category?: string;
}

/** One log line: the original object plus where it is stored. */
export interface Line {
  id: string;
  file: string;
  timestamp: string;
  level: Level;
  message?: string;
  event_type?: string;
  target?: string;
  source?: string;
  service?: { name?: string; version?: string; environment?: string; instance?: string };
  context?: LineContext;
  span?: { name?: string; fields?: Record<string, unknown> };
  extra?: Record<string, unknown>;
  exception?: LineException;
  [key: string]: unknown;
}

export interface Partial_ {
  reason: string;
  reached: string | number;
}

export interface LogPage {
  logs: Line[];
  next_cursor: string | null;
  partial?: Partial_;
  search_note?: string;
}

export interface Histogram {
  step_ms: number;
  buckets: { start: string; count: number; by: Partial<Record<Level, number>> }[];
  partial?: Partial_;
}

export interface Facets {
  facets: { field: string; present: number; values: { value: string; count: number }[] }[];
}

export interface Span {
  span_id: string;
  parent_span_id: string | null;
  name: string;
  kind: string;
  service: string;
  started_at: string;
  duration_ms: number | null;
  status: 'ok' | 'error' | 'open';
  line_id: string | null;
}

export interface Trace {
  trace_id: string;
  started_at: string;
  duration_ms: number;
  services: string[];
  spans: Span[];
  logs: Line[];
}

export type Totals = Record<RunStatus, number>;

export interface ErrorGroup {
  fingerprint: string;
  type: string;
  message: string;
  count: number;
  first_seen: string;
  last_seen: string;
  users: number;
  workflows: number;
  state: 'new' | 'ongoing' | 'resolved' | 'regressed' | 'ignored';
  trend: number[];
  example_id: string;
  examples?: Line[];
}

export interface Stats {
  from: string;
  to: string;
  total: number;
  by_level: Partial<Record<Level, number>>;
  by_event_type: Record<string, number>;
  requests: {
    count: number;
    errors: number;
    error_rate: number;
    per_second: number;
    p50_ms: number | null;
    p95_ms: number | null;
    p99_ms: number | null;
  };
  workflows: Totals;
  frontend: { events: number; errors: number; sessions: number };
  incidents: {
    panics: number;
    incomplete_code: number;
    stalled: number;
    deadlocks: number;
    suspicious: number;
    log_loss: number;
  };
  previous: { total: number; errors: number; requests: number; request_errors: number; p95_ms: number | null };
  series: {
    step_ms: number;
    buckets: { start: string; total: number; errors: number; requests: number; p95_ms: number | null }[];
  };
  top_errors: ErrorGroup[];
}

export interface Health {
  status: 'ok' | 'degraded';
  version: string;
  uptime_s: number;
  components: { name: string; status: string; detail: string | null }[];
  store: Record<string, number | string | null>;
  journal: Record<string, unknown>;
}

export interface WorkflowSummary extends Totals {
  workflow_id: string;
  name: string;
  runs: number;
  p50_ms: number | null;
  p95_ms: number | null;
  last_started_at: string;
}

export interface Call {
  kind: 'agent' | 'external_api' | 'db_query';
  name: string;
  provider: string | null;
  model: string | null;
  status: string;
  started_at: string;
  duration_ms: number | null;
  input_tokens: number | null;
  output_tokens: number | null;
  cost_usd: number | null;
  status_code: number | null;
  step_attempt: number;
  attempt: number | null;
  error: string | null;
}

export interface Step {
  step_id: string;
  name: string;
  status: StepStatus;
  attempt: number;
  attempts: number;
  started_at: string | null;
  ended_at: string | null;
  duration_ms: number | null;
  depends_on: string[];
  agent_type: string | null;
  error: string | null;
  critical: boolean;
  input_bytes: number | null;
  output_bytes: number | null;
  calls: Call[];
}

export interface Run {
  run_id: string;
  workflow_id: string;
  name: string;
  status: RunStatus;
  started_at: string;
  ended_at: string | null;
  duration_ms: number | null;
  trace_id: string | null;
  request_id: string | null;
  user_id: string | null;
  organization_id: string | null;
  error: string | null;
  steps_total: number | null;
  steps_done: number;
  current_step: string | null;
  steps?: Step[];
}

export interface RouteTimes {
  count: number;
  errors: number;
  p50_ms: number | null;
  p95_ms: number | null;
  p99_ms: number | null;
}

export interface Performance_ {
  routes: (RouteTimes & { method: string; route: string; max_ms: number | null })[];
  slow_requests: Line[];
  slow_queries: Line[];
  external_apis: (RouteTimes & { api: string; host: string | null })[];
  agents: {
    agent: string;
    provider: string | null;
    model: string | null;
    count: number;
    errors: number;
    p95_ms: number | null;
    input_tokens: number;
    output_tokens: number;
    cost_usd: number;
  }[];
  web_vitals: { metric: string; count: number; p75: number; p95: number; rating: string }[];
  series: {
    step_ms: number;
    buckets: { start: string; requests: number; p50_ms: number | null; p95_ms: number | null; p99_ms: number | null }[];
  };
}

/** What people decided about an error group. */
export interface Issue {
  fingerprint: string;
  state: 'ongoing' | 'resolved' | 'ignored';
  resolved_at: string | null;
  ticket_url: string | null;
  assignee: string | null;
  note: string | null;
  updated_at: string;
  updated_by: string;
}

/** A rule over the lines, and what it came to. */
export interface Alert {
  id: string;
  name: string;
  kind: 'count' | 'error_rate' | 'p95' | 'absence' | 'new_errors';
  search: string | null;
  threshold: number;
  window: string | null;
  severity: 'info' | 'warning' | 'critical';
  enabled: boolean;
  status: 'ok' | 'pending' | 'firing';
  since: string;
  value: number | null;
  silenced_until: string | null;
}

export interface IncompleteItem {
  location: string;
  kind: string;
  message: string;
  count: number;
  last_seen: string;
}

export interface SupportReport {
  client_id: string;
  kind: 'user' | 'organization' | 'unknown';
  issue_description: string | null;
  from: string;
  to: string;
  total_logs: number;
  error_count: number;
  error_patterns: { pattern: string; count: number; last_seen: string; example_id: string }[];
  workflows: { active: number; completed: number; failed: number; unfinished: Run[] };
  probable_cause: { category: string; confidence: number; summary: string; evidence: string[] } | null;
  recommendations: { text: string; evidence: string[] }[];
  timeline: Line[];
  next_steps?: string | string[];
}

export interface Session {
  name: string;
  role: string;
  csrf_token?: string;
  expires_at: string | null;
}
