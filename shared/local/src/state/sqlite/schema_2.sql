-- Version 2: what each run's checks last found, of those that block or failed. `record` is there only
-- if it is a failure of the run, so that reading those takes as long as there are failures.

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
