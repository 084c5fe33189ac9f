-- Version 2: what each run's blocking checks last found. `record` is there only if it blocks, so that
-- reading what holds a run back takes as long as there are failures.

CREATE TABLE gates (
    run BLOB NOT NULL,
    asset TEXT NOT NULL,
    partition NOT NULL,
    name TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    record TEXT,
    PRIMARY KEY (run, asset, partition, name)
) WITHOUT ROWID;
CREATE INDEX gates_closed ON gates (run, asset, partition, name) WHERE record IS NOT NULL;
