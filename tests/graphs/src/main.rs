//! The command line of the described project. As the `bootstrap` of a Lambda function, it is the function
//! that its name ends with, so that all functions share one zip.

use std::process::ExitCode;

use precip_graphs::load_definitions;

fn main() -> ExitCode {
    #[cfg(feature = "aws")]
    if let Ok(name) = std::env::var("AWS_LAMBDA_FUNCTION_NAME") {
        if let Err(error) = precip_graphs::call_through_proxy(&name) {
            eprintln!("cannot start as {name}: {error}");
            return ExitCode::FAILURE;
        }
        precip_graphs::abort_by_mean_life();
        return if name.ends_with("-planner") {
            precip::lambda::planner(load_definitions)
        } else if name.ends_with("-reactor") {
            abort_some_processes(|project| project.reactor_kills);
            precip::lambda::reactor(load_definitions)
        } else if name.ends_with("-sensor") {
            abort_some_processes(|project| project.sensor_kills);
            precip::lambda::sensor(load_definitions)
        } else {
            precip::lambda::materializer(load_definitions)
        };
    }
    precip::main(load_definitions)
}

/// Aborts as many of this function's processes as the project says.
#[cfg(feature = "aws")]
fn abort_some_processes(kills: fn(&precip_graphs::description::Project) -> u32) {
    let one_in = precip_graphs::read_document().map_or(0, |project| kills(&project));
    precip_graphs::abort_in_first_second(one_in);
}
