//! `cost`: what a run would cost on AWS.

mod load;
mod measured;

use std::io::Write;

use precip_core::cost::{Estimate, Mode, StepTime, US_EAST_1, Workload, estimate};

use crate::{
    args::{CostArgs, Processor},
    exit::Exit,
    failure::Failure,
    launch::{self, Request},
    output::{Table, duration, json},
    session::Session,
};

/// Prints what a run would cost; `materialize` with the same arguments is that run.
///
/// # Errors
/// [`Failure`], which says what to write instead.
pub async fn cost(
    session: &Session,
    args: &CostArgs,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let mut request = Request::of_plan(&args.plan)?;
    let planned = launch::plan(session, &mut request).await?;
    if planned.plan.is_empty() && !session.json {
        session.say(&launch::nothing_to_do(&request));
        return Ok(Exit::Done);
    }
    let arm64 = args.architecture == Processor::Arm64;
    let work = load::workload(session, &planned, arm64).await?;
    let estimate = estimate(&work, &US_EAST_1);
    if session.json {
        json(out, &estimate)?;
    } else {
        write(&work, &estimate, out)?;
    }
    Ok(Exit::Done)
}

fn write(work: &Workload, estimate: &Estimate, out: &mut dyn Write) -> std::io::Result<()> {
    let mut table = Table::new(["SERVICE", "WHAT", "AMOUNT #", "PER MILLION #", "COST #"]);
    for line in &estimate.lines {
        table.row([
            line.service.to_owned(),
            line.what.to_owned(),
            amount(line.amount),
            format!("${:.4}", line.price * 1e6),
            dollars(line.cost),
        ]);
    }
    table.write(out)?;
    let each = match estimate.made {
        0 => String::new(),
        made => format!(", {} a partition", dollars(estimate.total / count(made))),
    };
    let how = match estimate.usage.mode {
        Mode::Inline => "in one execution",
        Mode::Distributed => "by Distributed Maps",
    };
    let (total, made) = (dollars(estimate.total), estimate.made);
    writeln!(out, "{total} for {made} partitions {how}{each}\n")?;

    let mut table = Table::new(["OP", "INVOCATIONS #", "MEMORY #", "TIME #", "KNOWN FROM"]);
    for stage in &work.stages {
        for step in &stage.steps {
            let took = step.time.duration();
            let took = chrono::TimeDelta::from_std(took).unwrap_or(chrono::TimeDelta::MAX);
            table.row([
                step.op.clone(),
                stage.items.to_string(),
                format!("{} MiB", step.memory_mib),
                duration(took),
                match step.time {
                    StepTime::Measured { of: 1, .. } => "1 materialization".to_owned(),
                    StepTime::Measured { of, .. } => format!("{of} materializations"),
                    StepTime::Timeout(_) => "its timeout".to_owned(),
                },
            ]);
        }
    }
    table.write(out)?;

    writeln!(out, "\nassumed:")?;
    for assumption in &estimate.assumptions {
        writeln!(out, "- {assumption}")?;
    }
    let prices = &estimate.prices;
    writeln!(
        out,
        "- list prices in US dollars of {} on {}: {}",
        prices.region,
        prices.dated,
        prices.sources.join(", ")
    )
}

/// Three digits that count, whatever the size: `$12.3`, `$0.0123`.
fn dollars(cost: f64) -> String {
    if cost >= 100.0 {
        return format!("${cost:.0}");
    }
    let leading = if cost > 0.0 {
        cost.log10().floor()
    } else {
        0.0
    };
    let digits = (2.0 - leading).clamp(2.0, 9.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 2 and 9"
    )]
    let digits = digits as usize;
    format!("${cost:.digits$}")
}

fn amount(of: f64) -> String {
    if of.fract() == 0.0 {
        format!("{of:.0}")
    } else {
        format!("{of:.2}")
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts beyond 2^53 are not of a run, and a price needs a few digits"
)]
fn count(of: u64) -> f64 {
    of as f64
}

#[cfg(test)]
mod tests {
    use super::dollars;

    #[test]
    fn dollars_keep_three_digits() {
        let shown = [0.0, 0.000_012_345, 0.0123, 1.0, 12.345, 1234.5].map(dollars);
        assert_eq!(
            shown,
            ["$0.00", "$0.0000123", "$0.0123", "$1.00", "$12.35", "$1234"]
        );
    }
}
