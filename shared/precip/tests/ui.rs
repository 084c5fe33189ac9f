//! What the compiler says when a declaration is wrong.

#[test]
fn errors_are_at_the_tokens_that_are_wrong() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
