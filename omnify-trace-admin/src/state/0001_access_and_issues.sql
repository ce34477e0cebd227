CREATE TABLE tokens (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL,
    organization_id TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    last_used_at BIGINT
);
CREATE TABLE users (
    username TEXT PRIMARY KEY,
    password_hash TEXT NOT NULL,
    role TEXT NOT NULL,
    organization_id TEXT,
    created_at BIGINT NOT NULL
);
CREATE TABLE sessions (
    hash TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    organization_id TEXT,
    csrf_token TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_expiry ON sessions (expires_at);
CREATE TABLE issues (
    fingerprint TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    first_seen BIGINT NOT NULL,
    resolved_at BIGINT,
    ticket_url TEXT,
    assignee TEXT,
    note TEXT,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL
);
CREATE TABLE alert_rules (
    id TEXT PRIMARY KEY,
    definition TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL
);
CREATE TABLE alert_states (
    rule_id TEXT PRIMARY KEY,
    status TEXT NOT NULL,
    since BIGINT NOT NULL,
    last_value DOUBLE PRECISION,
    last_evaluated BIGINT NOT NULL,
    last_notified BIGINT,
    silenced_until BIGINT
);
