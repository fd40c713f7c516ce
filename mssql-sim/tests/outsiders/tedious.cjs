// tedious behind a line protocol: a JSON request per line on standard input, a JSON reply per line on standard output.
// Values travel as text in the forms of `textOf`.
"use strict";

const fs = require("node:fs");
const readline = require("node:readline");
const { Connection, ISOLATION_LEVEL, Request, TYPES } = require("tedious");

const CANCEL_AFTER_MS = 200;
// A double holds every decimal number of so many digits.
const EXACT_DIGITS = 15;
const TICKS_PER_MS = 10_000;

const INTEGERS = ["IntN", "TinyInt", "SmallInt", "Int", "BigInt"];

const TYPE_OF = {
    bit: TYPES.Bit,
    tinyint: TYPES.TinyInt,
    smallint: TYPES.SmallInt,
    int: TYPES.Int,
    bigint: TYPES.BigInt,
    decimal: TYPES.Decimal,
    numeric: TYPES.Numeric,
    money: TYPES.Money,
    smallmoney: TYPES.SmallMoney,
    float: TYPES.Float,
    real: TYPES.Real,
    date: TYPES.Date,
    time: TYPES.Time,
    datetime: TYPES.DateTime,
    smalldatetime: TYPES.SmallDateTime,
    datetime2: TYPES.DateTime2,
    datetimeoffset: TYPES.DateTimeOffset,
    char: TYPES.Char,
    varchar: TYPES.VarChar,
    text: TYPES.Text,
    nchar: TYPES.NChar,
    nvarchar: TYPES.NVarChar,
    ntext: TYPES.NVarChar,
    binary: TYPES.Binary,
    varbinary: TYPES.VarBinary,
    image: TYPES.Image,
    uniqueidentifier: TYPES.UniqueIdentifier,
    xml: TYPES.NVarChar,
};

function clockOf(date) {
    const ticks = date.getUTCMilliseconds() * TICKS_PER_MS + Math.round((date.nanosecondsDelta ?? 0) * 1e7);
    return `${date.toISOString().slice(11, 19)}.${String(ticks).padStart(7, "0")}`;
}

function textOf(value, type) {
    if (value === null) return null;
    if (typeof value === "boolean") return value ? "1" : "0";
    if (Buffer.isBuffer(value)) return value.toString("hex");
    if (value instanceof Date) {
        const day = value.toISOString().slice(0, 10);
        if (type === "Date") return day;
        if (type === "Time") return clockOf(value);
        return `${day} ${clockOf(value)}`;
    }
    if (typeof value === "number" && !INTEGERS.includes(type)) return hexOf(value);
    return String(value);
}

function hexOf(number) {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleBE(number);
    return bytes.toString("hex");
}

function momentOf(text) {
    const [day, clock] = text.includes(" ") ? text.split(" ") : ["1970-01-01", text];
    const [seconds, fraction = ""] = clock.split(".");
    const ticks = Number(fraction.padEnd(7, "0"));
    const date = new Date(`${day}T${seconds}Z`);
    date.setUTCMilliseconds(Math.floor(ticks / TICKS_PER_MS));
    date.nanosecondDelta = (ticks % TICKS_PER_MS) / 1e7;
    return date;
}

const AS_TEXT = { type: TYPES.NVarChar, options: { length: Infinity } };

// A parameter in the driver's own type where that can hold the value, else as text.
function parameterOf(sqlType, text) {
    const [, base, sizes = ""] = /^(\w+)(?:\(([^)]*)\))?/.exec(sqlType);
    const [first, second] = sizes.split(",").map(Number);
    const type = TYPE_OF[base];
    const asText = { ...AS_TEXT, value: text };
    if (text === null) return { type, value: null, options: optionsOf(base, first, second) };
    switch (base) {
        case "bit":
            return { type, value: text === "1", options: {} };
        case "tinyint":
        case "smallint":
        case "int":
        case "float":
        case "real":
            return { type, value: Number(text), options: {} };
        case "bigint":
            return { type, value: BigInt(text), options: {} };
        case "money":
        case "smallmoney":
            // The driver multiplies by 10,000 and cuts off what is left, which may be all but one.
            if (!Number.isSafeInteger(Number(text) * 10_000)) return asText;
            return { type, value: Number(text), options: {} };
        case "decimal":
        case "numeric":
            if (text.replace(/^-?[0.]*/, "").replace(".", "").length > EXACT_DIGITS) return asText;
            return { type, value: Number(text), options: optionsOf(base, first, second) };
        case "date":
            return { type, value: new Date(`${text}T00:00:00Z`), options: {} };
        case "datetimeoffset":
            // The driver sends its own zone's offset, which is none.
            if (!text.endsWith("+00:00")) return asText;
            return { type, value: momentOf(text.slice(0, -7)), options: optionsOf(base, first) };
        case "time":
        case "datetime":
        case "smalldatetime":
        case "datetime2":
            return { type, value: momentOf(text), options: optionsOf(base, first) };
        case "binary":
        case "varbinary":
        case "image":
            return { type, value: Buffer.from(text, "hex"), options: optionsOf(base, first) };
        default:
            // Text outside of the code page of a type goes as Unicode, as other clients send it.
            return ["uniqueidentifier"].includes(base) ? { type, value: text, options: {} } : asText;
    }
}

