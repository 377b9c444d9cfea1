//! Sound files, cut anywhere and changed anywhere: refused or read, never a panic.

use thinnet::export::{Onnx, npz, torch};
use thinnet::import::from_bytes;
use thinnet::layers::Activation;
use thinnet::model::Model;

use crate::{classes, model};

#[test]
fn cut_and_changed_files_never_panic() {
    let own = model::<f32>(classes(), &["model.hidden=[3]", "model.normalisation=batch"]);
    let layered =
        model::<f32>(classes(), &["model.hidden=[2]", "model.normalisation=layer", "model.activation=mish"]);
    let onnx = Onnx::default();
    let bytes = own.to_bytes().unwrap();
    let kept = from_bytes(&bytes, "file").unwrap().to_bytes().unwrap();
    let maps = Onnx { zipmap: true, dropout: true, ..Onnx::default() }.model(&own).unwrap();
    let files = [
        (bytes, false),
        (kept, false),
        (torch(&own).unwrap().arrays, false),
        (npz(&own).unwrap(), false),
        (onnx.model(&own).unwrap(), true),
        (onnx.model(&layered).unwrap(), true),
        (maps, true),
    ];
    let read = |bytes: &[u8]| {
        let whole = from_bytes(bytes, "file");
        if let Ok(imported) = &whole {
            drop(imported.net::<f32>(Activation::Relu));
        }
        drop(Model::<f32>::from_bytes(bytes));
        whole.is_ok()
    };
    for (bytes, protobuf) in files {
        assert!(read(&bytes));
        for at in 0..bytes.len() {
            let cut = read(&bytes[..at]);
            assert!(!cut || protobuf, "cut to {at} of {}", bytes.len());
            for change in [1 << (at % 8), 0xff, 0x80] {
                let mut changed = bytes.clone();
                changed[at] ^= change;
                read(&changed);
            }
        }
    }
}
