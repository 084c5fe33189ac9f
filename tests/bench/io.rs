//! The speed at which IO managers write and read a partition, next to DuckDB itself.
//!
//!     tests/duckdb cargo bench -p precip-duckdb --bench io                 January's flights, 40 times over
//!     tests/duckdb cargo bench -p precip-duckdb --bench io -- 10           10 times over
//!
//! Every manager stores the same rows of the sample project and loads them again; DuckDB's library writes the
//! same rows in the same form, and reads the very file that the manager wrote into the same Arrow batches. Those that
//! take streams do so as well, beside the same. They take turns, five times, and the quickest of each counts. Waiting for a disk
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
    /// The forms of rows that the manager takes.
    forms: &'static [Form],
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

    fn take(&mut self, ours: Duration, theirs: Duration) {
        self.ours = self.ours.min(ours);
        self.theirs = self.theirs.min(theirs);
    }
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
            forms: &[Form::Whole, Form::Streamed],
        },
        Rival {
            name: "CSV",
            manager: files("csv", TableFormat::Csv)?,
            write: "COPY rows TO '{}' (FORMAT csv)",
            read: "SELECT * FROM read_csv('{}')",
            forms: &[Form::Whole],
        },
        Rival {
            name: "JSON",
            manager: files("json", TableFormat::JsonLines)?,
            write: "COPY rows TO '{}' (FORMAT json)",
            read: "SELECT * FROM read_json('{}')",
            forms: &[Form::Whole],
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
    println!("{rows} rows of {} columns", flights.schema().fields().len());
    println!(
        "{:<10} {:<6} {:>14} {:>16} {:>8}",
        "", "", "M rows/s", "DuckDB M rows/s", "ratio"
    );
    let ours = Ours {
        runtime,
        address,
        flights,
    };
    for rival in rivals(folder.path())? {
        let mut fastest = vec![(Fastest::NONE, Fastest::NONE); rival.forms.len()];
        for _ in 0..TURNS {
            let theirs = folder.path().join("theirs").display().to_string();
            let write = || Ok(engine.execute_batch(&rival.write.replace("{}", &theirs))?);
            let ((), theirs_wrote) = timed(write)?;
            for (form, (write, read)) in rival.forms.iter().zip(&mut fastest) {
                let (pointer, ours_wrote, ours_read) = ours.turn(rival.manager.as_ref(), *form)?;
                let folder = folder.path().join(rival.name.to_lowercase());
                let file = folder.join(&pointer).display().to_string();
                let query = rival.read.replace("{}", &file);
                let (same, theirs_read) = timed(|| Ok(table(&engine, &query)?.num_rows()))?;
                assert_eq!(same, rows, "{}", rival.name);
                write.take(ours_wrote, theirs_wrote);
                read.take(ours_read, theirs_read);
            }
        }
        print(rival.name, rows, rival.forms, &fastest);
    }

    let manager = DuckDbIoManager::open(folder.path().join("ours.duckdb"))?;
    let forms = [Form::Whole, Form::Streamed];
    let mut fastest = [(Fastest::NONE, Fastest::NONE); 2];
    for turn in 0..TURNS {
        // Its database is opened and closed each time, as the manager's is.
        let file = folder.path().join(format!("theirs-{turn}.duckdb"));
        let ((), theirs_wrote) = timed(|| {
            let connection = Connection::open(&file)?;
            connection.execute_batch(&definition(&engine)?)?;
            let mut appender = connection.appender("rows")?;
            for batch in ours.flights.batches() {
                appender.append_record_batch(batch.clone())?;
            }
            appender.flush()?;
            Ok(())
        })?;
        let query = "SELECT * FROM rows";
        let (same, theirs_read) =
            timed(|| Ok(table(&Connection::open(&file)?, query)?.num_rows()))?;
        assert_eq!(same, rows, "DuckDB");
        for (form, (write, read)) in forms.iter().zip(&mut fastest) {
            let (_, ours_wrote, ours_read) = ours.turn(&manager, *form)?;
            write.take(ours_wrote, theirs_wrote);
            read.take(ours_read, theirs_read);
        }
    }
    print("DuckDB", rows, &forms, &fastest);
    Ok(())
}

/// A form of rows.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    Whole,
    Streamed,
}

/// The input of every measurement of a manager.
struct Ours {
    runtime: tokio::runtime::Runtime,
    address: Address,
    flights: Table,
}

impl Ours {
    /// Stores and loads once. Returns the pointer, and both durations.
    fn turn(&self, manager: &dyn IoManager, form: Form) -> Result<(String, Duration, Duration)> {
        let value = match form {
            Form::Whole => self.flights.clone().into_asset()?,
            Form::Streamed => TableStream::from(self.flights.clone()).into_asset()?,
        };
        let store = || Ok(self.runtime.block_on(manager.store(&self.address, value))?);
        let (stored, wrote) = timed(store)?;
        let (loaded, read) = timed(|| {
            self.runtime
                .block_on(self.load(manager, &stored.pointer, form))
        })?;
        assert_eq!(loaded, self.flights.num_rows());
        Ok((stored.pointer, wrote, read))
    }

    async fn load(&self, manager: &dyn IoManager, pointer: &str, form: Form) -> Result<usize> {
        let request = LoadRequest {
            streamed: form == Form::Streamed,
            ..LoadRequest::default()
        };
        let value = manager.load(&self.address, pointer, &request).await?;
        let mut stream = match value.downcast::<Value>() {
            Ok(Value::Table(table)) => return Ok(table.num_rows()),
            Ok(other) => return Err(format!("{} is no table", other.form()).into()),
            Err(value) => value
                .downcast::<TableStream>()
                .map_err(|_| "this is neither a value nor a stream")?,
        };
        let mut rows = 0;
        while let Some(batch) = stream.next().await {
            rows += batch.map_err(|error| error.to_string())?.num_rows();
        }
        Ok(rows)
    }
}

fn print(name: &str, rows: usize, forms: &[Form], fastest: &[(Fastest, Fastest)]) {
    for (form, (write, read)) in forms.iter().zip(fastest) {
        let name = match form {
            Form::Whole => name,
            Form::Streamed => "  streamed",
        };
        row(name, "write", rows, *write);
        row(name, "read", rows, *read);
    }
}

/// Returns the statement that creates the table `rows`.
fn definition(engine: &Connection) -> Result<String> {
    let query = "SELECT sql FROM duckdb_tables() WHERE table_name = 'rows'";
    Ok(engine.query_row(query, [], |row| row.get(0))?)
}
