//! Folders that are used as buckets.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use precip_core::{
    prose::and_list,
    trigger::{Bucket, SensorSource},
};
use precip_engine::{definitions::Definitions, settings::ProcessEnvironment, trigger::read_bucket};
use precip_local::{bucket::BucketFolder, home::Home};

use crate::failure::Failure;

/// A folder that is watched as a bucket.
#[derive(Debug)]
pub(super) struct WatchedBucket {
    /// Name of the bucket.
    pub(super) name: String,
    /// The folder with its objects.
    pub(super) folder: BucketFolder,
    /// Names of the sensors that wait for its objects.
    pub(super) sensors: Vec<String>,
}

/// Returns the bucket of every sensor with its folder: the one given on the command line, or else the
/// path in the bucket's setting; for a bucket with a fixed name, a folder of that name in the home.
///
/// # Errors
/// [`Failure`] when a setting is missing, or a folder cannot be created.
pub(super) async fn find_watched_buckets(
    definitions: &Definitions,
    home: &Home,
    given: &[String],
) -> Result<Vec<WatchedBucket>, Failure> {
    let mut chosen: BTreeMap<&str, &str> = BTreeMap::new();
    for argument in given {
        let (bucket, folder) = argument.split_once('=').ok_or_else(|| {
            Failure::usage(format!("`{argument}` names no folder for a bucket"))
                .with_help("write `--folder BUCKET=FOLDER`")
        })?;
        if chosen
            .insert(bucket, folder)
            .is_some_and(|earlier| earlier != folder)
        {
            return Err(
                Failure::usage(format!("bucket `{bucket}` is given two folders"))
                    .with_help("keep one of the two"),
            );
        }
    }
    // By folder: sensors of buckets in the same folder share a watch.
    let mut watched: BTreeMap<PathBuf, WatchedBucket> = BTreeMap::new();
    let mut used: Vec<String> = Vec::new();
    for sensor in definitions.sensors() {
        let objects = match &sensor.spec.source {
            SensorSource::Objects(objects) => objects,
            // Changes of the record are evaluated when a run ends.
            SensorSource::Assets { .. } | SensorSource::Runs { .. } => continue,
        };
        let declared = match &objects.bucket {
            Bucket::Named(name) | Bucket::Variable { name, .. } => name.as_str(),
        };
        let name = match chosen.get(declared) {
            Some(folder) => (*folder).to_owned(),
            None => read_bucket(&objects.bucket, &ProcessEnvironment)
                .await
                .map_err(|problem| {
                    Failure::environment(format!(
                        "sensor `{}`: its bucket: {problem}",
                        sensor.name()
                    ))
                    .with_help(format!(
                        "set it to a folder, or write `--folder {declared}=FOLDER`"
                    ))
                })?,
        };
        used.push(declared.to_owned());
        let path = match (&objects.bucket, chosen.get(declared)) {
            (Bucket::Named(name), None) => home.root().join("buckets").join(name),
            _ => PathBuf::from(&name),
        };
        let folder = create_folder(&path)?;
        let entry = watched
            .entry(folder.clone())
            .or_insert_with(|| WatchedBucket {
                name,
                folder: BucketFolder::new(folder),
                sensors: Vec::new(),
            });
        entry.sensors.push(sensor.name().to_string());
    }
    if let Some(unused) = chosen
        .keys()
        .find(|name| !used.iter().any(|used| used == *name))
    {
        return Err(Failure::usage(format!("no sensor has a bucket `{unused}`"))
            .with_help(format!("the buckets are {}", and_list(&used))));
    }
    Ok(watched.into_values().collect())
}

fn create_folder(folder: &Path) -> Result<PathBuf, Failure> {
    let failed = |error: std::io::Error| {
        Failure::environment(format!(
            "failed to create the folder `{}`: {error}",
            folder.display()
        ))
    };
    std::fs::create_dir_all(folder).map_err(failed)?;
    std::fs::canonicalize(folder).map_err(failed)
}
