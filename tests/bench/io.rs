//! How fast IO managers write and read a partition, beside DuckDB itself.
//!
//!     tests/duckdb cargo bench -p precip-duckdb --bench io                 January's flights, 40 times over
//!     tests/duckdb cargo bench -p precip-duckdb --bench io -- 10           10 times over
//!
//! Every manager stores the same rows of the sample project and loads them again; DuckDB's library writes the
//! same rows in the same form, and reads the very file that the manager wrote into the same Arrow batches. They
//! take turns, five times, and the quickest of each counts. Waiting for a disk
//! (`IoManager::make_durable`) is left out on both sides.

#![expect(clippy::print_stdout, reason = "it prints what it measures")]

use std::{
    error::Error,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use duckdb::{Connection, arrow::array::RecordBatch};
use precip_duckdb::DuckDbIoManager;
use precip_engine::io::{Address, IoManager, LoadRequest};
use precip_io::{IntoAsset, ObjectStoreIoManager, Table, TableFormat, TableStream, Value};

const TURNS: u32 = 5;
const OVER: usize = 40;
const FLIGHTS: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../events/landing/flights/*.csv.gz"
);

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// One manager, and what DuckDB does of the same.
struct Rival {
    name: &'static str,
    manager: Arc<dyn IoManager>,
    /// `DuckDB`'s statement that writes table `rows`, to a file `{}`.
    write: &'static str,
    /// Its statement that reads a file `{}`.
    read: &'static str,
}

#[derive(Clone, Copy)]
struct Fastest {
    ours: Duration,
    theirs: Duration,
}

impl Fastest {
    const NONE: Self = Self {
        ours: Duration::MAX,
        theirs: Duration::MAX,
    };
}

fn timed<T>(work: impl FnOnce() -> Result<T>) -> Result<(T, Duration)> {
    let began = Instant::now();
    let done = work()?;
    Ok((done, began.elapsed()))
}

fn flights(connection: &Connection, over: usize) -> Result<Table> {
    connection.execute_batch(&format!(
        "CREATE TABLE rows AS SELECT * FROM read_csv('{FLIGHTS}', nullstr = 'NA'), range({over})"
    ))?;
    connection.execute_batch("ALTER TABLE rows DROP COLUMN range")?;
    table(connection, "SELECT * FROM rows")
}

fn table(connection: &Connection, query: &str) -> Result<Table> {
    let mut statement = connection.prepare(query)?;
    let rows = statement.query_arrow([])?;
    let schema = rows.get_schema();
    let batches: Vec<RecordBatch> = rows.collect();
    Ok(Table::new(schema, batches)?)
}

fn rivals(folder: &Path) -> Result<Vec<Rival>> {
    let files = |name: &str, format| -> Result<Arc<dyn IoManager>> {
        let folder = folder.join(name).display().to_string();
        Ok(Arc::new(
            ObjectStoreIoManager::open(&folder)?.with_format(format),
        ))
    };
    Ok(vec![
        Rival {
            name: "Parquet",
            manager: files("parquet", TableFormat::Parquet)?,
            write: "COPY rows TO '{}' (FORMAT parquet, COMPRESSION zstd)",
            read: "SELECT * FROM read_parquet('{}')",
        },
        Rival {
            name: "CSV",
            manager: files("csv", TableFormat::Csv)?,
            write: "COPY rows TO '{}' (FORMAT csv)",
            read: "SELECT * FROM read_csv('{}')",
        },
        Rival {
            name: "JSON",
            manager: files("json", TableFormat::JsonLines)?,
            write: "COPY rows TO '{}' (FORMAT json)",
            read: "SELECT * FROM read_json('{}')",
        },
    ])
}

fn row(name: &str, did: &str, rows: usize, fastest: Fastest) {
    #[expect(clippy::cast_precision_loss, reason = "it is a rate")]
    let rate = |time: Duration| rows as f64 / time.as_secs_f64() / 1e6;
    let ratio = fastest.ours.as_secs_f64() / fastest.theirs.as_secs_f64();
    println!(
        "{name:<10} {did:<6} {:>14.2} {:>16.2} {ratio:>8.2}",
        rate(fastest.ours),
        rate(fastest.theirs)
    );
}

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let over = std::env::args()
        .find_map(|word| word.parse().ok())
        .unwrap_or(OVER);
    let folder = tempfile::tempdir()?;
    let engine = Connection::open_in_memory()?;
    let flights = flights(&engine, over)?;
    let rows = flights.num_rows();
    let address = Address {
        asset: "flights".parse()?,
        partition: Some("2013-01".into()),
        run: "01JDC0Z5V9M3T8Q4W2X7Y6R1KA".parse()?,
        attempt: 1,
    };
    let streamed = |flights: &Table| {
        let batches: Vec<_> = flights.batches().iter().cloned().map(Ok).collect();
        TableStream::from_batches(flights.schema().clone(), batches)
    };
    println!("{rows} rows of {} columns", flights.schema().fields().len());
    println!(
        "{:<10} {:<6} {:>14} {:>16} {:>8}",
        "", "", "M rows/s", "DuckDB M rows/s", "ratio"
    );
    let load = |manager: &dyn IoManager, pointer: &str| -> Result<usize> {
        let whole = LoadRequest::default();
        match runtime
            .block_on(manager.load(&address, pointer, &whole))?
            .downcast()
            .map_err(|_| "this is no value")?
        {
            Value::Table(table) => Ok(table.num_rows()),
            other => Err(format!("{} is no table", other.form()).into()),
        }
    };
    for rival in rivals(folder.path())? {
        let (mut written, mut read) = (Fastest::NONE, Fastest::NONE);
        for _ in 0..TURNS {
            let value = streamed(&flights).into_asset()?;
            let (stored, took) =
                timed(|| Ok(runtime.block_on(rival.manager.store(&address, value))?))?;
            written.ours = written.ours.min(took);
            let theirs = folder.path().join("theirs").display().to_string();
            let ((), took) =
                timed(|| Ok(engine.execute_batch(&rival.write.replace("{}", &theirs))?))?;
            written.theirs = written.theirs.min(took);
            let (loaded, took) = timed(|| load(rival.manager.as_ref(), &stored.pointer))?;
            read.ours = read.ours.min(took);
            let file = folder
                .path()
                .join(rival.name.to_lowercase())
                .join(&stored.pointer);
            let query = rival.read.replace("{}", &file.display().to_string());
            let (same, took) = timed(|| Ok(table(&engine, &query)?.num_rows()))?;
            read.theirs = read.theirs.min(took);
            assert_eq!((loaded, same), (rows, rows), "{}", rival.name);
        }
        row(rival.name, "write", rows, written);
        row(rival.name, "read", rows, read);
    }

    let manager = DuckDbIoManager::open(folder.path().join("ours.duckdb"))?;
    let (mut written, mut read) = (Fastest::NONE, Fastest::NONE);
    for turn in 0..TURNS {
        let value = streamed(&flights).into_asset()?;
        let (stored, took) = timed(|| Ok(runtime.block_on(manager.store(&address, value))?))?;
        written.ours = written.ours.min(took);
        let (loaded, took) = timed(|| load(&manager, &stored.pointer))?;
        read.ours = read.ours.min(took);
        // Its database is opened and closed each time, as the manager's is.
        let file = folder.path().join(format!("theirs-{turn}.duckdb"));
        let ((), took) = timed(|| {
            let connection = Connection::open(&file)?;
            connection.execute_batch(&definition(&engine)?)?;
            let mut appender = connection.appender("rows")?;
            for batch in flights.batches() {
                appender.append_record_batch(batch.clone())?;
            }
            appender.flush()?;
            Ok(())
        })?;
        written.theirs = written.theirs.min(took);
        let (same, took) =
            timed(|| Ok(table(&Connection::open(&file)?, "SELECT * FROM rows")?.num_rows()))?;
        read.theirs = read.theirs.min(took);
        assert_eq!((loaded, same), (rows, rows), "DuckDB");
    }
    row("DuckDB", "write", rows, written);
    row("DuckDB", "read", rows, read);
    Ok(())
}

/// What makes table `rows` anew.
fn definition(engine: &Connection) -> Result<String> {
    let query = "SELECT sql FROM duckdb_tables() WHERE table_name = 'rows'";
    Ok(engine.query_row(query, [], |row| row.get(0))?)
}
