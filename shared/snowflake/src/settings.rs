//! [`SnowflakeSettings`]: a connection by settings.

use precip_engine::settings::{
    Secret, Setting, SettingProblem, SettingReader, SettingSpec, Settings,
};
use url::Url;

use crate::connection::{Proof, SnowflakeConnection};

/// How a user proves who it is.
#[derive(Debug, Clone)]
pub struct SnowflakeLogin(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Password(Setting<Secret>),
    Key(Setting<Secret>, Option<Setting<Secret>>),
    KeyFile(Setting<String>, Option<Setting<Secret>>),
}

impl SnowflakeLogin {
    /// By the text of a private key in PEM (PKCS#8).
    pub fn key_pair(pem: Setting<Secret>) -> Self {
        Self(Kind::Key(pem, None))
    }

    /// By a private key in a file, which the setting names.
    pub fn key_file(path: Setting<String>) -> Self {
        Self(Kind::KeyFile(path, None))
    }

    /// By a password.
    pub fn password(password: Setting<Secret>) -> Self {
        Self(Kind::Password(password))
    }

    /// What the private key is encrypted with. It says nothing about a password.
    #[must_use]
    pub fn with_passphrase(self, passphrase: Setting<Secret>) -> Self {
        Self(match self.0 {
            Kind::Key(pem, _) => Kind::Key(pem, Some(passphrase)),
            Kind::KeyFile(path, _) => Kind::KeyFile(path, Some(passphrase)),
            Kind::Password(password) => Kind::Password(password),
        })
    }
}

/// The settings of a connection, for
/// [`io_manager_from`](precip_engine::definitions::Environment::io_manager_from): they are read, and what is
/// missing is named, before anything runs.
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
    /// What every connection needs. The account is its identifier, `organization-account`.
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

    /// See [`SnowflakeConnection::schema`].
    #[must_use]
    pub fn schema(mut self, schema: Setting<String>) -> Self {
        self.schema = Some(schema);
        self
    }

    /// See [`SnowflakeConnection::warehouse`].
    #[must_use]
    pub fn warehouse(mut self, warehouse: Setting<String>) -> Self {
        self.warehouse = Some(warehouse);
        self
    }

    /// See [`SnowflakeConnection::role`].
    #[must_use]
    pub fn role(mut self, role: Setting<String>) -> Self {
        self.role = Some(role);
        self
    }

    /// See [`SnowflakeConnection::url`].
    #[must_use]
    pub fn url(mut self, url: Setting<Url>) -> Self {
        self.url = Some(url);
        self
    }
}

/// Reads settings and keeps what is wrong with them.
struct Reading<'a> {
    reader: &'a dyn SettingReader,
    problems: Vec<SettingProblem>,
}

impl Reading<'_> {
    async fn one<T: Clone>(&mut self, setting: &Setting<T>) -> Option<T> {
        let read = setting.read(self.reader).await;
        read.map_err(|problem| self.problems.push(problem)).ok()
    }

    async fn maybe<T: Clone>(&mut self, setting: &Option<Setting<T>>) -> Option<T> {
        self.one(setting.as_ref()?).await
    }

    async fn proof(&mut self, login: &SnowflakeLogin) -> Option<Proof> {
        match &login.0 {
            Kind::Password(password) => self.one(password).await.map(Proof::Password),
            Kind::Key(pem, passphrase) => {
                let passphrase = self.maybe(passphrase).await;
                let pem = self.one(pem).await?;
                Some(Proof::KeyPair { pem, passphrase })
            }
            Kind::KeyFile(path, passphrase) => {
                let passphrase = self.maybe(passphrase).await;
                let file = self.one(path).await?;
                match std::fs::read_to_string(&file) {
                    Ok(pem) => Some(Proof::KeyPair {
                        pem: Secret::new(pem),
                        passphrase,
                    }),
                    Err(error) => {
                        self.problems.push(SettingProblem {
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

    fn specs(&self) -> Vec<SettingSpec> {
        let mut specs = vec![self.account.spec(), self.user.spec(), self.database.spec()];
        let passphrase = match &self.login.0 {
            Kind::Password(password) => {
                specs.push(password.spec());
                None
            }
            Kind::Key(pem, passphrase) => {
                specs.push(pem.spec());
                passphrase.as_ref()
            }
            Kind::KeyFile(path, passphrase) => {
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

    async fn read(
        &self,
        reader: &dyn SettingReader,
    ) -> Result<SnowflakeConnection, Vec<SettingProblem>> {
        let mut reading = Reading {
            reader,
            problems: Vec::new(),
        };
        let account = reading.one(&self.account).await;
        let user = reading.one(&self.user).await;
        let database = reading.one(&self.database).await;
        let proof = reading.proof(&self.login).await;
        let schema = reading.maybe(&self.schema).await;
        let warehouse = reading.maybe(&self.warehouse).await;
        let role = reading.maybe(&self.role).await;
        let url = reading.maybe(&self.url).await;
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
