//! [`MachineArn`].

use std::{fmt, str::FromStr};

/// The ARN of the state machine that people start, such as
/// `arn:aws:states:us-east-1:123456789012:stateMachine:flights`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachineArn {
    /// The ARN up to and including the account: `arn:aws:states:us-east-1:123456789012`.
    account: String,
    name: String,
}

impl MachineArn {
    /// Returns the ARN of the execution with this name.
    pub fn execution_arn(&self, name: &str) -> String {
        format!("{}:execution:{}:{name}", self.account, self.name)
    }

    /// Returns the ARN of the machine that carries out large runs. The template names it after this one.
    pub fn backfill_arn(&self) -> String {
        format!("{self}-backfill")
    }

    /// Returns the region.
    pub fn region(&self) -> &str {
        self.account.split(':').nth(3).unwrap_or_default()
    }
}

impl fmt::Display for MachineArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:stateMachine:{}", self.account, self.name)
    }
}

/// The error of a text that is not the ARN of a state machine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not the ARN of a state machine, which is written like \
     `arn:aws:states:us-east-1:123456789012:stateMachine:flights`"
)]
pub struct InvalidMachineArn {
    /// The refused text.
    pub text: String,
}

impl FromStr for MachineArn {
    type Err = InvalidMachineArn;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.trim().split(':').collect();
        // The name is the last part: an ARN with a version or an alias behind it is refused, since an
        // execution's ARN could not be derived from it.
        match parts.as_slice() {
            // An empty part would give an ARN that looks valid and names nothing.
            [
                "arn",
                partition,
                "states",
                region,
                account,
                "stateMachine",
                name,
            ] if [partition, region, account, name]
                .iter()
                .all(|part| !part.is_empty()) =>
            {
                Ok(Self {
                    account: parts[..5].join(":"),
                    name: (*name).to_owned(),
                })
            }
            _ => Err(InvalidMachineArn {
                text: text.to_owned(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_names_its_executions_and_its_backfill_machine() {
        let text = "arn:aws-cn:states:cn-north-1:123456789012:stateMachine:flights";
        let arn: MachineArn = text.parse().unwrap();
        assert_eq!(arn.to_string(), text);
        assert_eq!(arn.region(), "cn-north-1");
        assert_eq!(arn.backfill_arn(), format!("{text}-backfill"));
        let execution = "arn:aws-cn:states:cn-north-1:123456789012:execution:flights:01J";
        assert_eq!(arn.execution_arn("01J"), execution);
    }

    #[test]
    fn other_texts_are_refused_with_an_example() {
        for text in [
            "flights",
            "arn:aws:states:us-east-1:123456789012:execution:flights:01J",
            "arn:aws:states:us-east-1:123456789012:stateMachine:",
            "arn:aws:states::123456789012:stateMachine:flights",
            "arn:aws:states:us-east-1:123456789012:stateMachine:flights:live",
        ] {
            let error = text.parse::<MachineArn>().unwrap_err().to_string();
            assert!(error.contains("is written like"), "{error}");
        }
    }
}
