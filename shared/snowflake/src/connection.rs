//! [`SnowflakeConnection`].

use precip_engine::settings::Secret;
use snowflake_connector_rs::{
    AuthConfig, Client, ClientConfig, EndpointConfig, KeyPairConfig, PasswordConfig, SessionConfig,
};
use url::Url;

use crate::error::Failed;

/// How a user proves who it is.
#[derive(Debug, Clone)]
pub(crate) enum Proof {
    Password(Secret),
    KeyPair {
        pem: Secret,
        passphrase: Option<Secret>,
    },
}

/// Where a Snowflake database is, and as whom it is used. Its `Debug` shows no secret.
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

    /// By a private key: the text of a PEM file in PKCS#8, `-----BEGIN PRIVATE KEY-----`, or
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

    /// By a password. Snowflake asks people for a second factor then; users of kind `LEGACY_SERVICE`
    /// need none.
    pub fn with_password(
        account: impl Into<String>,
        user: impl Into<String>,
        database: impl Into<String>,
        password: Secret,
    ) -> Self {
        let proof = Proof::Password(password);
        Self::new(account.into(), user.into(), database.into(), proof)
    }

    /// The schema of assets whose key has no `/`: `PUBLIC` unless given.
    #[must_use]
    pub fn schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = schema.into();
        self
    }

    /// The warehouse that runs statements: the user's own unless given.
    #[must_use]
    pub fn warehouse(mut self, warehouse: impl Into<String>) -> Self {
        self.warehouse = Some(warehouse.into());
        self
    }

    /// The role: the user's own unless given.
    #[must_use]
    pub fn role(mut self, role: impl Into<String>) -> Self {
        self.role = Some(role.into());
        self
    }

    /// Another address than `https://{account}.snowflakecomputing.com`, such as a private link's.
    #[must_use]
    pub fn url(mut self, url: Url) -> Self {
        self.url = Some(url);
        self
    }

    /// A client, which has connected to nothing yet.
    pub(crate) fn client(&self) -> Result<Client, Failed> {
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
        // Whatever the account sets: what is written and read here has one form.
        for (name, value) in [
            ("QUERY_TAG", "precip"),
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

    /// What it is called in messages.
    pub(crate) fn name(&self) -> String {
        format!(
            "database `{}` in account `{}` as `{}`",
            self.database, self.account, self.user
        )
    }
}
