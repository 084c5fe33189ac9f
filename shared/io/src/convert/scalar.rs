//! Numbers and `bool` as assets.

use precip_engine::asset::{AssetValue, LoadedInput};

use super::{
    ConvertError, FromAsset, IntoAsset, LoadFrom,
    from_asset::read_one,
    json::{from_json, to_json},
};

/// Types that are stored as a bare JSON value, without [`Json`](crate::Json) around them.
pub trait Scalar: sealed::Sealed {}

mod sealed {
    pub trait Sealed {}
}

macro_rules! scalars {
    ($($scalar:ty),* $(,)?) => {$(
        impl sealed::Sealed for $scalar {}
        impl Scalar for $scalar {}

        impl IntoAsset for $scalar {
            fn into_asset(self) -> Result<AssetValue, ConvertError> {
                to_json(&self)
            }
        }

        impl FromAsset for $scalar {
            fn from_asset(input: LoadedInput) -> Result<Self, ConvertError> {
                read_one(input, from_json)
            }
        }

        impl LoadFrom<$scalar> for $scalar {}
    )*};
}

scalars!(bool, i8, i16, i32, i64, u8, u16, u32, u64, usize, f32, f64);
