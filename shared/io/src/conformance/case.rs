//! The list of checks.

use precip_engine::io::IoManager;

use super::{attempts, rows};

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
    /// A text that is empty is told from one that is not there.
    EmptyTexts => rows::empty_texts;
    /// NaN and the infinities come back.
    NotFinite => rows::not_finite;
    /// Lists, structs and maps within rows come back.
    Nested => rows::nested;
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
    /// JSON, text and bytes come back as they were.
    OtherForms => rows::other_forms;
    /// Partitions do not touch each other, however their keys are written.
    Partitions => attempts::partitions;
    /// A new attempt leaves what an older one stored.
    Attempts => attempts::attempts;
    /// Storing again under one address replaces what was there.
    StoreAgain => attempts::store_again;
    /// Writers at the same time leave one whole value each.
    ConcurrentWriters => attempts::concurrent_writers;
    /// A writer that is stopped anywhere leaves its whole value or none, and the one before.
    StoppedWriter => attempts::stopped_writer;
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

/// Puts new managers through every case but those that their format cannot hold.
///
/// # Panics
/// When one does not do what a case asks for.
pub async fn check_all<M: IoManager>(make: impl Fn() -> M, skip: &[Case]) {
    for &case in Case::ALL {
        if !skip.contains(&case) {
            check(case, &make()).await;
        }
    }
}
