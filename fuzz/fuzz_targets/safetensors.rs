//! Models and other networks in the safetensors format, and what a run keeps of one. What is read is written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use thinnet::import::from_bytes;
use thinnet::layers::Activation;
use thinnet::model::Model;

fuzz_target!(|bytes: &[u8]| {
    let _ = Model::<f32>::from_bytes(bytes);
    let _ = Model::<f64>::from_bytes(bytes);
    if !matches!(bytes, [_, _, _, _, _, _, _, _, b'{', ..]) {
        return;
    }
    let Ok(imported) = from_bytes(bytes, "file") else { return };
    let _ = imported.net::<f32>(Activation::Relu);
    let again = from_bytes(&imported.to_bytes().expect("it was read"), "file").expect("it was written");
    assert_eq!(again.parameters, imported.parameters);
});
