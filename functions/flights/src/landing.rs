//! The landing files that arrive each day, and their parser.

mod records;

use std::io::Read;

use csv::ReaderBuilder;
use flate2::read::GzDecoder;
use precip::io::{Files, FilesError, InvalidLocation};
use serde::de::DeserializeOwned;

pub use records::{AirportRecord, FlightRecord, PlaneRecord, WeatherRecord};

/// The folder or bucket in which landing files arrive.
#[derive(Debug, Clone)]
pub struct Landing {
    files: Files,
}

/// The reason why a landing file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LandingError {
    /// The file does not exist.
    #[error(
        "there is no landing file `{name}` in `{location}`: put it there, or set FLIGHTS_LANDING to \
         the folder or bucket that has it"
    )]
    Missing { name: String, location: String },
    /// A row is invalid.
    #[error("landing file `{name}` cannot be parsed")]
    Row {
        name: String,
        #[source]
        source: csv::Error,
    },
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] FilesError),
}

impl Landing {
    /// Creates a reader of a folder or bucket, which is not accessed until a file is read.
    ///
    /// # Errors
    /// [`InvalidLocation`] when the location is neither.
    pub fn new(location: &str) -> Result<Self, InvalidLocation> {
        Ok(Self {
            files: Files::open(location)?,
        })
    }

    /// Reads the rows of one file: CSV with a header, gzipped if its name ends in `.gz`.
    ///
    /// # Errors
    /// [`LandingError`], which names the file.
    pub async fn read_rows<T: DeserializeOwned>(&self, name: &str) -> Result<Vec<T>, LandingError> {
        let Some(content) = self.files.read(name).await? else {
            return Err(LandingError::Missing {
                name: name.to_owned(),
                location: self.files.location().to_owned(),
            });
        };
        let bytes: Box<dyn Read> = if name.ends_with(".gz") {
            Box::new(GzDecoder::new(&content[..]))
        } else {
            Box::new(&content[..])
        };
        let mut reader = ReaderBuilder::new().from_reader(bytes);
        // Checked separately: a file with an invalid header would have no rows, and no error.
        let header = reader.headers().map(drop);
        let rows = header.and_then(|()| reader.deserialize().collect());
        rows.map_err(|source| LandingError::Row {
            name: name.to_owned(),
            source,
        })
    }
}
