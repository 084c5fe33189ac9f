-- Version 1. Runs are ULIDs as 16 bytes, which sort by age; times are microseconds since
-- 1970; records are JSON. A partition column holds text, or an empty blob for an unpartitioned asset.

CREATE TABLE assets (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    layout TEXT
);

CREATE TABLE runs (
    id BLOB PRIMARY KEY,
    key TEXT UNIQUE,
    status TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    succeeded INTEGER NOT NULL DEFAULT 0,
    record TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX runs_by_status ON runs (status, id);

CREATE TABLE skipped (
    run BLOB NOT NULL,
    asset TEXT NOT NULL,
    reason TEXT NOT NULL,
    partitions TEXT NOT NULL,
    PRIMARY KEY (run, asset, reason)
) WITHOUT ROWID;

CREATE TABLE failures (
    run BLOB NOT NULL,
    asset TEXT NOT NULL,
    partition NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (run, asset, partition)
) WITHOUT ROWID;

-- The event log. Other tables refer to its rows, so each record is stored once.
CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    asset INTEGER NOT NULL,
    partition NOT NULL,
    at INTEGER NOT NULL,
    run BLOB NOT NULL,
    attempt INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    name TEXT NOT NULL,
    record TEXT NOT NULL
);
CREATE UNIQUE INDEX events_in_order ON events (asset, partition, at, run, attempt, kind, name);

CREATE TABLE partitions (
    asset INTEGER NOT NULL,
    partition NOT NULL,
    ordinal INTEGER,
    made_run BLOB,
    made_attempt INTEGER,
    made_sequence INTEGER,
    made_event INTEGER,
    failed_run BLOB,
    failed_attempt INTEGER,
    failed_event INTEGER,
    PRIMARY KEY (asset, partition)
) WITHOUT ROWID;
CREATE INDEX partitions_by_sequence ON partitions (asset, made_sequence, ordinal)
    WHERE made_sequence IS NOT NULL;

CREATE TABLE attempts (
    asset INTEGER NOT NULL,
    partition NOT NULL,
    run BLOB NOT NULL,
    attempt INTEGER NOT NULL,
    PRIMARY KEY (asset, partition, run)
) WITHOUT ROWID;
CREATE INDEX attempts_by_run ON attempts (run);

-- Status sets: one row holds 4096 neighbouring ordinals in 512 bytes.
CREATE TABLE segments (
    asset INTEGER NOT NULL,
    status INTEGER NOT NULL,
    segment INTEGER NOT NULL,
    bits BLOB NOT NULL,
    PRIMARY KEY (asset, status, segment)
) WITHOUT ROWID;

CREATE TABLE checks (
    asset INTEGER NOT NULL,
    partition NOT NULL,
    name TEXT NOT NULL,
    run BLOB NOT NULL,
    attempt INTEGER NOT NULL,
    failing INTEGER NOT NULL,
    event INTEGER NOT NULL,
    PRIMARY KEY (asset, partition, name)
) WITHOUT ROWID;
CREATE INDEX checks_failing ON checks (asset, name, partition) WHERE failing;

CREATE TABLE sequence (
    last INTEGER NOT NULL
);
INSERT INTO sequence (last) VALUES (0);

CREATE TABLE dynamic_partitions (
    name TEXT NOT NULL,
    ordinal INTEGER NOT NULL,
    partition TEXT NOT NULL,
    present INTEGER NOT NULL,
    PRIMARY KEY (name, ordinal),
    UNIQUE (name, partition)
) WITHOUT ROWID;

CREATE TABLE pools (
    name TEXT PRIMARY KEY,
    slots INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE slots (
    pool TEXT NOT NULL,
    holder TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (pool, holder)
) WITHOUT ROWID;

CREATE TABLE triggers (
    id TEXT PRIMARY KEY,
    revision INTEGER NOT NULL,
    cursor TEXT,
    enabled INTEGER
) WITHOUT ROWID;

CREATE TABLE ticks (
    trigger_id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (trigger_id, revision)
) WITHOUT ROWID;
