//! The skeletons of what `add` writes.

use crate::args::AddArgs;

impl AddArgs {
    /// Returns the name, and the kind with its article.
    pub(super) fn name_and_kind(&self) -> (&str, &'static str) {
        match self {
            Self::Asset { name } => (name, "an asset"),
            Self::Check { name, .. } => (name, "a check"),
            Self::Sensor { name, .. } => (name, "a sensor"),
            Self::Schedule { name, .. } => (name, "a schedule"),
        }
    }
}

/// Returns the name of the struct of an asset's rows.
pub(super) fn row_name(asset: &str) -> String {
    let mut name = String::new();
    for word in asset.split('_') {
        let mut letters = word.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(letters.as_str());
    }
    name + "Row"
}

/// Returns an asset whose rows have one column.
pub(super) fn asset(name: &str) -> String {
    let row = row_name(name);
    format!(
        "/// A row of `{name}`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct {row} {{
    pub id: i64,
}}

/// TODO: describe the rows. A parameter named like another asset, such as `orders: Vec<Order>`, loads it.
#[asset]
pub fn {name}() -> Vec<{row}> {{
    vec![{row} {{ id: 1 }}]
}}
"
    )
}

/// Returns a check of an asset; `data` is the type of its data.
pub(super) fn check(name: &str, asset: &str, data: Option<&str>) -> String {
    let (parameter, condition) = match data {
        Some(data) if data.starts_with("Vec<") => {
            (format!("{asset}: {data}"), format!("!{asset}.is_empty()"))
        }
        Some(data) => (format!("_{asset}: {data}"), "true".to_owned()),
        None => (String::new(), "true".to_owned()),
    };
    // A parameter is an asset by its name; one that is not used yet begins with `_`.
    let parameter = match parameter.strip_prefix('_') {
        Some(parameter) => format!("#[input({asset})] _{parameter}"),
        None => parameter,
    };
    format!(
        "/// TODO: describe what is true of `{asset}`, and replace the condition.
#[asset_check(asset = {asset})]
pub fn {name}({parameter}) -> CheckResult {{
    CheckResult::passed_if({condition})
}}
"
    )
}

/// Returns a sensor of a folder or bucket.
pub(super) fn sensor(name: &str, target: &str) -> String {
    format!(
        "/// TODO: describe the files. `start` turns the sensor on.
#[sensor(
    bucket = env(\"LANDING\").or(\"landing\"),
    prefix = \"{name}/\",
    target = {target:?},
)]
pub fn {name}(context: &SensorContext) -> Result<RunRequest, Skip> {{
    let object = context
        .object()
        .map_err(|error| Skip::because(error.to_string()))?;
    // For an asset with partitions: `RunRequest::partition(..)`.
    Ok(RunRequest::new().tag(\"file\", &object.key))
}}
"
    )
}

/// Returns a schedule that ticks each morning.
pub(super) fn schedule(name: &str, target: &str) -> String {
    format!(
        "/// TODO: describe the schedule. `start` turns it on.
#[schedule(cron = \"0 6 * * *\", timezone = \"UTC\", target = {target:?})]
pub struct {name};
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_named_after_its_asset() {
        assert_eq!(row_name("customers"), "CustomersRow");
        assert_eq!(row_name("daily_orders_2"), "DailyOrders2Row");
        assert_eq!(row_name("a__b_"), "ABRow");
    }
}
