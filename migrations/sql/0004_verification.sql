-- The last comparison of a table that came to its end.
alter table cdc.table_state
    add column verified_in bigint,                 -- run with which it ended
    add column verified_through bigint,            -- position of that run: both sides were compared up to it
    add column verified_at timestamptz;

-- What a table's last comparison found. The next one begins afresh.
create table cdc.difference (
    source   text not null,
    name     text not null,
    key      text not null,                        -- the key's identity, as a JSON array
    kind     text not null,                        -- missing, extra (gone at the source), different
    columns  text[],                               -- those that differ
    found_in bigint not null,
    repaired boolean not null,
    found_at timestamptz not null default clock_timestamp(),
    primary key (source, name, key)
);
