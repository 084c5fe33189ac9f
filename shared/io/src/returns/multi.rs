//! [`MultiAssetReturn`].

use std::error::Error;

use precip_engine::asset::{AssetError, Returned};

use super::AssetReturn;

/// What the function of a multi-asset with `N` outputs may return: a tuple of `N` values that an
/// asset's function may return, or a `Result` of one. With `can_subset`, an output that was not asked
/// for is `None`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not {N} outputs",
    label = "return a tuple of {N} values, one for each output in the order of `outputs(..)`",
    note = "each may be what a single asset's function may return; a `Result` goes around the tuple"
)]
pub trait MultiAssetReturn<const N: usize> {
    /// What the engine records, in the order of the outputs.
    ///
    /// # Errors
    /// The function's own error, or that data cannot be stored (terminal).
    fn into_returned(self) -> Result<[Returned; N], AssetError>;
}

/// The data of one of several outputs.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no output {I} (counted from 0)",
    label = "return a tuple with one value for each output in the order of `outputs(..)`"
)]
pub trait OutputAt<const I: usize> {
    /// What downstream assets can load.
    type Data: 'static;
}

impl<R, E, const N: usize> MultiAssetReturn<N> for Result<R, E>
where
    R: MultiAssetReturn<N>,
    E: Into<Box<dyn Error + Send + Sync>>,
{
    fn into_returned(self) -> Result<[Returned; N], AssetError> {
        self.map_err(AssetError::from_boxed)?.into_returned()
    }
}

impl<R: OutputAt<I>, E, const I: usize> OutputAt<I> for Result<R, E> {
    type Data = R::Data;
}

macro_rules! tuples {
    ($count:literal: $($output:ident $place:tt),+) => {
        impl<$($output: AssetReturn),+> MultiAssetReturn<$count> for ($($output,)+) {
            fn into_returned(self) -> Result<[Returned; $count], AssetError> {
                Ok([$(self.$place.into_returned()?),+])
            }
        }
        tuples!(@at ($($output,)+) $($output $place,)+);
    };
    (@at $tuple:tt $($output:ident $place:tt,)+) => {
        $(tuples!(@one $tuple $output $place);)+
    };
    (@one ($($all:ident,)+) $output:ident $place:tt) => {
        impl<$($all: AssetReturn),+> OutputAt<$place> for ($($all,)+) {
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
