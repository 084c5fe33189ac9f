use super::{Picture, PictureNode, Tally, render_dot, render_mermaid, render_svg};

fn picture_node(
    key: &str,
    group: &str,
    partitions: &str,
    kinds: &[&str],
    tally: [u64; 3],
) -> PictureNode {
    let [materialized, failed, total] = tally;
    PictureNode {
        key: key.into(),
        group: group.into(),
        partitions: partitions.into(),
        kinds: kinds.iter().map(|kind| (*kind).to_owned()).collect(),
        tally: Some(Tally {
            materialized,
            failed,
            skipped: 0,
            missing: total - materialized,
            total,
        }),
    }
}

fn flights_picture() -> Picture {
    Picture {
        nodes: vec![
            picture_node("raw/flights", "raw", "daily", &["csv"], [31, 0, 31]),
            picture_node("raw/weather", "raw", "daily", &["csv"], [29, 1, 31]),
            picture_node("raw/airlines", "raw", "", &["csv"], [1, 0, 1]),
            picture_node(
                "departures",
                "staging",
                "date × origin",
                &["parquet"],
                [90, 0, 93],
            ),
            picture_node("delays", "staging", "daily", &["parquet"], [29, 0, 31]),
            picture_node("carrier_month", "marts", "monthly", &["parquet"], [0, 0, 1]),
            picture_node(
                "origin<\"profile\">",
                "marts",
                "static",
                &["parquet"],
                [0, 0, 3],
            ),
        ],
        edges: vec![(0, 3), (0, 4), (1, 4), (2, 4), (2, 5), (4, 5), (3, 6)],
    }
}

#[test]
fn an_svg_shows_every_asset_once_and_escapes_names() {
    let drawn = render_svg(&flights_picture()).unwrap();
    for key in [
        "raw/flights",
        "carrier_month",
        "origin&#60;&#34;profile&#34;&#62;",
    ] {
        assert_eq!(
            drawn.matches(&format!(">{key}</text>")).count(),
            1,
            "{key} in {drawn}"
        );
    }
    assert_eq!(drawn.matches("class=\"edge\"").count(), 7);
    assert!(drawn.contains("29 of 31, 1 failed"));
}

#[test]
fn equal_pictures_are_drawn_equally() {
    let drawn: Vec<String> = (0..8)
        .map(|_| render_svg(&flights_picture()).unwrap())
        .collect();
    assert!(drawn.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn no_two_cards_overlap_and_upstream_is_left() {
    let picture = flights_picture();
    let layout = super::layout::layout_cards(&picture);
    for (i, a) in layout.corners.iter().enumerate() {
        for b in &layout.corners[i + 1..] {
            assert!(
                (a.0 - b.0).abs() >= 236.0 || (a.1 - b.1).abs() >= 76.0,
                "{a:?} and {b:?}"
            );
        }
    }
    for (up, down) in picture.edges {
        assert!(layout.corners[up].0 + 236.0 < layout.corners[down].0);
    }
}

#[test]
fn an_empty_graph_is_drawn() {
    assert!(render_svg(&Picture::default()).unwrap().starts_with("<svg"));
}

#[test]
fn mermaid_names_groups_and_edges() {
    insta::assert_snapshot!(render_mermaid(&flights_picture()));
}

#[test]
fn dot_names_groups_and_edges() {
    insta::assert_snapshot!(render_dot(&flights_picture()));
}
