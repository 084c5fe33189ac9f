//! The record on AWS: [`dynamo`].

pub mod dynamo;
