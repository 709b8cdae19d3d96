//! The TypeScript bindings are generated from the commands and committed; this
//! keeps them fresh. With `SUDA_WRITE_BINDINGS=1` it writes them.

use specta_typescript::Typescript;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../ui/src/bindings/desk.ts");

#[test]
fn the_committed_bindings_are_fresh() {
    let fresh = std::env::temp_dir().join(format!("suda-bindings-{}.ts", std::process::id()));
    suda_window::bindings()
        .export(Typescript::default(), &fresh)
        .unwrap();
    let generated = std::fs::read_to_string(&fresh).unwrap();
    std::fs::remove_file(&fresh).unwrap();
    if std::env::var_os("SUDA_WRITE_BINDINGS").is_some() {
        std::fs::write(FILE, &generated).unwrap();
    }
    let committed = std::fs::read_to_string(FILE).unwrap_or_default();
    assert!(
        committed == generated,
        "run `cargo xtask bindings`: ui/src/bindings/desk.ts is stale"
    );
}
