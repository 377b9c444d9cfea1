//! Networks as ONNX files.
#![no_main]

use libfuzzer_sys::fuzz_target;
use thinnet::import::from_bytes;
use thinnet::layers::Activation;

fuzz_target!(|bytes: &[u8]| {
    if matches!(bytes, [b'P', b'K', ..] | [_, _, _, _, _, _, _, _, b'{', ..]) {
        return;
    }
    if let Ok(imported) = from_bytes(bytes, "file") {
        let _ = imported.net::<f32>(Activation::Relu);
    }
});
