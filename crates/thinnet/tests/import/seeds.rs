//! The small files from which the fuzzer starts are sound.

use std::fs;
use std::path::Path;

use thinnet::import::read;

#[test]
fn files_for_the_fuzzer_are_read() {
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files");
    let mut count = 0;
    for entry in fs::read_dir(files).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "onnx" || extension == "safetensors") {
            let own = read(&path).unwrap();
            assert_eq!((own.inputs(), own.outputs()), (4, 3), "{}", path.display());
            count += 1;
        }
    }
    assert_eq!(count, 6);
}
