-- One source as the agent leaves it: a table with its twin, its policy and its view, two metrics, three zones.

create schema wms;
grant usage on schema wms to cdc_views;

create table wms.orders (
    wh_id text not null, order_no text not null, company_id integer not null, status smallint not null,
    entered_at timestamp, total_value numeric(19, 4), ticket bigint, photo bytea, loaded timestamptz,
    wh_id__key text not null, order_no__key text not null,
    cdc_as_of timestamptz not null default '2026-11-24T12:00:00Z',
    cdc_applied_at timestamptz not null default clock_timestamp(),
    primary key (wh_id__key, order_no__key)
);
alter table wms.orders enable row level security;
grant select on wms.orders to cdc_views;
create policy scope on wms.orders for select to cdc_views using (
    (select current_setting('cdc.scope', true)) = 'all'
    or (company_id::text = any ((select string_to_array(nullif(current_setting('cdc.companies', true), ''), ','))::text[])
        and wh_id__key::text = any ((select string_to_array(nullif(current_setting('cdc.warehouses', true), ''), ','))::text[])));
create view reading.orders as
    select wh_id, order_no, company_id, status, entered_at, total_value, ticket, photo, loaded, cdc_as_of from wms.orders;
alter view reading.orders owner to cdc_views;
grant select on reading.orders to cdc_reader;

-- Ten minutes between polls: no test becomes silent or late by being slow.
insert into cdc.stream (source, epoch, journal, position, hi, applied_sequence, revision, as_of, read_at, agent_state,
                        agent_seen_at, poll_interval_ms)
values ('wms', gen_random_uuid(), gen_random_uuid(), 9007199254740993, 9007199254740999, 7, 1, '2026-11-24T12:00:00Z',
        clock_timestamp(), 'streaming', clock_timestamp(), 600000);

insert into cdc.table_state (source, name, target_schema, source_schema, source_table, phase, layout, exposed)
values ('wms', 'orders', 'wms', 'wms', 'orders', 'live', '{}', true),
       ('wms', 'order_lines', 'wms', 'wms', 'order_lines', 'live', '{}', false);

insert into cdc.metric (source, name, ready, definition)
values ('wms', 'orders_received', true,
        '{"name": "orders_received", "aliases": ["orders"], "title_es": "Pedidos recibidos", "title_en": "Orders received",
          "unit": "orders", "kind": "sum", "facts": "orders", "day": "entered_at", "company": "company_id",
          "warehouse": "wh_id", "numerator": "count", "tabs": ["testing"]}'),
       ('wms', 'line_fill_rate', true,
        '{"name": "line_fill_rate", "title_es": "Líneas completas", "title_en": "Line fill rate", "unit": "ratio",
          "kind": "ratio", "facts": "order_lines",
          "sides": [{"table": "orders", "on": [["wh_id", "wh_id"], ["order_no", "order_no"]]}], "day": "orders.shipped_at",
          "numerator": "count", "denominator": "count", "tabs": ["testing"]}');

insert into cdc.warehouse_zone (source, company, warehouse, zone)
values ('wms', '1', 'SJU1', 'America/Puerto_Rico'), ('wms', '1', 'MEX1', 'America/Mexico_City'),
       ('wms', '2', 'TYO1', 'Asia/Tokyo');
