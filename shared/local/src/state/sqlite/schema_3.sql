-- Version 3: attempts that had nothing to make. The newest attempt that published nothing is in the columns
-- `failed_..` of a partition and in `failures` of its run, whether it failed or was skipped.

ALTER TABLE partitions ADD COLUMN skipped INTEGER NOT NULL DEFAULT 0;
ALTER TABLE failures ADD COLUMN skipped INTEGER NOT NULL DEFAULT 0;
ALTER TABLE failures ADD COLUMN attempt INTEGER NOT NULL DEFAULT 0;
