//! The record on AWS, in DynamoDB: [`dynamo`].

pub mod dynamo;
