-- Where a paused table stopped: its changes after this version are missing. Null when only a whole-table load takes it up again, and for
-- every table that is not paused.
alter table cdc.table_state add column own_position bigint;
