-- Version 2: the last evaluation in a run of each check that blocks or has failed. `record` is set only
-- for failures of the run, so that reading them costs in proportion to their number.

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
