-- What the API's role may see. Views belong to cdc_views, so the policies of cdc_views filter their rows by the session's
-- settings: cdc.scope = 'all' sees everything; otherwise cdc.companies and cdc.warehouses (comma lists) must hold the row's.
-- A setting that is missing or empty holds nothing. The "(select ...)" makes PostgreSQL read a setting once per query.

create schema reading;

grant usage on schema cdc to cdc_views;
grant usage, create on schema reading to cdc_views;
grant usage on schema reading to cdc_reader;

grant select on cdc.stream, cdc.table_state, cdc.table_condition, cdc.quarantine, cdc.metric, cdc.daily, cdc.warehouse_zone
    to cdc_views;

alter table cdc.daily enable row level security;
create policy scope on cdc.daily for select to cdc_views using (
    (select current_setting('cdc.scope', true)) = 'all'
    or (company = any ((select string_to_array(nullif(current_setting('cdc.companies', true), ''), ','))::text[])
        and warehouse = any ((select string_to_array(nullif(current_setting('cdc.warehouses', true), ''), ','))::text[])));

create view reading.daily as
    select source, metric, day, company, warehouse, facts, numerator, denominator from cdc.daily;

create view reading.stream as
    select source, history, applied_sequence, position, hi, revision, as_of, read_at, applied_at, idle_sequence, idle_as_of,
           idle_at, agent_state, agent_detail, agent_seen_at, poll_interval_ms
    from cdc.stream;

create view reading.table_state as
    select source, name, target_schema, source_schema, source_table, phase, load, load_rows, load_scanned, loaded_at, exposed
    from cdc.table_state;

create view reading.table_condition as
    select source, name, condition, reason, since, caused_by from cdc.table_condition;

-- Counts only: keys and payloads are for operators.
create view reading.quarantine_count as
    select source, name, count(*) as keys from cdc.quarantine group by source, name;

create view reading.metric as
    select source, name, definition, ready, built_at from cdc.metric;

create view reading.warehouse_zone as
    select source, company, warehouse, zone from cdc.warehouse_zone;

do $$
declare
    name text;
begin
    foreach name in array array['daily', 'stream', 'table_state', 'table_condition', 'quarantine_count', 'metric',
                                'warehouse_zone'] loop
        execute format('alter view reading.%I owner to cdc_views', name);
        execute format('grant select on reading.%I to cdc_reader', name);
    end loop;
end
$$;
