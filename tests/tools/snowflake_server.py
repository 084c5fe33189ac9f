"""fakesnow's server, with table locks and with answers in JSON.

A transaction that changes a table locks it until its end; other transactions wait. The transaction of a session that
sends nothing more is rolled back: after five minutes in Snowflake, after three seconds here. fakesnow itself fails the
second transaction.

Snowflake answers a driver in the format that it reads. fakesnow answers every query in Arrow, which loses NULL
timestamps, so results are written here in the other format: a text for each value, in the form of the column's type.
The first rows of a large result are in the answer, the others in parts, each compressed and with its own URL.

    python snowflake_server.py PORT
"""

import gzip
import importlib
import json
import sys
import threading
import time
import uuid
from base64 import b64decode
from datetime import date, datetime

import uvicorn
from starlette.responses import Response

# The package has a function of the same name.
server = importlib.import_module("fakesnow.server")
EPOCH = date(1970, 1, 1)


def value_text(value, column):
    """Returns a value in the form of Snowflake's JSON."""
    kind = column["type"]
    if value is None:
        return None
    if kind == "boolean":
        return "1" if value else "0"
    if kind == "binary":
        return bytes(value).hex().upper()
    if kind == "date":
        return str((value - EPOCH).days)
    if kind == "time":
        seconds = value.hour * 3600 + value.minute * 60 + value.second
        return f"{seconds}.{value.microsecond:06d}000"
    if kind in ("timestamp_ntz", "timestamp_tz"):
        start = datetime(1970, 1, 1, tzinfo=value.tzinfo)
        since = value - start
        # Floored, so that the fraction counts forwards before 1970 too; then written as a decimal.
        nanos = ((since.days * 86400 + since.seconds) * 1_000_000 + since.microseconds) * 1000
        sign, nanos = ("-", -nanos) if nanos < 0 else ("", nanos)
        epoch = f"{sign}{nanos // 1_000_000_000}.{nanos % 1_000_000_000:09d}"
        # The offset in minutes, from -24 h on: what DuckDB has is in UTC.
        return f"{epoch} 1440" if kind == "timestamp_tz" else epoch
    if kind == "real":
        return repr(value)
    return str(value)


def rows_of(table, rowtype):
    """Returns the rows as texts; replaces `to_sf`."""
    columns = [
        [value_text(value, kind) for value in column.to_pylist()]
        for column, kind in zip(table.columns, rowtype, strict=True)
    ]
    return list(zip(*columns, strict=True)) if table.num_rows else []


# The rows of a part. Snowflake's are larger.
PART = 2_000
parts = {}


def divide_rows(data, rows):
    """Puts the first rows into an answer, and the others into parts."""
    data["rowset"], data["chunks"], data["chunkHeaders"] = rows[:PART], [], {}
    for start in range(PART, len(rows), PART):
        some = rows[start : start + PART]
        # Snowflake leaves out the brackets around the rows.
        plain = json.dumps(some)[1:-1].encode()
        packed, name = gzip.compress(plain, 1), uuid.uuid4().hex
        parts[name] = packed
        data["chunks"].append(
            {
                "url": f"http://127.0.0.1:{sys.argv[1]}/parts/{name}",
                "rowCount": len(some),
                "uncompressedSize": len(plain),
                "compressedSize": len(packed),
            }
        )


async def send_part(request):
    """Answers with the rows of a part."""
    return Response(parts[request.path_params["name"]])


class Answer(server.JSONResponse):
    """An answer with its rows in JSON instead of Arrow."""

    def render(self, content):
        data = content.get("data") if isinstance(content, dict) else None
        if data and data.get("queryResultFormat") == "arrow":
            rows = data.pop("rowsetBase64")
            data["queryResultFormat"] = "json"
            divide_rows(data, json.loads(b64decode(rows)) if rows else [])
        elif data and "errorCode" in data:
            # Failed queries have an id too.
            data["queryId"] = str(uuid.uuid4())
        return super().render(content)


execute = server.FakeSnowflakeCursor.execute
changed = threading.Condition()
# The connection that holds each table, and when each was last active: `None` while a statement runs.
holders, heard = {}, {}
DEAD_AFTER = 3.0


def lock_table(connection, table):
    """Waits until no other connection holds the table, and locks it."""
    with changed:
        while (holder := holders.get(table, connection)) is not connection:
            last = heard[holder]
            if last is not None and time.monotonic() - last > DEAD_AFTER:
                execute(holder.cursor(), "ROLLBACK", server=True)
                release_tables(holder)
                holder.dead = True
            else:
                changed.wait(0.01)
        holders[table] = connection


def release_tables(connection):
    """Releases the tables of a connection."""
    with changed:
        for table in [table for table, holder in holders.items() if holder is connection]:
            del holders[table]
        connection.begun = False
        changed.notify_all()


def execute_in_turn(self, command, *args, **kwargs):
    """Executes a statement once its table is free; replaces `execute`."""
    connection, words = self._conn, command.split()
    if getattr(connection, "dead", False):
        message = "Session no longer exists. New login required to access the service."
        raise server.snowflake.connector.errors.ProgrammingError(msg=message, errno=390111, sqlstate="08001")
    verb = words[0].upper()
    if verb == "UPDATE" and getattr(connection, "begun", False):
        lock_table(connection, (connection.database, words[1]))
    heard[connection] = None
    try:
        return execute(self, command, *args, **kwargs)
    finally:
        heard[connection] = time.monotonic()
        if verb == "BEGIN":
            connection.begun = True
        elif verb in ("COMMIT", "ROLLBACK"):
            release_tables(connection)


server.FakeSnowflakeCursor.execute = execute_in_turn
server.to_sf = rows_of
server.to_ipc = lambda rows: json.dumps(rows).encode()
server.JSONResponse = Answer
server.app.add_route("/parts/{name}", send_part)

if __name__ == "__main__":
    uvicorn.run(server.app, host="127.0.0.1", port=int(sys.argv[1]), log_level="info")
