//! The list of checks.

use std::{any::Any, panic::AssertUnwindSafe};

use futures::FutureExt;
use precip_engine::io::IoManager;

use super::{attempts, concurrency, measures, rows, streams, types};

macro_rules! cases {
    ($($(#[$doc:meta])* $case:ident => $check:path;)*) => {
        /// One thing that an IO manager must do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Case {
            $($(#[$doc])* $case,)*
        }

        impl Case {
            /// Every case.
            pub const ALL: &[Self] = &[$(Self::$case,)*];
        }

        /// Puts a manager that holds nothing yet through one case.
        ///
        /// # Panics
        /// When it does not do what the case asks for.
        pub async fn check(case: Case, manager: &dyn IoManager) {
            match case {
                $(Case::$case => $check(manager).await,)*
            }
        }
    };
}

cases! {
    /// Rows of numbers, texts, dates and times come back as they were.
    Rows => rows::round_trip;
    /// A value that is not there stays so in a column of any type, also where no row has one.
    Nulls => types::nulls;
    /// Texts come back letter by letter: other scripts, marks, line ends, quotes, what looks like a null.
    Unicode => types::unicode;
    /// Decimals keep every digit, up to the longest.
    Decimals => types::decimals;
    /// Moments with a zone come back as the same moments in the same zone, before 1970 and over changes
    /// of the clock too.
    Zones => types::zones;
    /// A text that is empty is told from one that is not there.
    EmptyTexts => rows::empty_texts;
    /// NaN and the infinities come back.
    NotFinite => rows::not_finite;
    /// Lists, structs and maps within rows come back.
    Nested => rows::nested;
    /// Values that are not there inside lists and structs come back, and are told from empty ones.
    NestedNulls => types::nested_nulls;
    /// A table has its exact column types again, without being asked for any.
    ExactTypes => rows::exact_types;
    /// A table without rows still has its columns.
    ColumnsOfNoRows => rows::columns_of_no_rows;
    /// No rows come back as no rows.
    NoRows => rows::no_rows;
    /// Fewer columns can be asked for.
    FewerColumns => rows::fewer_columns;
    /// How many rows and which columns there are is kept with the materialization.
    Facts => rows::facts;
    /// Checks over data find in what is stored what they find in the rows, of their partition alone, whether the
    /// manager loads the rows or answers what is asked about them.
    Measures => measures::measures;
    /// So do those that look at which columns there are, or at one that is not there.
    MeasuredColumns => measures::columns;
    /// Rows that come batch by batch are stored, and can be loaded so.
    Streams => streams::round_trip;
    /// Of rows that end with an error nothing is stored, and what was there stays.
    BrokenStreams => streams::broken;
    /// JSON, text and bytes come back as they were.
    OtherForms => rows::other_forms;
    /// Partitions do not touch each other, however their keys are written.
    Partitions => attempts::partitions;
    /// Nor when their keys are longer than the name of a file may be.
    LongKeys => attempts::long_keys;
    /// A new attempt leaves what an older one stored.
    Attempts => attempts::attempts;
    /// Storing again under one address replaces what was there.
    StoreAgain => attempts::store_again;
    /// What a newer attempt stored stays when an older one comes late.
    LateAttempt => attempts::late_attempt;
    /// Writers at the same time leave one whole value each.
    ConcurrentWriters => concurrency::writers;
    /// Writers of other partitions at the same time do not touch each other.
    ConcurrentPartitions => concurrency::partitions;
    /// Who reads while others write has a whole value.
    ReaderAmongWriters => concurrency::reader;
    /// A writer that is stopped where it waits leaves the old value or the new one, never a mix.
    StoppedWriter => concurrency::stopped_writer;
    /// What was stored can be made durable, once and again, alone and with others, and is not changed.
    MakeDurable => attempts::make_durable;
    /// A pointer to nothing is `NotFound`.
    NothingThere => attempts::nothing_there;
    /// A pointer that leads elsewhere is refused.
    ForeignPointer => attempts::foreign_pointer;
    /// A value that only another manager knows is refused, and named.
    ForeignValue => attempts::foreign_value;
    /// What is stored of an asset can be listed and removed.
    ListAndRemove => attempts::list_and_remove;
}

/// Something that a manager cannot do, and says so beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// It refuses to store such a value, with an
    /// [`IoError::Unsupported`](precip_engine::io::IoError::Unsupported).
    Refused(Case),
    /// It does otherwise than the case asks for, as its documentation says.
    Otherwise(Case),
}

impl Limit {
    fn case(self) -> Case {
        match self {
            Self::Refused(case) | Self::Otherwise(case) => case,
        }
    }
}

/// Puts new managers through every case. What one cannot do is named in `limits`; a limit that is none
/// fails as well, so that what is written about a manager is true.
///
/// # Panics
/// When one does not do what a case asks for, or does what its limits say it cannot.
pub async fn check_all<M: IoManager>(make: impl Fn() -> M, limits: &[Limit]) {
    for &case in Case::ALL {
        let manager = make();
        let Some(limit) = limits.iter().find(|limit| limit.case() == case) else {
            check(case, &manager).await;
            continue;
        };
        let result = AssertUnwindSafe(check(case, &manager)).catch_unwind().await;
        let Err(panic) = result else {
            panic!("{limit:?} is no limit of this manager: it does what the case asks for");
        };
        let reason = reason(panic.as_ref());
        if let Limit::Refused(_) = limit {
            assert!(
                reason.contains("Unsupported"),
                "{limit:?}: it does not refuse it, but: {reason}"
            );
        }
    }
}

/// What a panic says.
fn reason(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or_default()
}
