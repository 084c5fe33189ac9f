//! The landing files: what is dropped for this project each day, and how it is read.

mod records;

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use csv::ReaderBuilder;
use flate2::read::GzDecoder;
use serde::de::DeserializeOwned;

pub use records::{AirportRecord, FlightRecord, PlaneRecord, WeatherRecord};

/// The folder that landing files are dropped into.
#[derive(Debug, Clone)]
pub struct Landing {
    folder: PathBuf,
}

/// A landing file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LandingError {
    /// It is not there.
    #[error(
        "there is no landing file `{}`: was it dropped, and does FLIGHTS_LANDING say where?",
        path.display()
    )]
    Missing { path: PathBuf },
    /// Something in it makes no sense.
    #[error("landing file `{}` cannot be understood", path.display())]
    Row {
        path: PathBuf,
        #[source]
        source: csv::Error,
    },
    /// It cannot be read.
    #[error("failed to read landing file `{}`", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

impl Landing {
    /// Names the folder. It is looked at when a file is read.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    /// Reads the rows of one file: CSV with a header, gzipped if its name ends in `.gz`.
    ///
    /// # Errors
    /// [`LandingError`], which names the file.
    pub fn read<T: DeserializeOwned>(
        &self,
        name: impl AsRef<Path>,
    ) -> Result<Vec<T>, LandingError> {
        let path = self.folder.join(name);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(LandingError::Missing { path });
            }
            Err(source) => return Err(LandingError::Read { path, source }),
        };
        let bytes: Box<dyn Read> = match path.extension() {
            Some(extension) if extension == "gz" => Box::new(GzDecoder::new(file)),
            _ => Box::new(file),
        };
        let mut reader = ReaderBuilder::new().from_reader(bytes);
        // Asked for by itself, as the rows of a file whose header cannot be read are none.
        let header = reader.headers().map(drop);
        let rows = header.and_then(|()| reader.deserialize().collect());
        rows.map_err(|source| LandingError::Row { path, source })
    }
}
