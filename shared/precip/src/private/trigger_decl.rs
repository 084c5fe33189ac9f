//! [`SensorDecl`] and [`ScheduleDecl`]: one sensor or schedule while it is declared.

use std::{fmt::Display, str::FromStr};

use precip_core::{
    cron::parse_time_zone,
    key::AssetKey,
    selection::Selection,
    spec::TriggerName,
    trigger::{
        Bucket, CatchUp, DefaultStatus, MonitoredStatus, ObjectFilter, ObjectSensor, Require,
        ScheduleSpec, ScheduleTiming, SensorSource, SensorSpec,
    },
};
use precip_engine::{
    asset::{Asset, ResourceNeed},
    definitions::{Declaration, SourceLocation},
    settings::{Setting, SettingRef},
    trigger::{ScheduleDefinition, ScheduleFn, SensorDefinition, SensorFn},
};

/// A value of `bucket =`: the bucket's name, or the setting that names it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name a bucket",
    label = "not a bucket",
    note = "write a bucket's name, or a setting: `bucket = env(\"LANDING_BUCKET\")`"
)]
pub trait IntoBucket {
    /// Returns the bucket.
    ///
    /// # Errors
    /// A message when the setting cannot name a bucket.
    fn to_bucket(&self) -> Result<Bucket, String>;
}

impl IntoBucket for &str {
    fn to_bucket(&self) -> Result<Bucket, String> {
        Ok(Bucket::Named((*self).to_owned()))
    }
}

impl IntoBucket for Setting<String> {
    fn to_bucket(&self) -> Result<Bucket, String> {
        match self.spec().reference {
            SettingRef::Variable(name) => Ok(Bucket::Variable {
                name,
                default: self.default_value().cloned(),
            }),
            SettingRef::Secret(name) => Err(format!(
                "its bucket is secret `{name}`, but the name of a bucket is deployed in the template: use \
                 an environment variable"
            )),
        }
    }
}

/// The options that sensors and schedules share.
#[derive(Debug)]
struct CommonDecl {
    name: String,
    source: SourceLocation,
    target: Option<String>,
    default_status: DefaultStatus,
    description: Option<String>,
    resources: Vec<ResourceNeed>,
    problems: Vec<String>,
}

impl CommonDecl {
    fn new(name: &str, source: SourceLocation) -> Self {
        Self {
            name: name.to_owned(),
            source,
            target: None,
            default_status: DefaultStatus::Stopped,
            description: None,
            resources: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// Parses a string, or records why it is invalid.
    fn parse<T: FromStr<Err: Display>>(&mut self, text: &str) -> Option<T> {
        text.parse()
            .map_err(|error: T::Err| self.problems.push(error.to_string()))
            .ok()
    }

    /// Parses a selection, if there is one, or records why it is invalid.
    fn parse_selection(&mut self, text: Option<&str>) -> Option<Selection> {
        match Selection::parse(text?) {
            Ok(selection) => Some(selection),
            Err(error) => {
                self.problems.push(error.message());
                None
            }
        }
    }

    /// Parses the name and the target that were given.
    fn parse_name_and_target(&mut self) -> (Option<TriggerName>, Option<Selection>) {
        let name = self.name.clone();
        let target = self.target.take();
        (self.parse(&name), self.parse_selection(target.as_deref()))
    }

    /// Returns the declaration with its recorded mistakes.
    fn into_invalid(self) -> Declaration {
        Declaration::Invalid {
            name: self.name,
            reason: self.problems.join("; "),
            source: self.source,
        }
    }
}

macro_rules! common_methods {
    () => {
        pub fn target_selection(mut self, selection: &str) -> Self {
            self.common.target = Some(selection.to_owned());
            self
        }

        pub fn target_asset<A: Asset>(mut self) -> Self {
            let asset = format!("key:\"{}\"", A::KEY);
            // Several assets make one selection.
            self.common.target = Some(match self.common.target.take() {
                Some(others) => format!("{others} or {asset}"),
                None => asset,
            });
            self
        }

        pub fn starts_running(mut self) -> Self {
            self.common.default_status = DefaultStatus::Running;
            self
        }

        pub fn description(mut self, text: &str) -> Self {
            self.common.description = Some(text.to_owned());
            self
        }

        pub fn add_resource<T: ?Sized + 'static>(mut self, name: &str) -> Self {
            self.common
                .resources
                .push(ResourceNeed::for_type::<T>(name));
            self
        }
    };
}

/// One sensor while it is declared.
pub struct SensorDecl {
    common: CommonDecl,
    function: Option<SensorFn>,
    bucket: Option<Bucket>,
    key: Option<String>,
    prefix: String,
    suffix: String,
    min_size: u64,
    deletes: bool,
    assets: Vec<AssetKey>,
    require: Require,
    statuses: Vec<MonitoredStatus>,
    of: Option<String>,
}

impl SensorDecl {
    pub fn new(name: &str, source: SourceLocation, function: Option<SensorFn>) -> Self {
        Self {
            common: CommonDecl::new(name, source),
            function,
            bucket: None,
            key: None,
            prefix: String::new(),
            suffix: String::new(),
            min_size: 0,
            deletes: false,
            assets: Vec::new(),
            require: Require::All,
            statuses: Vec::new(),
            of: None,
        }
    }

    common_methods!();

    pub fn bucket<B: IntoBucket>(mut self, bucket: &B) -> Self {
        match bucket.to_bucket() {
            Ok(bucket) => self.bucket = Some(bucket),
            Err(problem) => self.common.problems.push(problem),
        }
        self
    }

    pub fn key_template(mut self, template: &str) -> Self {
        self.key = Some(template.to_owned());
        self
    }

