"""Logs in, creates tables, loads rows, runs transactions, and reads back exactly what it wrote."""

import datetime
import decimal
import sys
import uuid

import pymssql

PORT, PASSWORD = sys.argv[1:]


def connect(**options):
    return pymssql.connect(
        server="127.0.0.1", port=PORT, user="sa", password=PASSWORD, database="wms", **options
    )


def number_of(error):
    code = error.args[0]
    return code[0] if isinstance(code, tuple) else code


CREATE = """
CREATE TABLE dbo.items (
    id int NOT NULL PRIMARY KEY,
    code nvarchar(40) NOT NULL,
    name varchar(60) COLLATE SQL_Latin1_General_CP1_CI_AS NULL,
    weight decimal(18, 4) NULL,
    price money NULL,
    ratio float NULL,
    entered datetime2(3) NULL,
    due date NULL,
    at time(6) NULL,
    active bit NOT NULL,
    big bigint NULL,
    image varbinary(max) NULL,
    notes nvarchar(max) NULL,
    tag uniqueidentifier NULL,
    created datetime NULL
)
"""
COLUMNS = 15


def rows():
    start = datetime.datetime(2026, 1, 1)
    for n in range(2000):
        if n % 7 == 0:
            yield (n, f"empty-{n}", *[None] * 7, False, *[None] * 5)
            continue
        yield (
            n,
            f"c\u00f3digo-{n} \u6f22\u5b57",
            f"caf\u00e9 {n} \u20ac 'quoted'",
            decimal.Decimal(n * 7919 - 5_000_000).scaleb(-4),
            decimal.Decimal(n).scaleb(-4),
            n / 3,
            start + datetime.timedelta(hours=n, milliseconds=n),
            (start + datetime.timedelta(days=n)).date(),
            (start + datetime.timedelta(seconds=n, microseconds=n)).time(),
            n % 2 == 0,
            n * 10**15,
            bytes(range(256)) * (1 + n % 40),
            "\U0001f69a" * n,
            uuid.uuid5(uuid.NAMESPACE_OID, str(n)),
            start + datetime.timedelta(hours=n, milliseconds=10 * (n % 100)),
        )


def round_trip(connection):
    cursor = connection.cursor()
    cursor.execute(CREATE)
    connection.commit()
    written = list(rows())
    marks = ", ".join(["%s"] * COLUMNS)
    cursor.executemany(f"INSERT INTO dbo.items VALUES ({marks})", written)
    connection.commit()

    cursor.execute("SELECT * FROM dbo.items ORDER BY id")
    read = cursor.fetchall()
    assert len(read) == len(written), (len(read), len(written))
    for got, wrote in zip(read, written):
        assert got == wrote, (got, wrote)

    cursor.execute("SELECT id FROM dbo.items WHERE code = %s", ("C\u00d3DIGO-5 \u6f22\u5b57  ",))
    assert cursor.fetchall() == [(5,)], "text compares without case and trailing blanks"
    cursor.execute("SELECT COUNT(*), SUM(weight), MIN(due), MAX(code) FROM dbo.items")
    count, weight, due, code = cursor.fetchone()
    assert count == len(written)
    assert weight == sum(row[3] for row in written if row[3] is not None), weight
    assert due == min(row[7] for row in written if row[7] is not None), due


def transactions(connection, other):
    cursor = connection.cursor()
    count = "SELECT COUNT(*) FROM dbo.items WHERE active = 1"

    def active(client):
        client_cursor = client.cursor()
        client_cursor.execute(count)
        return client_cursor.fetchone()[0]

    before = active(connection)
    cursor.execute("UPDATE dbo.items SET active = 0 WHERE id < 1000")
    assert cursor.rowcount == 1000, cursor.rowcount
    assert active(connection) < before
    other.cursor().execute("SET LOCK_TIMEOUT 0")
    try:
        active(other)
        raise AssertionError("READ COMMITTED must not see an open transaction's rows")
    except pymssql.Error as error:
        assert number_of(error) == 1222, error
    connection.rollback()
    assert active(connection) == active(other) == before

    cursor.execute("DELETE FROM dbo.items WHERE id >= 1990")
    cursor.execute("INSERT INTO dbo.items (id, code, active) VALUES (5000, N'new', 1)")
    connection.commit()
    cursor.execute("SELECT COUNT(*) FROM dbo.items")
    assert cursor.fetchone() == (1991,)

    try:
        cursor.execute("INSERT INTO dbo.items (id, code, active) VALUES (5000, N'again', 1)")
        raise AssertionError("the key exists")
    except pymssql.IntegrityError as error:
        assert number_of(error) == 2627, error
    connection.rollback()


def refused():
    try:
        pymssql.connect(server="127.0.0.1", port=PORT, user="sa", password="guess", database="wms")
        raise AssertionError("the password is wrong")
    except pymssql.OperationalError as error:
        assert number_of(error) == 18456, error


def seeded(connection):
    cursor = connection.cursor()
    cursor.execute("SELECT COUNT(*) FROM dbo.seed")
    assert cursor.fetchone() == (2,), "the script ran before the first login"


with connect() as main, connect(autocommit=True) as second:
    seeded(second)
    round_trip(main)
    transactions(main, second)
refused()
