"""Three Python drivers behind one line protocol: a JSON request per line on standard input, a JSON reply per line on standard output.

    drivers.py odbc|pymssql|pytds

`odbc` is Microsoft's ODBC driver as mssql-python carries it. Values travel as text in the forms of `text_of`.
"""

import contextlib
import datetime
import decimal
import json
import os
import pathlib
import struct
import sys
import uuid

TIMEOUT_SECONDS = 1
INTEGERS = {"tinyint", "smallint", "int", "bigint"}
DECIMALS = {"decimal", "numeric", "money", "smallmoney"}
FLOATS = {"float", "real"}
BINARIES = {"binary", "varbinary", "image"}
MOMENTS = {"datetime", "datetime2", "smalldatetime", "datetimeoffset"}
# Python's clock ends at the microsecond, so a value with a seventh digit goes as text.
MICROSECOND_DIGITS = 6


def text_of(value):
    match value:
        case None | str():
            return value
        case bool():
            return str(int(value))
        case int():
            return str(value)
        case float():
            return struct.pack(">d", value).hex()
        case decimal.Decimal():
            return format(value, "f")
        case datetime.datetime():
            offset = value.strftime("%z")
            clock = value.replace(tzinfo=None).isoformat(" ", "microseconds")
            return f"{clock} {offset[:3]}:{offset[3:5]}" if offset else clock
        case datetime.date():
            return value.isoformat()
        case datetime.time():
            return value.isoformat("microseconds")
        case bytes() | bytearray():
            return value.hex()
        case uuid.UUID():
            return str(value)
    raise TypeError(f"a value of {type(value)}: {value!r}")


def clock_of(text):
    """The parsed text, or None where Python has no room for it."""
    clock, *offset = text.split(" +") if " +" in text else text.split(" -") if " -" in text else (text,)
    fraction = clock.partition(".")[2]
    if fraction[MICROSECOND_DIGITS:].strip("0"):
        return None
    clock = clock[: len(clock) - max(0, len(fraction) - MICROSECOND_DIGITS)]
    sign = "+" if " +" in text else "-"
    return clock + (sign + offset[0] if offset else "")


def value_of(sql_type, text):
    """The driver's own value for a parameter of that type."""
    base = sql_type.partition("(")[0].partition(" ")[0]
    if text is None:
        return None
    if base == "bit":
        return text == "1"
    if base in INTEGERS:
        return int(text)
    if base in DECIMALS:
        return decimal.Decimal(text)
    if base in FLOATS:
        return float(text)
    if base in BINARIES:
        return bytes.fromhex(text)
    if base == "uniqueidentifier":
        return uuid.UUID(text)
    if base == "date":
        return datetime.date.fromisoformat(text)
    if base in MOMENTS:
        clock = clock_of(text)
        return text if clock is None else datetime.datetime.fromisoformat(clock)
    if base == "time":
        clock = clock_of(text)
        return text if clock is None else datetime.time.fromisoformat(clock)
    return text


class Odbc:
    marker = "?"

    def __init__(self):
        import mssql_python

        # A pool would give back the session of a closed connection.
        mssql_python.pooling(enabled=False)
        self.module = mssql_python

    def connect(self, request):
        host = "localhost" if request["encryption"] == "full" else "127.0.0.1"
        if request["ca"] is not None:
            # The driver trusts what the system's OpenSSL does.
            os.environ["SSL_CERT_FILE"] = request["ca"]
        keys = {
            "Server": f"{host},{request['port']}",
            "Database": request["database"],
            "UID": request["user"],
            "PWD": "{" + request["password"] + "}",
            "Encrypt": "yes" if request["encryption"] == "full" else "no",
            "TrustServerCertificate": "no" if request["encryption"] == "full" else "yes",
        }
        connection = self.module.connect(";".join(f"{key}={value}" for key, value in keys.items()), autocommit=True)
        connection.timeout = TIMEOUT_SECONDS if request["hasty"] else 0
        return connection

    def failure(self, error):
        # The driver tells texts only, behind its own heading.
        return {"number": None, "message": str(error).rpartition("]")[2]}

    def begin(self, connection, isolation):
        connection.cursor().execute(f"SET TRANSACTION ISOLATION LEVEL {isolation}")
        connection.autocommit = False

    def end(self, connection, commit):
        connection.commit() if commit else connection.rollback()
        connection.autocommit = True

    def value(self, sql_type, text):
        value = value_of(sql_type, text)
        # The driver takes moments from 1753 on and has no parameter for those with an offset that Python calls aware.
        first = datetime.datetime(1753, 1, 1)
        if isinstance(value, datetime.datetime) and value.tzinfo is None and value < first:
            return text
        if type(value) is datetime.date and value < first.date():
            return text
        return value

    def copy(self, connection, table, columns, rows):
        types = [sql_type for _, sql_type in columns]
        with contextlib.closing(connection.cursor()) as cursor:
            cursor.bulkcopy(table, [tuple(map(value_of, types, row)) for row in rows])


