//! `oauthspec init`: writes a commented `oauthspec.toml` into this folder.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;

use super::args::InitArgs;
use super::error::Error;
use super::exit::Exit;
use super::{data, output, session};
use crate::target::{Discovery, discover};
use crate::wire::WireOptions;

pub(super) fn init(args: &InitArgs) -> Result<Exit, Error> {
    let path = Path::new("oauthspec.toml");
    if path.exists() && !args.force {
        return Err(Error::Exists { path: path.to_owned() });
    }
    let discovery = args.issuer.as_deref().map(discovered).transpose()?.flatten();
    write(path, &data::config_template(args.issuer.as_deref(), discovery.as_ref()), args.force)?;
    output::print("oauthspec.toml is written: add a client and a user, then see what can be tested with `oauthspec probe`\n")?;
    Ok(Exit::Ok)
}

/// What the issuer publishes; a server that cannot be asked now is no obstacle.
fn discovered(issuer: &str) -> Result<Option<Discovery>, Error> {
    let wire = session::wire(WireOptions::default())?;
    match session::runtime()?.block_on(discover(&wire, issuer, &[])) {
        Ok(discovery) => Ok(Some(discovery)),
        Err(error) => {
            // If standard error is gone there is nobody left to be told.
            let _ = writeln!(anstream::stderr(), "note: nothing is filled in: {error}");
            Ok(None)
        }
    }
}

/// Writes a file, and overwrites one only by force.
fn write(path: &Path, text: &str, force: bool) -> Result<(), Error> {
    let mut options = OpenOptions::new();
    let options = options.write(true).create_new(!force).create(force).truncate(force);
    match options.open(path).and_then(|mut file| file.write_all(text.as_bytes())) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(Error::Exists { path: path.to_owned() }),
        Err(source) => Err(Error::File { doing: "write", path: path.to_owned(), source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_overwritten_only_by_force() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("oauthspec.toml");
        write(&path, "long ago", false).unwrap();
        assert!(matches!(write(&path, "new", false), Err(Error::Exists { .. })));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "long ago");
        write(&path, "new", true).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
    }
}
