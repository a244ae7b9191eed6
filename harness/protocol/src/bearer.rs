//! The bearer in an HTTP request.

/// The token that an `Authorization` field presents: what stands behind the scheme `Bearer` (in any case) and one space,
/// without white space around it. Nothing when the scheme is another one or no token follows (FLEET-AUTH-03, FLEET-AUTH-04). Whether it is
/// the right token is for its receiver to judge, in constant time.
pub fn bearer_token(field: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = field.split_at_checked(7)?;
    let token = token.trim_ascii();
    (scheme.eq_ignore_ascii_case(b"bearer ") && !token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_stands_behind_the_scheme() {
        for (field, token) in [
            ("Bearer t", Some("t")),
            ("bEARER  a b ", Some("a b")),
            ("Bearer", None),
            ("Bearer ", None),
            ("Bearer  \t", None),
            ("Bearert", None),
            ("Bearer\tt", None),
            ("Basic dDp0", None),
            (" Bearer t", None),
            ("", None),
        ] {
            assert_eq!(bearer_token(field.as_bytes()), token.map(str::as_bytes), "{field:?}");
        }
    }
}
