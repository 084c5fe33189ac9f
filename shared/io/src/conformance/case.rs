//! [`Case`]: the list of cases.

use std::{any::Any, panic::AssertUnwindSafe};

use futures::FutureExt;
use precip_engine::io::IoManager;

use super::{attempts, concurrency, metrics, rows, streams, types};

macro_rules! cases {
    ($($(#[$doc:meta])* $case:ident => $check:path;)*) => {
        /// A requirement for IO managers.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Case {
            $($(#[$doc])* $case,)*
        }

        impl Case {
            /// Every case.
            pub const ALL: &[Self] = &[$(Self::$case,)*];
        }

        /// Checks one case on an empty manager.
        ///
        /// # Panics
        /// When the manager does not satisfy the case.
        pub async fn check_case(case: Case, manager: &dyn IoManager) {
            match case {
                $(Case::$case => $check(manager).await,)*
            }
        }
    };
}

cases! {
    /// Rows of numbers, texts, dates and times come back as they were.
    Rows => rows::round_trip;
    /// A missing value stays missing in a column of any type, also when no row has a value.
    Nulls => types::null_values;
    /// Texts come back unchanged: all scripts, combining marks, line ends, quotes, and what looks like a null.
    Unicode => types::unicode_texts;
    /// Decimals keep every digit, up to the longest.
    Decimals => types::decimal_digits;
    /// Times with a zone come back as the same times in the same zone, also before 1970 and across changes
    /// of the clock.
    Zones => types::time_zones;
    /// An empty text differs from a missing one.
    EmptyTexts => rows::empty_texts;
    /// NaN and the infinities come back.
    NotFinite => rows::not_finite;
    /// Lists, structs and maps within rows come back.
    Nested => rows::nested_values;
    /// Missing values inside lists and structs stay missing, and differ from empty ones.
    NestedNulls => types::nested_nulls;
    /// A table comes back with its exact column types when none are requested.
    ExactTypes => rows::exact_types;
    /// A table without rows still has its columns.
    ColumnsOfNoRows => rows::columns_of_no_rows;
    /// No rows come back as no rows.
    NoRows => rows::no_rows;
    /// Fewer columns can be requested.
    FewerColumns => rows::fewer_columns;
    /// A column that is stored under another name is refused, and not read as missing in every row.
    RenamedColumns => rows::renamed_columns;
    /// The metadata has the number of rows and the columns.
    Facts => rows::stored_metadata;
    /// Checks over a stored partition find the same as checks over its rows, whether the manager loads the rows or
    /// computes the metric.
    Measures => metrics::row_metrics;
    /// So do checks of the columns, or of a missing column.
    MeasuredColumns => metrics::column_metrics;
    /// Streams of rows are stored, and loaded as streams.
    Streams => streams::round_trip;
    /// A stream that ends with an error stores nothing, and leaves what was stored before.
    BrokenStreams => streams::broken_streams;
    /// JSON, text and bytes come back as they were.
    OtherForms => rows::other_forms;
    /// Partitions do not affect each other, whatever characters their keys have.
    Partitions => attempts::partitions_stay_apart;
    /// Nor do partitions whose keys are longer than a file name may be.
    LongKeys => attempts::long_keys;
    /// A new attempt leaves the data of an older one.
    Attempts => attempts::attempts_stay_apart;
    /// Storing again at one address replaces the data.
    StoreAgain => attempts::store_again;
    /// The data of a newer attempt stays when an older one is late.
    LateAttempt => attempts::late_attempt;
    /// Concurrent writers leave one whole value each.
    ConcurrentWriters => concurrency::concurrent_writers;
    /// Concurrent writers of different partitions do not affect each other.
    ConcurrentPartitions => concurrency::concurrent_partitions;
    /// A reader among writers gets a whole value.
    ReaderAmongWriters => concurrency::reader_among_writers;
    /// A writer that is canceled at any await leaves the old value or the new one, never a mix.
    StoppedWriter => concurrency::stopped_writer;
    /// Data can be made durable repeatedly, alone and with other data, and does not change.
    MakeDurable => attempts::make_durable;
    /// A pointer to nothing is `NotFound`.
    NothingThere => attempts::nothing_there;
    /// A pointer that leads elsewhere is refused.
    ForeignPointer => attempts::foreign_pointer;
    /// A value that only another manager knows is refused, and named.
    ForeignValue => attempts::foreign_value;
    /// Stored attempts of an asset can be listed and removed.
    ListAndRemove => attempts::list_and_remove;
}

/// A case that a manager does not satisfy, declared beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// It refuses to store such a value, with an
    /// [`IoError::Unsupported`](precip_engine::io::IoError::Unsupported).
    Refused(Case),
    /// It behaves differently, as its documentation says.
    Otherwise(Case),
}

impl Limit {
    fn limited_case(self) -> Case {
        match self {
            Self::Refused(case) | Self::Otherwise(case) => case,
        }
    }
}

/// Checks every case, each on a new manager. `limits` names the cases that it does not satisfy; a limit that it does
/// satisfy fails too, so that the declaration stays true.
///
/// # Panics
/// When the manager fails a case, or satisfies a limit.
pub async fn check_all<M: IoManager>(make: impl Fn() -> M, limits: &[Limit]) {
    for &case in Case::ALL {
        let manager = make();
        // A limit must fail, and a refusal must be one.
        let Some(limit) = limits.iter().find(|limit| limit.limited_case() == case) else {
            check_case(case, &manager).await;
            continue;
        };
        let result = AssertUnwindSafe(check_case(case, &manager))
            .catch_unwind()
            .await;
        let Err(panic) = result else {
            panic!("{limit:?} is no limit of this manager: it satisfies the case");
        };
        let reason = panic_message(panic.as_ref());
        if let Limit::Refused(_) = limit {
            assert!(
                reason.contains("Unsupported"),
                "{limit:?}: it does not refuse the value, but: {reason}"
            );
        }
    }
}

/// Returns the message of a panic.
fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or_default()
}
