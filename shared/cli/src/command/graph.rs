//! `graph`: the asset graph as a picture.

use std::{collections::BTreeMap, io::Write, path::Path};

use crate::{
    args::GraphFormat,
    exit::Exit,
    failure::Failure,
    graph::{Picture, PictureNode, render_dot, render_mermaid, render_svg},
    label,
    session::Session,
};

/// Draws the assets of a selection, to a file or to `out`.
///
/// # Errors
/// [`Failure`] when the selection is invalid, the record cannot be read, or the file cannot be
/// written.
pub(crate) async fn draw_graph(
    session: &Session,
    select: &str,
    format: GraphFormat,
    output: Option<&Path>,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let picture = build_picture(session, select).await?;
    let drawn = match format {
        GraphFormat::Svg => render_svg(&picture)
            .map_err(|error| Failure::environment(format!("failed to draw: {error}")))?,
        GraphFormat::Mermaid => render_mermaid(&picture),
        GraphFormat::Dot => render_dot(&picture),
    };
    match output {
        None => out.write_all(drawn.as_bytes())?,
        Some(path) => std::fs::write(path, drawn).map_err(|error| {
            Failure::environment(format!("failed to write `{}`: {error}", path.display()))
        })?,
    }
    Ok(Exit::Done)
}

async fn build_picture(session: &Session, select: &str) -> Result<Picture, Failure> {
    let graph = session.definitions.graph();
    let selected = session.select_assets(select)?;
    let states = session.partition_states(&selected).await?;
    let mut picture = Picture::default();
    let mut indexes = BTreeMap::new();
    for id in selected.iter() {
        let spec = graph.asset(id);
        indexes.insert(id, picture.nodes.len());
        picture.nodes.push(PictureNode {
            key: spec.key.to_string(),
            group: spec.group.to_string(),
            partitions: label::partitions_label(spec.partitions.as_deref()),
            kinds: spec.kinds.iter().map(ToString::to_string).collect(),
            tally: Some(states.tally(id, &session.existing_partitions(id))),
        });
    }
    for (down, index) in &indexes {
        let upstream = graph.upstream(*down).iter();
        // Edges to assets outside the selection are not drawn.
        let drawn = upstream.filter_map(|edge| indexes.get(&edge.asset));
        picture.edges.extend(drawn.map(|up| (*up, *index)));
    }
    Ok(picture)
}
