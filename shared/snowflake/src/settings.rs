//! [`SnowflakeSettings`]: a connection by settings.

use precip_engine::settings::{
    Secret, Setting, SettingError, SettingReader, SettingSpec, Settings,
};
use url::Url;

use crate::connection::{Proof, SnowflakeConnection};

/// The settings of a user's credentials.
#[derive(Debug, Clone)]
pub struct SnowflakeLogin(LoginSettings);

#[derive(Debug, Clone)]
enum LoginSettings {
    Password(Setting<Secret>),
    Key(Setting<Secret>, Option<Setting<Secret>>),
    KeyFile(Setting<String>, Option<Setting<Secret>>),
}

impl SnowflakeLogin {
    /// Uses a private key in PEM (PKCS#8), given as text.
    pub fn key_pair(pem: Setting<Secret>) -> Self {
        Self(LoginSettings::Key(pem, None))
    }

    /// Uses a private key in a file, given by its path.
    pub fn key_file(path: Setting<String>) -> Self {
        Self(LoginSettings::KeyFile(path, None))
    }

    /// Uses a password.
    pub fn password(password: Setting<Secret>) -> Self {
        Self(LoginSettings::Password(password))
    }

    /// Sets the passphrase of an encrypted private key. It has no effect on a password.
    #[must_use]
    pub fn with_passphrase(self, passphrase: Setting<Secret>) -> Self {
        Self(match self.0 {
            LoginSettings::Key(pem, _) => LoginSettings::Key(pem, Some(passphrase)),
            LoginSettings::KeyFile(path, _) => LoginSettings::KeyFile(path, Some(passphrase)),
            LoginSettings::Password(password) => LoginSettings::Password(password),
        })
    }
}

/// The settings of a connection, for
/// [`io_manager_from`](precip_engine::definitions::Environment::io_manager_from). They are read before anything
/// runs, and missing ones are reported.
///
/// ```
/// use precip_engine::{definitions::Environment, settings::{env, secret}};
/// use precip_snowflake::{SnowflakeIoManager, SnowflakeLogin, SnowflakeSettings};
///
/// let settings = SnowflakeSettings::new(
///     env("SNOWFLAKE_ACCOUNT"),
///     env("SNOWFLAKE_USER"),
///     env("SNOWFLAKE_DATABASE"),
///     SnowflakeLogin::key_pair(secret("snowflake/private-key")),
/// )
/// .warehouse(env("SNOWFLAKE_WAREHOUSE"));
/// let prod = Environment::new("prod").io_manager_from("default", settings, SnowflakeIoManager::connect);
/// assert_eq!(prod.settings().count(), 5);
/// ```
#[derive(Debug, Clone)]
pub struct SnowflakeSettings {
    account: Setting<String>,
    user: Setting<String>,
    database: Setting<String>,
    login: SnowflakeLogin,
    schema: Option<Setting<String>>,
    warehouse: Option<Setting<String>>,
    role: Option<Setting<String>>,
    url: Option<Setting<Url>>,
}

impl SnowflakeSettings {
    /// Creates the settings that every connection needs. The account is an identifier `organization-account`.
    pub fn new(
        account: Setting<String>,
        user: Setting<String>,
        database: Setting<String>,
        login: SnowflakeLogin,
    ) -> Self {
        Self {
            account,
            user,
            database,
            login,
            schema: None,
            warehouse: None,
            role: None,
            url: None,
        }
    }

    /// Sets the setting of [`SnowflakeConnection::schema`].
    #[must_use]
    pub fn schema(mut self, schema: Setting<String>) -> Self {
        self.schema = Some(schema);
        self
    }

    /// Sets the setting of [`SnowflakeConnection::warehouse`].
    #[must_use]
    pub fn warehouse(mut self, warehouse: Setting<String>) -> Self {
        self.warehouse = Some(warehouse);
        self
    }

    /// Sets the setting of [`SnowflakeConnection::role`].
    #[must_use]
    pub fn role(mut self, role: Setting<String>) -> Self {
        self.role = Some(role);
        self
    }

