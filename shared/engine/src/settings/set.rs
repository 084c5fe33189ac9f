//! [`Settings`]: one setting, several, or none.

use std::future::Future;

use crate::settings::{Setting, SettingProblem, SettingReader, SettingSpec};

/// What something is made from: `()`, one [`Setting`], or a tuple of up to six.
pub trait Settings: Send + Sync + 'static {
    /// The values, in the same shape.
    type Values: Send;

    /// What is known of each without reading it.
    fn specs(&self) -> Vec<SettingSpec>;

    /// Reads all of them.
    ///
    /// # Errors
    /// Every setting that has no usable value.
    fn read(
        &self,
        reader: &dyn SettingReader,
    ) -> impl Future<Output = Result<Self::Values, Vec<SettingProblem>>> + Send;
}

impl Settings for () {
    type Values = ();

    fn specs(&self) -> Vec<SettingSpec> {
        Vec::new()
    }

    async fn read(&self, _: &dyn SettingReader) -> Result<(), Vec<SettingProblem>> {
        Ok(())
    }
}

impl<T: Clone + Send + Sync + 'static> Settings for Setting<T> {
    type Values = T;

    fn specs(&self) -> Vec<SettingSpec> {
        vec![self.spec()]
    }

    async fn read(&self, reader: &dyn SettingReader) -> Result<T, Vec<SettingProblem>> {
        Setting::read(self, reader)
            .await
            .map_err(|problem| vec![problem])
    }
}

macro_rules! tuple {
    ($($set:ident $place:tt),+) => {
        impl<$($set: Settings),+> Settings for ($($set,)+) {
            type Values = ($($set::Values,)+);

            fn specs(&self) -> Vec<SettingSpec> {
                [$(self.$place.specs()),+].concat()
            }

            #[expect(non_snake_case, reason = "the variables are named after the type parameters")]
            async fn read(
                &self,
                reader: &dyn SettingReader,
            ) -> Result<Self::Values, Vec<SettingProblem>> {
                $(let $set = self.$place.read(reader).await;)+
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
