"""fakesnow's server, which answers queries in JSON.

Snowflake answers in the format that a driver is known to read. fakesnow answers every query in Arrow, as for
its own driver, which loses timestamps that are not there. So what DuckDB found is written here in the other
format of Snowflake's drivers: a text for each value, whose form the column's type says.

    python snowflake-server.py PORT
"""

import importlib
import json
import sys
import uuid
from base64 import b64decode
from datetime import date, datetime

import uvicorn

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


class Answer(server.JSONResponse):
    """An answer whose Arrow is JSON."""

    def render(self, content):
        data = content.get("data") if isinstance(content, dict) else None
        if data and data.get("queryResultFormat") == "arrow":
            rows = data.pop("rowsetBase64")
            data["queryResultFormat"] = "json"
            data["rowset"] = json.loads(b64decode(rows)) if rows else []
        elif data and "errorCode" in data:
            # What Snowflake says no to has a name too.
            data["queryId"] = str(uuid.uuid4())
        return super().render(content)


server.to_sf = rows_of
server.to_ipc = lambda rows: json.dumps(rows).encode()
server.JSONResponse = Answer

if __name__ == "__main__":
    uvicorn.run(server.app, host="127.0.0.1", port=int(sys.argv[1]), log_level="info")
