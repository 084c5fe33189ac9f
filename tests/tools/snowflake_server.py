"""fakesnow's server, with what the tests need and it has not.

Who changes a table within a transaction has it to himself until the end; others wait for their turn. When
the one who has it is heard of no more, he is taken for dead, and what he had begun is undone: Snowflake does
so after five minutes, here it is three seconds. fakesnow itself would let the second one fail.

Snowflake answers in the format that a driver is known to read. fakesnow answers every query in Arrow, as for
its own driver, which loses timestamps that are not there. So what DuckDB found is written here in the other
format: a text for each value, whose form the column's type says. Of many rows the first are in the answer, and the
others in parts, each to be fetched from a place of its own, packed.

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


def text(value, column):
    """A value as Snowflake's drivers find it in JSON."""
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
    """Instead of `to_sf`: the rows as texts."""
    columns = [[text(value, kind) for value in column.to_pylist()] for column, kind in zip(table.columns, rowtype)]
    return list(zip(*columns, strict=True)) if table.num_rows else []


# Rows of a part. Snowflake has more in one.
PART = 2_000
parts = {}


def divide(data, rows):
    """Puts rows into an answer, and those that are too many into parts."""
    data["rowset"], data["chunks"], data["chunkHeaders"] = rows[:PART], [], {}
    for start in range(PART, len(rows), PART):
        some = rows[start : start + PART]
        # As Snowflake writes them: the rows without what is around them.
        plain = json.dumps(some)[1:-1].encode()
        packed, name = gzip.compress(plain, 1), uuid.uuid4().hex
        parts[name] = packed
        data["chunks"].append({
            "url": f"http://127.0.0.1:{sys.argv[1]}/parts/{name}",
            "rowCount": len(some),
            "uncompressedSize": len(plain),
            "compressedSize": len(packed),
        })


async def part(request):
    """Some rows of an answer."""
    return Response(parts[request.path_params["name"]])


class Answer(server.JSONResponse):
    """An answer whose Arrow is JSON."""

    def render(self, content):
        data = content.get("data") if isinstance(content, dict) else None
        if data and data.get("queryResultFormat") == "arrow":
            rows = data.pop("rowsetBase64")
            data["queryResultFormat"] = "json"
            divide(data, json.loads(b64decode(rows)) if rows else [])
        elif data and "errorCode" in data:
            # What Snowflake says no to has a name too.
            data["queryId"] = str(uuid.uuid4())
        return super().render(content)


execute = server.FakeSnowflakeCursor.execute
changed = threading.Condition()
# Who has which table, and when who was heard of last; no time while a statement runs.
holders, heard = {}, {}
DEAD_AFTER = 3.0


def wait_for(connection, table):
    """Waits until nobody else has the table, and takes it."""
    with changed:
        while (holder := holders.get(table, connection)) is not connection:
            last = heard[holder]
            if last is not None and time.monotonic() - last > DEAD_AFTER:
                execute(holder.cursor(), "ROLLBACK", server=True)
                leave(holder)
                holder.dead = True
            else:
                changed.wait(0.01)
        holders[table] = connection


def leave(connection):
    """Gives back what somebody has."""
    with changed:
        for table in [table for table, holder in holders.items() if holder is connection]:
            del holders[table]
        connection.begun = False
        changed.notify_all()


def in_turn(self, command, *args, **kwargs):
    """Instead of `execute`: one transaction at a time changes a table."""
    connection, words = self._conn, command.split()
    if getattr(connection, "dead", False):
        message = "Session no longer exists. New login required to access the service."
        raise server.snowflake.connector.errors.ProgrammingError(msg=message, errno=390111, sqlstate="08001")
    verb = words[0].upper()
    if verb == "UPDATE" and getattr(connection, "begun", False):
        wait_for(connection, (connection.database, words[1]))
    heard[connection] = None
    try:
        return execute(self, command, *args, **kwargs)
    finally:
        heard[connection] = time.monotonic()
        if verb == "BEGIN":
            connection.begun = True
        elif verb in ("COMMIT", "ROLLBACK"):
            leave(connection)


server.FakeSnowflakeCursor.execute = in_turn
server.to_sf = rows_of
server.to_ipc = lambda rows: json.dumps(rows).encode()
server.JSONResponse = Answer
server.app.add_route("/parts/{name}", part)

if __name__ == "__main__":
    uvicorn.run(server.app, host="127.0.0.1", port=int(sys.argv[1]), log_level="info")
