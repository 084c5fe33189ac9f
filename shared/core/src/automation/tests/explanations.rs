//! Explanations and the JSON form of conditions.

use super::*;

#[test]
fn a_tick_is_explained_as_a_tree() {
    let mut up = asset_spec("up", &[], None);
    let mut down = asset_spec("down", &["up"], Some(AutomationCondition::eager()));
    up.partitions = Some(daily_partitions("2024-06-01"));
    down.partitions = up.partitions.clone();
    let graph = graph_of([up, down]);
    let mut world = World::new(&graph, Ordering::Sequence);
    world.materialize("up", PartitionSet::from(5..9));
    let evaluation = world.evaluate_next_tick();
    let explanation = &evaluation.explanations[&asset_key("down")];
    insta::assert_snapshot!(explanation.render_tree(&graph, &world.context()), @r"
    + eager: 1 of 9 (2024-06-09)
      + in_latest_time_window: 1 of 9 (2024-06-09)
      + since: 4 of 9 (2024-06-06, 2024-06-07, 2024-06-08, ..)
        + or: 4 of 9 (2024-06-06, 2024-06-07, 2024-06-08, ..)
          - newly_missing: 0 of 9
            + missing: 9 of 9 (2024-06-01, 2024-06-02, 2024-06-03, ..)
          + any_deps_updated: 4 of 9 (2024-06-06, 2024-06-07, 2024-06-08, ..)
            + up: 4 of 9 (2024-06-06, 2024-06-07, 2024-06-08, ..)
              + or: 4 of 9 (2024-06-06, 2024-06-07, 2024-06-08, ..)
                + newly_updated_without_root: 4 of 9 (2024-06-06, 2024-06-07, 2024-06-08, ..)
                  + newly_updated: 4 of 9 (2024-06-06, 2024-06-07, 2024-06-08, ..)
                  + not: 4 of 4 (2024-06-06, 2024-06-07, 2024-06-08, ..)
                    - executed_with_root_target: 0 of 4
                - will_be_requested: 0 of 9
        - handled: 0 of 9
          - newly_requested: 0 of 9
          - newly_updated: 0 of 9
          - initial_evaluation: 0 of 9
      + not: 1 of 1 (2024-06-09)
        - any_deps_missing: 0 of 1
          - up: 0 of 1
            - and: 0 of 1
              - missing: 0 of 1
              - not (not asked)
                - will_be_requested (not asked)
      + not: 1 of 1 (2024-06-09)
        - any_deps_in_progress: 0 of 1
          - up: 0 of 1
            - in_progress: 0 of 1
              - run_in_progress: 0 of 1
              - backfill_in_progress: 0 of 1
      + not: 1 of 1 (2024-06-09)
        - in_progress: 0 of 1
          - run_in_progress: 0 of 1
          - backfill_in_progress: 0 of 1
    ");
    let json = serde_json::to_string(explanation).unwrap();
    assert_eq!(
        &serde_json::from_str::<crate::automation::Explanation>(&json).unwrap(),
        explanation
    );
}

#[test]
fn conditions_are_read_back_as_they_were_written() {
    use AutomationCondition as Condition;
    for condition in [
        Condition::eager(),
        Condition::on_missing(),
        Condition::on_cron("*/15 * * * *", "Europe/Berlin"),
        Condition::eager().ignore(r#"group:"slow""#.parse().unwrap()),
        Condition::all_deps_blocking_checks_passed().with_label("checked"),
        Condition::newly_updated().since_last_handled() | !Condition::in_progress(),
        Condition::in_latest_time_windows(TimeDelta::hours(48)),
        Condition::executed_with_tags(crate::automation::RunTags::key("nightly")),
    ] {
        let json = serde_json::to_string(&condition).unwrap();
        assert_eq!(
            serde_json::from_str::<Condition>(&json).unwrap(),
            condition,
            "{json}"
        );
    }
    let json = serde_json::to_string(&Condition::eager()).unwrap();
    assert_eq!(json, r#"{"op":"eager"}"#);
}