    /// Sets the setting of [`SnowflakeConnection::url`].
    #[must_use]
    pub fn url(mut self, url: Setting<Url>) -> Self {
        self.url = Some(url);
        self
    }
}

/// Reads settings, and collects the problems with them.
struct Reading<'a> {
    reader: &'a dyn SettingReader,
    problems: Vec<SettingError>,
}

impl Reading<'_> {
    async fn read_setting<T: Clone>(&mut self, setting: &Setting<T>) -> Option<T> {
        let read = setting.read_value(self.reader).await;
        read.map_err(|problem| self.problems.push(problem)).ok()
    }

    async fn read_optional<T: Clone>(&mut self, setting: &Option<Setting<T>>) -> Option<T> {
        self.read_setting(setting.as_ref()?).await
    }

    async fn read_proof(&mut self, login: &SnowflakeLogin) -> Option<Proof> {
        match &login.0 {
            LoginSettings::Password(password) => {
                self.read_setting(password).await.map(Proof::Password)
            }
            LoginSettings::Key(pem, passphrase) => {
                let passphrase = self.read_optional(passphrase).await;
                let pem = self.read_setting(pem).await?;
                Some(Proof::KeyPair { pem, passphrase })
            }
            LoginSettings::KeyFile(path, passphrase) => {
                // Both settings are read even if one fails.
                let passphrase = self.read_optional(passphrase).await;
                let file = self.read_setting(path).await?;
                match std::fs::read_to_string(&file) {
                    Ok(pem) => Some(Proof::KeyPair {
                        pem: Secret::new(pem),
                        passphrase,
                    }),
                    Err(error) => {
                        self.problems.push(SettingError {
                            reference: path.spec().reference,
                            reason: format!(
                                "is `{file}`, a private key that cannot be read: {error}"
                            ),
                        });
                        None
                    }
                }
            }
        }
    }
}

impl Settings for SnowflakeSettings {
    type Values = SnowflakeConnection;

    fn setting_specs(&self) -> Vec<SettingSpec> {
        let mut specs = vec![self.account.spec(), self.user.spec(), self.database.spec()];
        let passphrase = match &self.login.0 {
            LoginSettings::Password(password) => {
                specs.push(password.spec());
                None
            }
            LoginSettings::Key(pem, passphrase) => {
                specs.push(pem.spec());
                passphrase.as_ref()
            }
            LoginSettings::KeyFile(path, passphrase) => {
                specs.push(path.spec());
                passphrase.as_ref()
            }
        };
        specs.extend(passphrase.map(Setting::spec));
        let others = [&self.schema, &self.warehouse, &self.role];
        specs.extend(others.into_iter().flatten().map(Setting::spec));
        specs.extend(self.url.as_ref().map(Setting::spec));
        specs
    }

    async fn read_values(
        &self,
        reader: &dyn SettingReader,
    ) -> Result<SnowflakeConnection, Vec<SettingError>> {
        let mut reading = Reading {
            reader,
            problems: Vec::new(),
        };
        // All settings are read even if one fails, so that all problems are reported at once.
        let account = reading.read_setting(&self.account).await;
        let user = reading.read_setting(&self.user).await;
        let database = reading.read_setting(&self.database).await;
        let proof = reading.read_proof(&self.login).await;
        let schema = reading.read_optional(&self.schema).await;
        let warehouse = reading.read_optional(&self.warehouse).await;
        let role = reading.read_optional(&self.role).await;
        let url = reading.read_optional(&self.url).await;
        match (account, user, database, proof) {
            (Some(account), Some(user), Some(database), Some(proof))
                if reading.problems.is_empty() =>
            {
                Ok(SnowflakeConnection {
                    account,
                    user,
                    proof,
                    database,
                    schema: schema.unwrap_or_else(|| "PUBLIC".to_owned()),
                    warehouse,
                    role,
                    url,
                })
            }
            _ => Err(reading.problems),
        }
    }
}

#[cfg(test)]
mod tests;