    pub fn prefix(mut self, prefix: &str) -> Self {
        self.prefix = prefix.to_owned();
        self
    }

    pub fn suffix(mut self, suffix: &str) -> Self {
        self.suffix = suffix.to_owned();
        self
    }

    pub fn min_size(mut self, bytes: u64) -> Self {
        self.min_size = bytes;
        self
    }

    pub fn include_deletes(mut self) -> Self {
        self.deletes = true;
        self
    }

    pub fn watch_asset<A: Asset>(mut self) -> Self {
        self.assets.push(A::key());
        self
    }

    pub fn require_any(mut self) -> Self {
        self.require = Require::Any;
        self
    }

    pub fn run_statuses(mut self, statuses: &[&str]) -> Self {
        for status in statuses {
            self.statuses.extend(match *status {
                "succeeded" => Some(MonitoredStatus::Succeeded),
                "failed" => Some(MonitoredStatus::Failed),
                "canceled" => Some(MonitoredStatus::Canceled),
                // The macro lets no other name through.
                _ => None,
            });
        }
        self
    }

    pub fn run_selection(mut self, selection: &str) -> Self {
        self.of = Some(selection.to_owned());
        self
    }

    pub fn into_declaration(mut self) -> Declaration {
        let (name, target) = self.common.parse_name_and_target();
        let source = self.take_source();
        let (Some(name), Some(source), true) = (name, source, self.common.problems.is_empty())
        else {
            return self.common.into_invalid();
        };
        let spec = SensorSpec {
            name,
            source,
            target,
            default_status: self.common.default_status,
            description: self.common.description,
            has_function: self.function.is_some(),
        };
        Declaration::from(SensorDefinition {
            spec,
            resources: self.common.resources,
            source: self.common.source,
            function: self.function,
        })
    }

    /// Returns the source of the sensor's events. The macro lets exactly one kind of source
    /// through.
    fn take_source(&mut self) -> Option<SensorSource> {
        if !self.statuses.is_empty() {
            let of = self.of.take();
            return Some(SensorSource::Runs {
                statuses: self.statuses.clone(),
                of: self.common.parse_selection(of.as_deref()),
            });
        }
        if !self.assets.is_empty() {
            return Some(SensorSource::Assets {
                assets: self.assets.clone(),
                require: self.require,
            });
        }
        // A template of the whole key, or a prefix and a suffix: the macro allows one of the two.
        let filter = match self.key.take() {
            Some(template) => ObjectFilter::Key(self.common.parse(&template)?),
            None => ObjectFilter::Between {
                prefix: std::mem::take(&mut self.prefix),
                suffix: std::mem::take(&mut self.suffix),
            },
        };
        Some(SensorSource::Objects(ObjectSensor {
            bucket: self.bucket.take()?,
            filter,
            min_size: self.min_size,
            deletes: self.deletes,
        }))
    }
}

/// One schedule while it is declared.
pub struct ScheduleDecl {
    common: CommonDecl,
    function: Option<ScheduleFn>,
    cron: Option<String>,
    timezone: Option<String>,
    /// Minute, hour, weekday and day of the month.
    offsets: [Option<u32>; 4],
    catch_up: CatchUp,
}

impl ScheduleDecl {
    pub fn new(name: &str, source: SourceLocation, function: Option<ScheduleFn>) -> Self {
        Self {
            common: CommonDecl::new(name, source),
            function,
            cron: None,
            timezone: None,
            offsets: [None; 4],
            catch_up: CatchUp::default(),
        }
    }

    common_methods!();

    pub fn cron(mut self, cron: &str) -> Self {
        self.cron = Some(cron.to_owned());
        self
    }

    pub fn timezone(mut self, timezone: &str) -> Self {
        self.timezone = Some(timezone.to_owned());
        self
    }

    pub fn minute(mut self, minute: u32) -> Self {
        self.offsets[0] = Some(minute);
        self
    }

    pub fn hour(mut self, hour: u32) -> Self {
        self.offsets[1] = Some(hour);
        self
    }

    pub fn weekday(mut self, weekday: u32) -> Self {
        self.offsets[2] = Some(weekday);
        self
    }

    pub fn day(mut self, day: u32) -> Self {
        self.offsets[3] = Some(day);
        self
    }

    pub fn catch_up(mut self, catch_up: CatchUp) -> Self {
        self.catch_up = catch_up;
        self
    }

    pub fn into_declaration(mut self) -> Declaration {
        let (name, target) = self.common.parse_name_and_target();
        let timezone = self.timezone.take().and_then(|name| {
            parse_time_zone(&name)
                .map_err(|error| self.common.problems.push(error.to_string()))
                .ok()
        });
        // Without a cron expression the ticks follow the target's partitions.
        let timing = match self.cron.take() {
            Some(cron) => self.common.parse(&cron).map(|cron| ScheduleTiming::Cron {
                cron,
                timezone: timezone.unwrap_or(chrono_tz::UTC),
            }),
            None => {
                let [minute, hour, weekday, day] = self.offsets;
                Some(ScheduleTiming::Partitions {
                    minute,
                    hour,
                    weekday,
                    day,
                    timezone,
                })
            }
        };
        let (Some(name), Some(timing), true) = (name, timing, self.common.problems.is_empty())
        else {
            return self.common.into_invalid();
        };
        let spec = ScheduleSpec {
            name,
            timing,
            target,
            catch_up: self.catch_up,
            default_status: self.common.default_status,
            description: self.common.description,
            has_function: self.function.is_some(),
        };
        Declaration::from(ScheduleDefinition {
            spec,
            resources: self.common.resources,
            source: self.common.source,
            function: self.function,
        })
    }
}
