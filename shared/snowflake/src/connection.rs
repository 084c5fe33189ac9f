//! [`SnowflakeConnection`].

use precip_engine::settings::Secret;
use snowflake_connector_rs::{
    AuthConfig, Client, ClientConfig, EndpointConfig, KeyPairConfig, PasswordConfig, SessionConfig,
};
use url::Url;

use crate::error::SnowflakeError;

/// The credentials of a user.
#[derive(Debug, Clone)]
pub(crate) enum Proof {
    Password(Secret),
    KeyPair {
        pem: Secret,
        passphrase: Option<Secret>,
    },
}

/// A Snowflake database, and the user that connects to it. `Debug` shows no secret.
#[derive(Debug, Clone)]
pub struct SnowflakeConnection {
    pub(crate) account: String,
    pub(crate) user: String,
    pub(crate) proof: Proof,
    pub(crate) database: String,
    pub(crate) schema: String,
    pub(crate) warehouse: Option<String>,
    pub(crate) role: Option<String>,
    pub(crate) url: Option<Url>,
}

impl SnowflakeConnection {
    fn new(account: String, user: String, database: String, proof: Proof) -> Self {
        Self {
            account,
            user,
            proof,
            database,
            schema: "PUBLIC".to_owned(),
            warehouse: None,
            role: None,
            url: None,
        }
    }

    /// Creates a connection with a private key: the text of a PEM file in PKCS#8, `-----BEGIN PRIVATE KEY-----`, or
    /// `-----BEGIN ENCRYPTED PRIVATE KEY-----` with its passphrase.
    pub fn with_key_pair(
        account: impl Into<String>,
        user: impl Into<String>,
        database: impl Into<String>,
        pem: Secret,
        passphrase: Option<Secret>,
    ) -> Self {
        let proof = Proof::KeyPair { pem, passphrase };
        Self::new(account.into(), user.into(), database.into(), proof)
    }

    /// Creates a connection with a password. Snowflake then requires a second factor, except of users of type
    /// `LEGACY_SERVICE`.
    pub fn with_password(
        account: impl Into<String>,
        user: impl Into<String>,
        database: impl Into<String>,
        password: Secret,
    ) -> Self {
        let proof = Proof::Password(password);
        Self::new(account.into(), user.into(), database.into(), proof)
    }

    /// Sets the schema of assets whose key has no `/`, `PUBLIC` by default.
    #[must_use]
    pub fn schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = schema.into();
        self
    }

    /// Sets the warehouse that runs statements, the user's own by default.
    #[must_use]
    pub fn warehouse(mut self, warehouse: impl Into<String>) -> Self {
        self.warehouse = Some(warehouse.into());
        self
    }

    /// Sets the role, the user's own by default.
    #[must_use]
    pub fn role(mut self, role: impl Into<String>) -> Self {
        self.role = Some(role.into());
        self
    }

    /// Sets the address, `https://{account}.snowflakecomputing.com` by default, such as that of a private link.
    #[must_use]
    pub fn url(mut self, url: Url) -> Self {
        self.url = Some(url);
        self
    }

    /// Creates a client, which does not connect yet.
    pub(crate) fn create_client(&self) -> Result<Client, SnowflakeError> {
        let auth = match &self.proof {
            Proof::Password(password) => {
                AuthConfig::password(PasswordConfig::new(password.expose().clone()))
            }
            Proof::KeyPair { pem, passphrase } => AuthConfig::key_pair(match passphrase {
                None => KeyPairConfig::from_pem(pem.expose().clone()),
                Some(passphrase) => {
                    let passphrase = passphrase.expose().clone().into_bytes();
                    KeyPairConfig::from_encrypted_pem(pem.expose().clone(), passphrase)
                }
            }),
        };
        let mut session = SessionConfig::new()
            .with_database(&self.database)
            .with_schema(&self.schema);
        // Overrides the settings of the account, so that values are always read and written in the same formats, and
        // moments have the same dates.
        for (name, value) in [
            ("QUERY_TAG", "precip"),
            ("TIMEZONE", "UTC"),
            ("DATE_INPUT_FORMAT", "AUTO"),
            ("TIME_INPUT_FORMAT", "AUTO"),
            ("TIMESTAMP_INPUT_FORMAT", "AUTO"),
            ("BINARY_OUTPUT_FORMAT", "HEX"),
        ] {
            session = session.with_session_parameter(name, value.into());
        }
        if let Some(warehouse) = &self.warehouse {
            session = session.with_warehouse(warehouse);
        }
        if let Some(role) = &self.role {
            session = session.with_role(role);
        }
        let mut config = ClientConfig::new(&self.user, &self.account, auth).with_session(session);
        if let Some(url) = &self.url {
            config = config.with_endpoint(EndpointConfig::custom_base_url(url.clone()));
        }
        Ok(Client::new(config)?)
    }

    /// Returns the name of the database for messages.
    pub(crate) fn name(&self) -> String {
        format!(
            "database `{}` in account `{}` as `{}`",
            self.database, self.account, self.user
        )
    }
}
