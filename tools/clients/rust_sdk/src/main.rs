//! A Matrix client that does what it is told, line by line: a wish as JSON on its input, an answer as JSON on its output.
//! All of OAuth and of cross-signing is the SDK's own work.

use matrix_sdk::{
    authentication::oauth::{
        registration::{ApplicationType, ClientMetadata, Localized, OAuthGrantType},
        ClientRegistrationData,
    },
    config::SyncSettings,
    encryption::{CrossSigningResetAuthType, CrossSigningResetHandle},
    reqwest::Url,
    ruma::{api::client::uiaa, serde::Raw},
    Client,
};
use serde_json::{json, Value};
use tokio::io::{AsyncBufReadExt, BufReader};

type Outcome = Result<Value, Box<dyn std::error::Error + Send + Sync>>;

struct Session {
    client: Client,
    reset: Option<CrossSigningResetHandle>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let homeserver = lines.next_line().await?.ok_or("the first line is the address of the homeserver")?;
    // The certificate of a test is signed by no one.
    let builder = Client::builder().homeserver_url(homeserver).disable_ssl_verification();
    let client = builder.build().await?;
    let mut session = Session { client, reset: None };
    while let Some(line) = lines.next_line().await? {
        let wish: Value = serde_json::from_str(&line)?;
        let answer = match session.fulfil(&wish).await {
            Ok(answer) => answer,
            Err(error) => json!({ "failed": error.to_string() }),
        };
        println!("{answer}");
    }
    Ok(())
}

impl Session {
    async fn fulfil(&mut self, wish: &Value) -> Outcome {
        match text(wish, "do")? {
            "begin" => self.begin(wish).await,
            "finish" => self.finish(wish).await,
            "sync" => self.sync().await,
            "tokens" => self.tokens(),
            "refresh" => self.refresh().await,
            "bootstrap" => self.bootstrap().await,
            "reset" => self.begin_reset().await,
            "finish_reset" => self.finish_reset().await,
            "logout" => self.logout().await,
            other => Err(format!("it cannot {other}").into()),
        }
    }

    /// Registers itself, and says where its user has to go.
    async fn begin(&self, wish: &Value) -> Outcome {
        let redirect = Url::parse(text(wish, "redirect_uri")?)?;
        let mut metadata = ClientMetadata::new(
            ApplicationType::Native,
            vec![OAuthGrantType::AuthorizationCode { redirect_uris: vec![redirect.clone()] }],
            Localized::new(Url::parse("https://rust-client.example.org/")?, []),
        );
        metadata.client_name = Some(Localized::new("Rust client".to_owned(), []));
        let registration = ClientRegistrationData::new(Raw::new(&metadata)?);
        let begun = self.client.oauth().login(redirect, None, Some(registration), None).build().await?;
        Ok(json!({ "url": begun.url.as_str() }))
    }

    /// Takes the address to which its user came back.
    async fn finish(&self, wish: &Value) -> Outcome {
        let url = Url::parse(text(wish, "url")?)?;
        self.client.oauth().finish_login(url.into()).await?;
        let meta = self.client.session_meta().ok_or("no session")?;
        Ok(json!({ "user_id": meta.user_id, "device_id": meta.device_id }))
    }

    async fn sync(&self) -> Outcome {
        let answer = self.client.sync_once(SyncSettings::default()).await?;
        Ok(json!({ "next_batch": answer.next_batch }))
    }

    fn tokens(&self) -> Outcome {
        let tokens = self.client.session_tokens().ok_or("no tokens")?;
        Ok(json!({ "access_token": tokens.access_token, "refresh_token": tokens.refresh_token }))
    }

    async fn refresh(&self) -> Outcome {
        self.client.oauth().refresh_access_token().await?;
        self.tokens()
    }

    async fn bootstrap(&self) -> Outcome {
        self.client.encryption().bootstrap_cross_signing_if_needed(None).await?;
        Ok(json!({}))
    }

    /// Begins to replace the cross-signing keys; the address is where their owner approves it.
    async fn begin_reset(&mut self) -> Outcome {
        self.reset = self.client.encryption().reset_cross_signing().await?;
        match self.reset.as_ref().map(CrossSigningResetHandle::auth_type) {
            None => Ok(json!({ "is": "done" })),
            Some(CrossSigningResetAuthType::Uiaa(_)) => Ok(json!({ "is": "uia" })),
            Some(CrossSigningResetAuthType::OAuth(info)) => {
                Ok(json!({ "is": "oauth", "approval_url": info.approval_url.as_str() }))
            }
        }
    }

    /// Asks until it was approved, as the SDK does.
    async fn finish_reset(&mut self) -> Outcome {
        let handle = self.reset.take().ok_or("no reset was begun")?;
        let CrossSigningResetAuthType::OAuth(info) = handle.auth_type() else {
            return Err("the reset is not approved by OAuth".into());
        };
        let mut auth = uiaa::OAuth::new();
        auth.session = info.session.clone();
        handle.auth(Some(uiaa::AuthData::OAuth(auth))).await?;
        Ok(json!({}))
    }

    async fn logout(&self) -> Outcome {
        self.client.oauth().logout().await?;
        Ok(json!({}))
    }
}

fn text<'a>(wish: &'a Value, key: &str) -> Result<&'a str, String> {
    wish.get(key).and_then(Value::as_str).ok_or(format!("the wish has no {key}"))
}
