//! The command line of the described project. As the `bootstrap` of a Lambda function it is the function
//! that the end of the function's name says, so that one file serves for all.

use std::process::ExitCode;

use precip_graphs::definitions;

fn main() -> ExitCode {
    #[cfg(feature = "aws")]
    if let Ok(name) = std::env::var("AWS_LAMBDA_FUNCTION_NAME") {
        return if name.ends_with("-planner") {
            precip::lambda::planner(definitions)
        } else if name.ends_with("-reactor") {
            precip::lambda::reactor(definitions)
        } else if name.ends_with("-sensor") {
            precip::lambda::sensor(definitions)
        } else {
            precip::lambda::materializer(definitions)
        };
    }
    precip::main(definitions)
}
