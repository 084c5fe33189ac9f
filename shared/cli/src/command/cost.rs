//! `cost`: an estimate of what a run costs on AWS.

pub(super) mod load;
pub(super) mod measured;

use std::io::Write;

use precip_core::cost::{
    Estimate, Line, Mode, StepTime, US_EAST_1, Workload, estimate_cost, to_f64,
};

use crate::{
    args::{CostArgs, Processor},
    exit::Exit,
    failure::Failure,
    launch::{self, Request},
    output::{Table, format_duration, write_json},
    session::Session,
};

/// Prints an estimate of the run that `materialize` starts with the same arguments.
///
/// # Errors
/// [`Failure`] when the request cannot be planned or the record not be read.
pub(crate) async fn show_cost(
    session: &Session,
    args: &CostArgs,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let mut request = Request::from_plan_args(&args.plan)?;
    let planned = launch::plan_request(session, &mut request).await?;
    if planned.plan.is_empty() && !session.json {
        session.print_note(&launch::nothing_to_do_message(&request, &planned.plan));
        return Ok(Exit::Done);
    }
    let arm64 = args.architecture == Processor::Arm64;
    let work = load::build_workload(session, &planned, arm64).await?;
    let estimate = estimate_cost(&work, &US_EAST_1);
    if session.json {
        write_json(out, &estimate)?;
    } else {
        write_estimate(&work, &estimate, out)?;
    }
    Ok(Exit::Done)
}

fn write_estimate(
    work: &Workload,
    estimate: &Estimate,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    write_bill(&estimate.lines, out)?;
    // A run of checks alone materializes nothing.
    let each = match estimate.made {
        0 => String::new(),
        made => format!(
            ", {} a partition",
            format_dollars(estimate.total / to_f64(made))
        ),
    };
    let how = match estimate.usage.mode {
        Mode::Inline => "in one execution",
        Mode::Distributed => "by Distributed Maps",
    };
    let (total, made) = (format_dollars(estimate.total), estimate.made);
    writeln!(out, "{total} for {made} partitions {how}{each}\n")?;

    let mut table = Table::new(["OP", "INVOCATIONS #", "MEMORY #", "TIME #", "KNOWN FROM"]);
    for stage in &work.stages {
        for step in &stage.steps {
            let took =
                chrono::TimeDelta::from_std(step.time.duration()).unwrap_or(chrono::TimeDelta::MAX);
            table.add_row([
                step.op.clone(),
                stage.items.to_string(),
                format!("{} MiB", step.memory_mib),
                format_duration(took),
                match step.time {
                    StepTime::Measured { samples: 1, .. } => "1 materialization".to_owned(),
                    StepTime::Measured { samples: of, .. } => format!("{of} materializations"),
                    StepTime::Timeout(_) => "its timeout".to_owned(),
                },
            ]);
        }
    }
    table.write_to(out)?;

    writeln!(out, "\nassumed:")?;
    for assumption in &estimate.assumptions {
        writeln!(out, "- {assumption}")?;
    }
    let prices = &estimate.prices;
    writeln!(
        out,
        "- list prices in US dollars of {} on {}; `--json` names their pages",
        prices.region, prices.dated,
    )
}

/// Writes the items of a bill as a table.
pub(super) fn write_bill(lines: &[Line], out: &mut dyn Write) -> std::io::Result<()> {
    let mut table = Table::new(["SERVICE", "WHAT", "AMOUNT #", "PER MILLION #", "COST #"]);
    for line in lines {
        table.add_row([
            line.service.to_owned(),
            line.unit.to_owned(),
            format_amount(line.amount),
            format!("${:.4}", line.price * 1e6),
            format_dollars(line.cost),
        ]);
    }
    table.write_to(out)
}

/// Formats dollars with three significant digits: `$12.3`, `$0.0123`.
pub(super) fn format_dollars(cost: f64) -> String {
    if cost >= 100.0 {
        return format!("${cost:.0}");
    }
    // The exponent of the first significant digit.
    let leading = if cost > 0.0 {
        cost.log10().floor()
    } else {
        0.0
    };
    let decimals = (2.0 - leading).clamp(2.0, 9.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 2 and 9"
    )]
    let decimals = decimals as usize;
    format!("${cost:.decimals$}")
}

fn format_amount(value: f64) -> String {
    if value.fract() == 0.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::format_dollars;

    #[test]
    fn dollars_keep_three_digits() {
        let shown = [0.0, 0.000_012_345, 0.0123, 1.0, 12.345, 1234.5].map(format_dollars);
        assert_eq!(
            shown,
            ["$0.00", "$0.0000123", "$0.0123", "$1.00", "$12.35", "$1234"]
        );
    }
}
