-- The demo's WMS: two companies, three warehouses in three zones. It keeps what real ones have: natural and composite
-- text keys, naive datetimes in the warehouse's own zone, money, computed columns, and a table without a key.
ALTER DATABASE CURRENT SET CHANGE_TRACKING = ON (CHANGE_RETENTION = 7 DAYS, AUTO_CLEANUP = ON);
ALTER DATABASE CURRENT SET ALLOW_SNAPSHOT_ISOLATION ON;
GO
CREATE SCHEMA wms;
GO
CREATE TABLE wms.company (
    company_id INT NOT NULL PRIMARY KEY,
    code NVARCHAR(10) NOT NULL UNIQUE,
    name NVARCHAR(100) NOT NULL,
    tz NVARCHAR(50) NOT NULL,
    currency CHAR(3) NOT NULL,
    active BIT NOT NULL DEFAULT 1
);
CREATE TABLE wms.warehouse (
    wh_id NVARCHAR(32) NOT NULL PRIMARY KEY,
    company_id INT NOT NULL REFERENCES wms.company (company_id),
    name NVARCHAR(100) NOT NULL,
    tz NVARCHAR(50) NOT NULL,
    cutoff_local TIME(0) NOT NULL,
    shift_start TIME(0) NOT NULL,
    modified DATETIME2(3) NOT NULL
);
CREATE TABLE wms.item (
    company_id INT NOT NULL REFERENCES wms.company (company_id),
    sku NVARCHAR(50) NOT NULL,
    descr NVARCHAR(200) NOT NULL,
    abc CHAR(1) NOT NULL,
    uom NVARCHAR(4) NOT NULL,
    unit_cost DECIMAL(19,4) NOT NULL,
    weight_kg DECIMAL(12,4) NULL,
    hazmat BIT NOT NULL DEFAULT 0,
    rv ROWVERSION,
    CONSTRAINT pk_item PRIMARY KEY (company_id, sku)
);
CREATE TABLE wms.orders (
    wh_id NVARCHAR(32) NOT NULL REFERENCES wms.warehouse (wh_id),
    order_no NVARCHAR(35) NOT NULL,
    company_id INT NOT NULL,
    customer_no NVARCHAR(20) NOT NULL,
    order_type NVARCHAR(4) NOT NULL,
    priority TINYINT NOT NULL,
    status TINYINT NOT NULL,
    entered_at DATETIME NOT NULL,
    due_ship_at DATETIME NOT NULL,
    shipped_at DATETIME NULL,
    cancelled_at DATETIME NULL,
    carrier NVARCHAR(10) NULL,
    total_value MONEY NOT NULL,
    notes NVARCHAR(MAX) NULL,
    moddte DATETIME NULL,
    mod_usr NVARCHAR(40) NULL,
    rv ROWVERSION,
    CONSTRAINT pk_orders PRIMARY KEY (wh_id, order_no)
);
CREATE TABLE wms.order_lines (
    wh_id NVARCHAR(32) NOT NULL,
    order_no NVARCHAR(35) NOT NULL,
    line_no SMALLINT NOT NULL,
    sku NVARCHAR(50) NOT NULL,
    ordered_qty INT NOT NULL,
    allocated_qty INT NOT NULL,
    picked_qty INT NOT NULL,
    shipped_qty INT NOT NULL,
    unit_price DECIMAL(19,4) NOT NULL,
    line_status TINYINT NOT NULL,
    rv ROWVERSION,
    CONSTRAINT pk_order_lines PRIMARY KEY (wh_id, order_no, line_no),
    CONSTRAINT fk_order_lines_orders FOREIGN KEY (wh_id, order_no) REFERENCES wms.orders (wh_id, order_no)
);
CREATE TABLE wms.pick_tasks (
    task_id BIGINT IDENTITY(1,1) NOT NULL PRIMARY KEY,
    wh_id NVARCHAR(32) NOT NULL,
    order_no NVARCHAR(35) NOT NULL,
    line_no SMALLINT NOT NULL,
    from_loc NVARCHAR(20) NOT NULL,
    sku NVARCHAR(50) NOT NULL,
    qty_req INT NOT NULL,
    qty_picked INT NOT NULL,
    short_reason NVARCHAR(20) NULL,
    picker_id NVARCHAR(40) NOT NULL,
    created_at DATETIME2(3) NOT NULL,
    started_at DATETIME2(3) NULL,
    done_at DATETIME2(3) NULL,
    goal_seconds INT NOT NULL
);
CREATE TABLE wms.receipts (
    receipt_id UNIQUEIDENTIFIER NOT NULL PRIMARY KEY,
    wh_id NVARCHAR(32) NOT NULL,
    company_id INT NOT NULL,
    po_no NVARCHAR(35) NOT NULL,
    supplier_no NVARCHAR(32) NOT NULL,
    expected_at DATETIME NOT NULL,
    arrived_at DATETIME NULL,
    closed_at DATETIME NULL,
    status TINYINT NOT NULL
);
CREATE TABLE wms.receipt_lines (
    receipt_id UNIQUEIDENTIFIER NOT NULL,
    line_no SMALLINT NOT NULL,
    sku NVARCHAR(50) NOT NULL,
    expected_qty INT NOT NULL,
    received_qty INT NOT NULL,
    damaged_qty INT NOT NULL,
    received_at DATETIMEOFFSET(3) NULL,
    putaway_done_at DATETIMEOFFSET(3) NULL,
    CONSTRAINT pk_receipt_lines PRIMARY KEY (receipt_id, line_no)
);
CREATE TABLE wms.inventory (
    wh_id NVARCHAR(32) NOT NULL,
    loc NVARCHAR(20) NOT NULL,
    sku NVARCHAR(50) NOT NULL,
    lot NVARCHAR(25) NOT NULL DEFAULT '----',
    company_id INT NOT NULL,
    qty_on_hand INT NOT NULL,
    qty_alloc INT NOT NULL,
    status NVARCHAR(4) NOT NULL,
    expiry DATE NULL,
    last_move DATETIME NOT NULL,
    rv ROWVERSION,
    CONSTRAINT pk_inventory PRIMARY KEY (wh_id, loc, sku, lot)
);
CREATE TABLE wms.shipments (
    ship_id NVARCHAR(30) NOT NULL PRIMARY KEY,
    wh_id NVARCHAR(32) NOT NULL,
    order_no NVARCHAR(35) NOT NULL,
    carrier NVARCHAR(10) NOT NULL,
    tracking NVARCHAR(60) NOT NULL,
    packed_at DATETIME NULL,
    shipped_at DATETIME NULL,
    promised_at DATETIME NOT NULL,
    cartons INT NOT NULL,
    freight_cost SMALLMONEY NOT NULL
);
CREATE TABLE wms.cycle_counts (
    count_batch NVARCHAR(10) NOT NULL,
    wh_id NVARCHAR(32) NOT NULL,
    loc NVARCHAR(20) NOT NULL,
    sku NVARCHAR(50) NOT NULL,
    system_qty INT NOT NULL,
    counted_qty INT NOT NULL,
    counted_at DATETIME NOT NULL,
    counter_id NVARCHAR(40) NOT NULL
);
CREATE TABLE wms.labor_shifts (
    shift_id INT IDENTITY(1,1) NOT NULL PRIMARY KEY,
    wh_id NVARCHAR(32) NOT NULL,
    worker_id NVARCHAR(40) NOT NULL,
    job NVARCHAR(20) NOT NULL,
    clock_in DATETIME NOT NULL,
    clock_out DATETIME NULL,
    hours AS (CAST(DATEDIFF(minute, clock_in, clock_out) AS DECIMAL(9,2)) / 60)
);
GO
ALTER TABLE wms.company ENABLE CHANGE_TRACKING;
ALTER TABLE wms.warehouse ENABLE CHANGE_TRACKING;
ALTER TABLE wms.item ENABLE CHANGE_TRACKING;
ALTER TABLE wms.orders ENABLE CHANGE_TRACKING;
ALTER TABLE wms.order_lines ENABLE CHANGE_TRACKING;
ALTER TABLE wms.pick_tasks ENABLE CHANGE_TRACKING;
ALTER TABLE wms.receipts ENABLE CHANGE_TRACKING;
ALTER TABLE wms.receipt_lines ENABLE CHANGE_TRACKING;
ALTER TABLE wms.inventory ENABLE CHANGE_TRACKING;
ALTER TABLE wms.shipments ENABLE CHANGE_TRACKING;
ALTER TABLE wms.labor_shifts ENABLE CHANGE_TRACKING;
GO
INSERT INTO wms.company (company_id, code, name, tz, currency, active) VALUES
    (1, N'ISLA', N'Distribuidora Isla Verde', N'America/Puerto_Rico', 'USD', 1),
    (2, N'ANAHUAC', N'Abarrotes Anáhuac, S.A. de C.V.', N'America/Mexico_City', 'MXN', 1);
INSERT INTO wms.warehouse (wh_id, company_id, name, tz, cutoff_local, shift_start, modified) VALUES
    (N'SJU1', 1, N'San Juan, puerto', N'America/Puerto_Rico', '16:00:00', '06:00:00', '2026-01-05T08:00:00'),
    (N'MIA2', 1, N'Miami, Doral', N'America/New_York', '17:00:00', '06:00:00', '2026-01-05T08:00:00'),
    (N'MEX1', 2, N'Ciudad de México, Vallejo', N'America/Mexico_City', '15:00:00', '07:00:00', '2026-01-05T08:00:00');
GO
