//! The landing files: what is dropped for this project each day, and how it is read.

mod records;

use std::io::Read;

use csv::ReaderBuilder;
use flate2::read::GzDecoder;
use precip::io::{Files, FilesError, InvalidLocation};
use serde::de::DeserializeOwned;

pub use records::{AirportRecord, FlightRecord, PlaneRecord, WeatherRecord};

/// The folder, or the bucket, that landing files are dropped into.
#[derive(Debug, Clone)]
pub struct Landing {
    files: Files,
}

/// A landing file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LandingError {
    /// It is not there.
    #[error(
        "there is no landing file `{name}` in `{location}`: was it dropped, and does \
         FLIGHTS_LANDING say where?"
    )]
    Missing { name: String, location: String },
    /// Something in it makes no sense.
    #[error("landing file `{name}` cannot be understood")]
    Row {
        name: String,
        #[source]
        source: csv::Error,
    },
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] FilesError),
}

impl Landing {
    /// Names the folder, or the bucket. It is looked at when a file is read.
    ///
    /// # Errors
    /// [`InvalidLocation`] when the location names neither.
    pub fn new(location: &str) -> Result<Self, InvalidLocation> {
        Ok(Self {
            files: Files::open(location)?,
        })
    }

    /// Reads the rows of one file: CSV with a header, gzipped if its name ends in `.gz`.
    ///
    /// # Errors
    /// [`LandingError`], which names the file.
    pub async fn read<T: DeserializeOwned>(&self, name: &str) -> Result<Vec<T>, LandingError> {
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
        // Asked for by itself, as the rows of a file whose header cannot be read are none.
        let header = reader.headers().map(drop);
        let rows = header.and_then(|()| reader.deserialize().collect());
        rows.map_err(|source| LandingError::Row {
            name: name.to_owned(),
            source,
        })
    }
}
