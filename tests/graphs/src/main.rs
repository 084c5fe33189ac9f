//! The command line of the described project. As the `bootstrap` of a Lambda function it is the function
//! that the end of the function's name says, so that one file serves for all.

use std::process::ExitCode;

use precip_graphs::definitions;

fn main() -> ExitCode {
    #[cfg(feature = "aws")]
    if let Ok(name) = std::env::var("AWS_LAMBDA_FUNCTION_NAME") {
        if let Err(error) = precip_graphs::call_through_proxy(&name) {
            eprintln!("it cannot be started as {name}: {error}");
            return ExitCode::FAILURE;
        }
        precip_graphs::mortal();
        return if name.ends_with("-planner") {
            precip::lambda::planner(definitions)
        } else if name.ends_with("-reactor") {
            die_at_some_moment(|project| project.reactor_kills);
            precip::lambda::reactor(definitions)
        } else if name.ends_with("-sensor") {
            die_at_some_moment(|project| project.sensor_kills);
            precip::lambda::sensor(definitions)
        } else {
            precip::lambda::materializer(definitions)
        };
    }
    precip::main(definitions)
}

/// Ends this process at some moment of its first second, if the project says so and chance has it.
#[cfg(feature = "aws")]
fn die_at_some_moment(kills: fn(&precip_graphs::description::Project) -> u32) {
    let kills = precip_graphs::document().map_or(0, |project| kills(&project));
    if kills == 0 || fastrand::u32(0..kills) > 0 {
        return;
    }
    let life = std::time::Duration::from_millis(fastrand::u64(20..1_000));
    std::thread::spawn(move || {
        std::thread::sleep(life);
        std::process::abort();
    });
}
