-- The meeting place of agent and API. The agent's role owns everything here; the API's role (cdc_reader) reads only views of
-- schema "reading", which belong to cdc_views: a role that owns no table and does not bypass row-level security.

-- One row per source: the only truth about progress. Whoever decides by it locks it first.
create table cdc.stream (
    source           text primary key,
    epoch            uuid,                         -- token of the agent that may write; null: none has run yet
    journal          uuid,                         -- journal whose runs apply
    history          integer not null default 1,   -- a restored source begins a new one
    last_run         uuid,                         -- id of the last applied run
    applied_sequence bigint not null default 0,    -- its number; runs are contiguous
    position         bigint,                       -- `to` of the last applied run; null: nothing applied yet
    hi               bigint,                       -- highest version seen
    hi_identity      text,                         -- identity of that commit, where it may be read
    revision         bigint not null default 0,    -- grows with every transaction that changes what can be read
    as_of            timestamptz,                  -- the source's clock at that cut
    read_at          timestamptz,                  -- PostgreSQL's clock when that cut's version was read: age = now - read_at
    applied_at       timestamptz,
    idle_sequence    bigint,                       -- heartbeat: "unchanged since this run" ...
    idle_as_of       timestamptz,                  -- ... by the source's clock ...
    idle_at          timestamptz,                  -- ... and by PostgreSQL's
    agent_state      text not null default 'starting',  -- starting, streaming, source_unreachable, waiting, stopped
    agent_detail     text,                         -- one sentence for an operator
    agent_seen_at    timestamptz,                  -- PostgreSQL's clock at the agent's last sign of life
    poll_interval_ms bigint not null default 1000, -- silence is judged by it
    created_at       timestamptz not null default clock_timestamp()
);

-- One row per replicated table.
create table cdc.table_state (
    source        text not null references cdc.stream (source),
    name          text not null,                   -- table in the target schema
    target_schema text not null,
    source_schema text not null,
    source_table  text not null,
    phase         text not null default 'pending', -- proto::Phase
    layout        jsonb not null,                  -- proto::Layout that the target table has
    incarnation   jsonb,                           -- proto::Incarnation, validated with the last applied run
    load          jsonb,                           -- proto::LoadMark of the load under way
    load_sequence bigint,                          -- sequence of the run in which it began
    load_resume   text,                            -- where its scan goes on (LoadProgress.resume)
    load_rows     bigint not null default 0,       -- rows read by its scan so far (LoadProgress.rows)
    load_scanned  bigint,                          -- sequence of the run with its last chunk
    loaded_at     timestamptz,
    days          jsonb not null default '{}',     -- stored day columns and the expressions that fill them
    exposed       boolean not null default false,  -- has a view in "reading"
    exposure      text not null default '',        -- the statements that made its policy, grant and view
    primary key (source, name)
);

create table cdc.table_condition (
    source     text not null,
    name       text not null,
    condition  text not null,                      -- proto::Condition
    reason     text not null,
    since      timestamptz not null default clock_timestamp(),
    caused_by  text not null,                      -- agent, operator
    primary key (source, name, condition),
    foreign key (source, name) references cdc.table_state (source, name) on delete cascade
);

-- Keys whose current image could not be applied. The old row stays; a later image that applies clears the key.
create table cdc.quarantine (
    source     text not null,
    name       text not null,
    key        text not null,                      -- the key's identity as text
    source_key jsonb not null,                     -- proto::Key, as the source spells it: what is read again
    error      text not null,
    sequence   bigint not null,
    since      timestamptz not null default clock_timestamp(),
    primary key (source, name, key)
);

-- Requests of people; only the agent acts on them.
create table cdc.control (
    id           bigint generated always as identity primary key,
    source       text not null,
    command      text not null,                    -- resync
    name         text not null,                    -- table in the target schema
    requested_by text not null,
    requested_at timestamptz not null default clock_timestamp(),
    taken_at     timestamptz,
    finished_at  timestamptz,
    began_in     bigint,                           -- run in which the load began; null with a refusal
    refusal      text
);

-- The metric catalogue as the agent maintains it.
create table cdc.metric (
    source     text not null,
    name       text not null,
    definition jsonb not null,                     -- proto::MetricDefinition
    ready      boolean not null default false,     -- false while it is being built
    built_at   timestamptz,
    primary key (source, name)
);

-- Daily figures. No NULL in the key: '' is "unassigned". A group without facts has no row.
create table cdc.daily (
    source      text not null,
    metric      text not null,
    day         date not null,
    company     text not null,
    warehouse   text not null,
    facts       bigint not null,
    numerator   numeric not null,
    denominator numeric not null,
    primary key (source, metric, day, company, warehouse)
);

-- Zones of warehouses, kept from the table that the configuration declares: named date ranges resolve in them.
create table cdc.warehouse_zone (
    source    text not null,
    company   text not null default '',
    warehouse text not null,
    zone      text not null,
    primary key (source, warehouse)
);
