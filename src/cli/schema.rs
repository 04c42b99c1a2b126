//! `oauthspec schema`: the JSON Schema of a file format, made from the types that read it.

use super::args::SchemaArgs;
use super::error::Error;
use super::exit::Exit;
use super::{data, output};

pub(super) fn schema(args: &SchemaArgs) -> Result<Exit, Error> {
    output::print_json(&data::schema(args.what)?)?;
    Ok(Exit::Ok)
}
