//! Compile errors of invalid declarations.

#[test]
fn errors_mark_the_wrong_tokens() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
