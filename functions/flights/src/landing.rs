//! The landing files that arrive each day, and their parser.

mod reader;
mod records;

use precip::io::{Files, FilesError, InvalidLocation};

pub use reader::{InvalidFile, InvalidValue, LandingRecord};
pub use records::{AirlineRecord, AirportRecord, FlightRecord, PlaneRecord, WeatherRecord};

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
    /// The header or a row is invalid.
    #[error("landing file `{name}` cannot be parsed")]
    Invalid {
        name: String,
        #[source]
        source: InvalidFile,
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
    pub async fn read_rows<R: LandingRecord>(
        &self,
        name: &str,
    ) -> Result<Vec<R::Row>, LandingError> {
        let Some(content) = self.files.read(name).await? else {
            return Err(LandingError::Missing {
                name: name.to_owned(),
                location: self.files.location().to_owned(),
            });
        };
        let rows = if name.ends_with(".gz") {
            reader::read_gzipped_rows::<R>(&content)
        } else {
            reader::read_rows::<R>(&content[..])
        };
        rows.map_err(|source| LandingError::Invalid {
            name: name.to_owned(),
            source,
        })
    }
}
