//! [`Settings`]: groups of settings.

use std::future::Future;

use crate::settings::{Setting, SettingError, SettingReader, SettingSpec};

/// A group of settings: `()`, one [`Setting`], or a tuple of up to six groups.
pub trait Settings: Send + Sync + 'static {
    /// The values, in the same shape.
    type Values: Send;

    /// Returns the specs of all settings.
    fn setting_specs(&self) -> Vec<SettingSpec>;

    /// Reads all settings.
    ///
    /// # Errors
    /// Every setting that has no usable value.
    fn read_values(
        &self,
        reader: &dyn SettingReader,
    ) -> impl Future<Output = Result<Self::Values, Vec<SettingError>>> + Send;
}

impl Settings for () {
    type Values = ();

    fn setting_specs(&self) -> Vec<SettingSpec> {
        Vec::new()
    }

    async fn read_values(&self, _: &dyn SettingReader) -> Result<(), Vec<SettingError>> {
        Ok(())
    }
}

impl<T: Clone + Send + Sync + 'static> Settings for Setting<T> {
    type Values = T;

    fn setting_specs(&self) -> Vec<SettingSpec> {
        vec![self.spec()]
    }

    async fn read_values(&self, reader: &dyn SettingReader) -> Result<T, Vec<SettingError>> {
        Setting::read_value(self, reader)
            .await
            .map_err(|problem| vec![problem])
    }
}

macro_rules! tuple {
    ($($set:ident $index:tt),+) => {
        impl<$($set: Settings),+> Settings for ($($set,)+) {
            type Values = ($($set::Values,)+);

            fn setting_specs(&self) -> Vec<SettingSpec> {
                [$(self.$index.setting_specs()),+].concat()
            }

            #[expect(non_snake_case, reason = "the variables are named after the type parameters")]
            async fn read_values(
                &self,
                reader: &dyn SettingReader,
            ) -> Result<Self::Values, Vec<SettingError>> {
                // All settings are read before the first problem is returned, to report every
                // problem.
                $(let $set = self.$index.read_values(reader).await;)+
                match ($($set,)+) {
                    ($(Ok($set),)+) => Ok(($($set,)+)),
                    ($($set,)+) => {
                        let mut problems = Vec::new();
                        $(problems.extend($set.err().into_iter().flatten());)+
                        Err(problems)
                    }
                }
            }
        }
    };
}

tuple!(A 0);
tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
tuple!(A 0, B 1, C 2, D 3, E 4);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5);