class Pymssql:
    marker = "%s"

    def __init__(self):
        import pymssql

        self.module = pymssql

    def connect(self, request):
        encryption = {"none": "off", "login": "request", "full": "require"}[request["encryption"]]
        if request["ca"] is not None:
            settings = pathlib.Path(request["ca"]).with_suffix(".conf")
            settings.write_text(f"[global]\nca file = {request['ca']}\n")
            os.environ["FREETDSCONF"] = str(settings)
        return self.module.connect(
            server="localhost" if request["ca"] else "127.0.0.1",
            port=str(request["port"]),
            user=request["user"],
            password=request["password"],
            database=request["database"],
            timeout=TIMEOUT_SECONDS if request["hasty"] else 0,
            autocommit=True,
            encryption=encryption,
            use_datetime2=True,
        )

    def failure(self, error):
        if not isinstance(error, self.module.Error):
            return {"number": None, "message": repr(error)}
        number, message = error.args[0] if isinstance(error.args[0], tuple) else error.args
        return {"number": number, "message": message.decode() if isinstance(message, bytes) else message}

    def begin(self, connection, isolation):
        connection.cursor().execute(f"SET TRANSACTION ISOLATION LEVEL {isolation}")
        connection.autocommit(False)

    def end(self, connection, commit):
        connection.commit() if commit else connection.rollback()
        connection.autocommit(True)

    def value(self, sql_type, text):
        value = value_of(sql_type, text)
        # Of parameters the driver makes literals, of bytes and moments not the right ones.
        if isinstance(value, bytes):
            return bytearray(value)
        return text if isinstance(value, (datetime.datetime, datetime.time)) else value

    def copy(self, connection, table, columns, rows):
        types = [sql_type for _, sql_type in columns]
        connection.bulk_copy(table, [tuple(map(self.copied_value, types, row)) for row in rows])

    def copied_value(self, sql_type, text):
        # The driver copies numbers of two kinds, bytes, and text that the library converts.
        value = value_of(sql_type, text)
        return value if isinstance(value, (int, float, bytes)) else text


class Pytds:
    marker = "%s"

    def __init__(self):
        import pytds

        self.module = pytds
        self.levels = {
            "READ UNCOMMITTED": 1,
            "READ COMMITTED": 2,
            "REPEATABLE READ": 3,
            "SERIALIZABLE": 4,
            "SNAPSHOT": 5,
        }

    def connect(self, request):
        tls = request["encryption"] != "none"
        return self.module.connect(
            server="localhost" if tls else "127.0.0.1",
            port=request["port"],
            user=request["user"],
            password=request["password"],
            database=request["database"],
            autocommit=True,
            timeout=TIMEOUT_SECONDS if request["hasty"] else None,
            cafile=request["ca"] if tls else None,
            enc_login_only=request["encryption"] == "login",
        )

    def failure(self, error):
        return {"number": getattr(error, "number", None), "message": getattr(error, "text", repr(error))}

    def begin(self, connection, isolation):
        connection.isolation_level = self.levels[isolation]
        connection.autocommit = False

    def end(self, connection, commit):
        connection.commit() if commit else connection.rollback()
        connection.autocommit = True

    def value(self, sql_type, text):
        value = value_of(sql_type, text)
        return self.module.Binary(value) if isinstance(value, bytes) else value

    def copy(self, connection, table, columns, rows):
        described = [
            self.module.tds_base.Column(name=name, type=self.type_of(sql_type), flags=1) for name, sql_type in columns
        ]
        types = [sql_type for _, sql_type in columns]
        with contextlib.closing(connection.cursor()) as cursor:
            cursor.copy_to(table_or_view=table, columns=described, data=[list(map(value_of, types, row)) for row in rows])

    def type_of(self, sql_type):
        return self.module.tds_types.sql_type_by_declaration(sql_type)


DRIVERS = {"odbc": Odbc, "pymssql": Pymssql, "pytds": Pytds}


class Client:
    """The sessions of a driver, and what the request at hand has brought so far."""

    def __init__(self, driver):
        self.driver = driver
        self.sessions = {}
        self.results = []
        self.affected = None

    def execute(self, cursor, sql, parameters):
        if parameters:
            values = tuple(self.driver.value(*parameter) for parameter in parameters)
            cursor.execute(sql.replace("?", self.driver.marker), values)
        else:
            cursor.execute(sql)

    def fetch(self, cursor):
        more = True
        while more:
            if cursor.description is not None:
                columns = [column[0] for column in cursor.description]
                rows = []
                self.results.append({"columns": columns, "rows": rows})
                rows.extend([text_of(value) for value in row] for row in cursor.fetchall())
            more = cursor.nextset()

    def answer(self, request):
        self.results, self.affected = [], None
        session = request["session"]
        match request["do"]:
            case "connect":
                self.sessions[session] = self.driver.connect(request)
            case "close":
                self.sessions.pop(session).close()
            case "run":
                with contextlib.closing(self.sessions[session].cursor()) as cursor:
                    self.execute(cursor, request["sql"], request["parameters"])
                    self.fetch(cursor)
            case "change":
                with contextlib.closing(self.sessions[session].cursor()) as cursor:
                    self.execute(cursor, request["sql"], request["parameters"])
                    self.affected = cursor.rowcount
            case "repeat":
                with contextlib.closing(self.sessions[session].cursor()) as cursor:
                    for parameters in request["rows"]:
                        self.execute(cursor, request["sql"], parameters)
            case "begin":
                self.driver.begin(self.sessions[session], request["isolation"])
            case "end":
                self.driver.end(self.sessions[session], request["commit"])
            case "copy":
                self.driver.copy(self.sessions[session], request["table"], request["columns"], request["rows"])


def main():
    client = Client(DRIVERS[sys.argv[1]]())
    for line in sys.stdin:
        error = None
        try:
            client.answer(json.loads(line))
        except Exception as failed:
            # Of the driver, of the socket under it, or of Python over a value: the test decides.
            error = client.driver.failure(failed)
        print(json.dumps({"results": client.results, "affected": client.affected, "error": error}), flush=True)


if __name__ == "__main__":
    main()
