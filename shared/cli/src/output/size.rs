//! Sizes in bytes.

/// Formats a number of bytes with three digits and a unit, such as `1.46 MB`.
pub(crate) fn format_bytes(bytes: u64) -> String {
    let mut size = bytes as f64;
    for unit in ["B", "kB", "MB", "GB", "TB"] {
        // Rounding must not give four digits: 999.7 kB is 1.00 MB.
        if size < 999.5 || unit == "TB" {
            let digits = match (unit, size) {
                ("B", _) => 0,
                (_, size) if size < 9.995 => 2,
                (_, size) if size < 99.95 => 1,
                _ => 0,
            };
            return format!("{size:.digits$} {unit}");
        }
        size /= 1000.0;
    }
    unreachable!("the last unit takes every size")
}

#[cfg(test)]
mod tests {
    use super::format_bytes;

    #[test]
    fn sizes_have_three_digits() {
        let sizes = [
            0,
            999,
            1_000,
            9_999,
            123_456,
            1_460_000,
            5_000_000_000_000_000,
        ];
        assert_eq!(
            sizes.map(format_bytes),
            [
                "0 B", "999 B", "1.00 kB", "10.0 kB", "123 kB", "1.46 MB", "5000 TB"
            ]
        );
    }
}
