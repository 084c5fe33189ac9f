//! The picture in Graphviz's DOT language.

use std::fmt::Write as _;

use super::Picture;

/// Writes the picture in DOT: one cluster a group.
pub fn dot(picture: &Picture) -> String {
    let mut text =
        String::from("digraph assets {\n  rankdir=LR;\n  node [shape=box, style=rounded];\n");
    for (index, group) in picture.groups().into_iter().enumerate() {
        let _ = writeln!(
            text,
            "  subgraph cluster_{index} {{\n    label={};",
            quote(group)
        );
        for node in picture.nodes.iter().filter(|node| node.group == group) {
            let label = if node.partitions.is_empty() {
                node.key.clone()
            } else {
                format!("{}\n{}", node.key, node.partitions)
            };
            let _ = writeln!(text, "    {} [label={}];", quote(&node.key), quote(&label));
        }
        text.push_str("  }\n");
    }
    for &(up, down) in &picture.edges {
        let (up, down) = (&picture.nodes[up].key, &picture.nodes[down].key);
        let _ = writeln!(text, "  {} -> {};", quote(up), quote(down));
    }
    text.push_str("}\n");
    text
}

fn quote(label: &str) -> String {
    format!(
        "\"{}\"",
        label
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n")
    )
}
