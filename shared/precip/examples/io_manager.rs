//! An IO manager that stores text as files in a folder: `cargo run -p precip --example io_manager`.

#![expect(clippy::print_stdout, reason = "an example prints its result")]

use std::{error::Error, fs, io, path::PathBuf};

use precip::{
    engine::{
        asset::AssetValue,
        io::{Address, IoError, IoManager, LoadRequest, Stored},
    },
    io::Value,
    prelude::*,
    testing::materialize,
};

struct TextFolder(PathBuf);

fn io_failed(error: io::Error) -> IoError {
    IoError::Failed {
        message: "cannot access the folder of texts".to_owned(),
        source: error.into(),
    }
}

#[async_trait::async_trait]
impl IoManager for TextFolder {
    async fn store(&self, address: &Address, value: AssetValue) -> Result<Stored, IoError> {
        let Ok(Value::Text(text)) = value.downcast() else {
            let message = format!("`{}` is not text: return `String`", address.asset);
            return Err(IoError::Unsupported { message });
        };
        // The run and the attempt are part of the name, so a late attempt cannot overwrite published data.
        let Address { run, attempt, .. } = address;
        let pointer = format!("{}-{run}-{attempt}.txt", address.asset).replace('/', "-");
        fs::create_dir_all(&self.0).map_err(io_failed)?;
        fs::write(self.0.join(&pointer), text).map_err(io_failed)?;
        Ok(Stored {
            pointer,
            metadata: Default::default(),
        })
    }

    async fn load(
        &self,
        _: &Address,
        pointer: &str,
        _: &LoadRequest,
    ) -> Result<AssetValue, IoError> {
        let text = fs::read_to_string(self.0.join(pointer)).map_err(io_failed)?;
        Ok(Value::Text(text).into())
    }
}

#[asset(io_manager = "texts")]
fn greeting() -> String {
    "hello".to_owned()
}

#[asset(io_manager = "texts")]
fn shouted(greeting: String) -> String {
    greeting.to_uppercase()
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::temp_dir().join(format!("precip-texts-{}", std::process::id()));
    let definitions = Definitions::builder()
        .asset::<greeting>()
        .asset::<shouted>()
        .io_manager("texts", TextFolder(folder.clone()));
    let run = materialize(definitions).run().await?;
    assert!(run.success(), "{:?}", run.failures());
    println!("{}", run.value::<shouted, String>(None).await?);
    for entry in fs::read_dir(&folder)? {
        println!("stored {}", entry?.file_name().display());
    }
    fs::remove_dir_all(folder)?;
    Ok(())
}
