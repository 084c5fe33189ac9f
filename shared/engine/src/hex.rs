//! [`to_hex`].

/// Returns bytes in hexadecimal, two digits each.
///
/// ```
/// use precip_engine::hex::to_hex;
///
/// assert_eq!(to_hex(&[0, 10, 255]), "000aff");
/// ```
pub fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
