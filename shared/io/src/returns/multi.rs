//! [`MultiAssetReturn`].

use std::error::Error;

use precip_engine::asset::{AssetError, ReturnValue};

use super::AssetReturn;

/// Types that the function of a multi-asset with `N` outputs can return: a tuple of `N` values that an
/// asset's function can return, or a `Result` of one. With `can_subset`, an output that was not requested
/// is `None`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not {N} outputs",
    label = "return a tuple of {N} values, one for each output in the order of `outputs(..)`",
    note = "each may be what a single asset's function may return; a `Result` goes around the tuple"
)]
pub trait MultiAssetReturn<const N: usize> {
    /// Converts the result into the form that the engine records, in the order of the outputs.
    ///
    /// # Errors
    /// The function's own error, or a terminal error when data cannot be stored.
    fn into_return_value(self) -> Result<[ReturnValue; N], AssetError>;
}

/// Types whose output `I` is data of a known type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no output {I} (counted from 0)",
    label = "return a tuple with one value for each output in the order of `outputs(..)`"
)]
pub trait OutputAt<const I: usize> {
    /// The type of the data that downstream assets load.
    type Data: 'static;
}

impl<R, E, const N: usize> MultiAssetReturn<N> for Result<R, E>
where
    R: MultiAssetReturn<N>,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    fn into_return_value(self) -> Result<[ReturnValue; N], AssetError> {
        self.map_err(AssetError::from_boxed)?.into_return_value()
    }
}

impl<R: OutputAt<I>, E, const I: usize> OutputAt<I> for Result<R, E> {
    type Data = R::Data;
}

macro_rules! tuples {
    ($count:literal: $($output:ident $index:tt),+) => {
        impl<$($output: AssetReturn),+> MultiAssetReturn<$count> for ($($output,)+) {
            fn into_return_value(self) -> Result<[ReturnValue; $count], AssetError> {
                Ok([$(self.$index.into_return_value()?),+])
            }
        }
        tuples!(@at ($($output,)+) $($output $index,)+);
    };
    (@at $tuple:tt $($output:ident $index:tt,)+) => {
        $(tuples!(@one $tuple $output $index);)+
    };
    (@one ($($all:ident,)+) $output:ident $index:tt) => {
        impl<$($all: AssetReturn),+> OutputAt<$index> for ($($all,)+) {
            type Data = $output::Data;
        }
    };
}

tuples!(1: A 0);
tuples!(2: A 0, B 1);
tuples!(3: A 0, B 1, C 2);
tuples!(4: A 0, B 1, C 2, D 3);
tuples!(5: A 0, B 1, C 2, D 3, E 4);
tuples!(6: A 0, B 1, C 2, D 3, E 4, F 5);
tuples!(7: A 0, B 1, C 2, D 3, E 4, F 5, G 6);
tuples!(8: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
tuples!(9: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8);
tuples!(10: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9);
tuples!(11: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10);
tuples!(12: A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11);
