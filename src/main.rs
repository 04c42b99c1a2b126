//! The `oauthspec` binary.

fn main() {}