function optionsOf(base, first, second) {
    if (["decimal", "numeric"].includes(base)) return { precision: first, scale: second };
    if (["time", "datetime2", "datetimeoffset"].includes(base)) return { scale: first };
    if (["binary", "varbinary", "char", "varchar", "nchar", "nvarchar"].includes(base))
        return { length: Number.isNaN(first) ? Infinity : first };
    return {};
}

const sessions = new Map();

function connect(request) {
    const full = request.encryption === "full";
    const connection = new Connection({
        server: full ? "localhost" : "127.0.0.1",
        authentication: { type: "default", options: { userName: request.user, password: request.password } },
        options: {
            port: request.port,
            database: request.database,
            encrypt: full,
            trustServerCertificate: false,
            cryptoCredentialsDetails: full ? { ca: fs.readFileSync(request.ca) } : {},
            requestTimeout: 0,
            useUTC: true,
        },
    });
    return new Promise((resolve, reject) => {
        connection.connect((error) => {
            if (error) return reject(error);
            sessions.set(request.session, { connection, hasty: request.hasty });
            resolve({});
        });
        // What ends a connection is told to whoever uses it next.
        connection.on("error", () => {});
    });
}

// Runs what `start` does with a request and gathers what came, up to the end or the first error.
function gather(sql, start, hasty) {
    return new Promise((resolve) => {
        const results = [];
        const request = new Request(sql, (error, rowCount) =>
            resolve({ results, affected: rowCount ?? null, error: error ? failureOf(error) : null }),
        );
        request.on("columnMetadata", (columns) => {
            results.push({ columns: columns.map((column) => column.colName), rows: [] });
        });
        request.on("row", (columns) => {
            results.at(-1).rows.push(columns.map(({ value, metadata }) => textOf(value, metadata.type.name)));
        });
        start(request);
        if (hasty) setTimeout(() => request.cancel(), CANCEL_AFTER_MS);
    });
}

function failureOf(error) {
    return { number: error.number ?? null, message: error.message };
}

const COMMANDS = {
    connect,
    close({ session }) {
        const { connection } = sessions.get(session);
        sessions.delete(session);
        return new Promise((resolve) => {
            connection.once("end", () => resolve({}));
            connection.close();
        });
    },
    change(request) {
        return COMMANDS.run(request);
    },
    run({ session, sql, parameters }) {
        const { connection, hasty } = sessions.get(session);
        if (parameters.length === 0) return gather(sql, (request) => connection.execSqlBatch(request), hasty);
        return gather(named(sql), (request) => {
            parameters.forEach((parameter, index) => {
                const { type, value, options } = parameterOf(...parameter);
                request.addParameter(`p${index}`, type, value, options);
            });
            connection.execSql(request);
        });
    },
    // One statement, prepared once and executed for each row.
    async repeat({ session, sql, rows }) {
        const { connection } = sessions.get(session);
        const once = (start) =>
            new Promise((resolve, reject) => {
                prepared.callback = (error) => (error ? reject(error) : resolve());
                start();
            });
        const prepared = new Request(named(sql), (error) => prepared.callback(error));
        const table = rows.map((row) => row.map((parameter) => parameterOf(...parameter)));
        const columns = rows[0].map((parameter, index) => {
            // A column is text as soon as one of its values has to be.
            const text = table.some((row) => row[index].type === TYPES.NVarChar);
            const { type, options } = text ? AS_TEXT : parameterOf(parameter[0], null);
            prepared.addParameter(`p${index}`, type, null, options);
            return text ? (row) => rows[row][index][1] : (row) => table[row][index].value;
        });
        await new Promise((resolve) => {
            prepared.once("prepared", resolve);
            connection.prepare(prepared);
        });
        for (const row of rows.keys()) {
            const values = columns.map((valueOf, index) => [`p${index}`, valueOf(row)]);
            await once(() => connection.execute(prepared, Object.fromEntries(values)));
        }
        await once(() => connection.unprepare(prepared));
        return {};
    },
    begin({ session, isolation }) {
        const level = ISOLATION_LEVEL[isolation.replace(" ", "_")];
        return ended((done) => sessions.get(session).connection.beginTransaction(done, "", level));
    },
    end({ session, commit }) {
        const { connection } = sessions.get(session);
        return ended((done) => (commit ? connection.commitTransaction(done) : connection.rollbackTransaction(done)));
    },
    copy({ session, table, columns, rows }) {
        const { connection } = sessions.get(session);
        return ended((done) => {
            const load = connection.newBulkLoad(table, done);
            columns.forEach(([name, sqlType]) => {
                const { type, options } = parameterOf(sqlType, null);
                load.addColumn(name, type, { nullable: true, ...options });
            });
            const valuesOf = (row) => row.map((text, index) => parameterOf(columns[index][1], text).value);
            connection.execBulkLoad(load, rows.map(valuesOf));
        });
    },
};

function ended(start) {
    return new Promise((resolve, reject) => start((error) => (error ? reject(error) : resolve({}))));
}

function named(sql) {
    let count = 0;
    return sql.replaceAll("?", () => `@p${count++}`);
}

async function main() {
    for await (const line of readline.createInterface({ input: process.stdin })) {
        const request = JSON.parse(line);
        let reply;
        try {
            reply = await COMMANDS[request.do](request);
        } catch (error) {
            reply = { error: failureOf(error) };
        }
        console.log(JSON.stringify({ results: [], affected: null, error: null, ...reply }));
    }
    process.exit();
}

main();
