//! `graph`: the asset graph as a picture.

use std::{collections::BTreeMap, io::Write, path::Path};

use crate::{
    args::GraphFormat,
    exit::Exit,
    failure::Failure,
    graph::{Picture, PictureNode, dot, mermaid, svg},
    label,
    session::Session,
};

/// Draws the assets of a selection, to a file or to `out`.
///
/// # Errors
/// [`Failure`] when the selection makes no sense, the record cannot be read, or the file cannot be
/// written.
pub async fn graph(
    session: &Session,
    select: &str,
    format: GraphFormat,
    output: Option<&Path>,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let picture = picture(session, select).await?;
    let drawn = match format {
        GraphFormat::Svg => svg(&picture)
            .map_err(|error| Failure::environment(format!("failed to draw: {error}")))?,
        GraphFormat::Mermaid => mermaid(&picture),
        GraphFormat::Dot => dot(&picture),
    };
    match output {
        None => out.write_all(drawn.as_bytes())?,
        Some(path) => std::fs::write(path, drawn).map_err(|error| {
            Failure::environment(format!("failed to write `{}`: {error}", path.display()))
        })?,
    }
    Ok(Exit::Done)
}

async fn picture(session: &Session, select: &str) -> Result<Picture, Failure> {
    let graph = session.definitions.graph();
    let selected = session.select(select)?;
    let mut picture = Picture::default();
    let mut places = BTreeMap::new();
    for id in selected.iter() {
        let spec = graph.asset(id);
        places.insert(id, picture.nodes.len());
        picture.nodes.push(PictureNode {
            key: spec.key.to_string(),
            group: spec.group.to_string(),
            partitions: label::partitions(spec.partitions.as_deref()),
            kinds: spec.kinds.iter().map(ToString::to_string).collect(),
            tally: Some(session.tally(id).await?),
        });
    }
    for (down, place) in &places {
        let upstream = graph.upstream(*down).iter();
        let known = upstream.filter_map(|edge| places.get(&edge.asset));
        picture.edges.extend(known.map(|up| (*up, *place)));
    }
    Ok(picture)
}
