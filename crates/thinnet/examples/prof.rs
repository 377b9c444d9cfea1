//! profile
use std::time::Instant;
use thinnet::data::Cifar10;
use thinnet::engine::*;
use thinnet::layers::Dropout;
use thinnet::net::*;
use thinnet::random::RandomState;
fn main() {
    let t = Instant::now();
    let sample = Cifar10::embedded_sample().unwrap();
    eprintln!("load {:?}", t.elapsed());
    let t = Instant::now();
    let data = sample.dataset::<f32>(500).unwrap();
    eprintln!("centre {:?}", t.elapsed());
    let mut random = RandomState::new(231);
    for keep in [1.0, 0.5, 0.25] {
        for masks in [MaskSource::Numpy, MaskSource::Counter(1)] {
            let t = Instant::now();
            let net = FullyConnectedNet::<f32>::new(
                NetConfig {
                    hidden: vec![500],
                    dropout: Some(Dropout::new(keep, None).unwrap()),
                    ..Default::default()
                },
                &mut random,
            )
            .unwrap();
            let ti = t.elapsed();
            let mut engine = Thin::new(
                &net,
                "adam".parse().unwrap(),
                EngineConfig {
                    product: Product::Auto,
                    threads: std::env::args().nth(1).map_or(2, |v| v.parse().unwrap()),
                    masks,
                    isa: None,
                },
            )
            .unwrap();
            let mut times = vec![];
            for _ in 0..200 {
                let batch = random.choice(500, 100).unwrap();
                let t = Instant::now();
                engine.step(data.train.x.view(), &data.train.y, &batch, &mut random).unwrap();
                times.push(t.elapsed().as_secs_f64() * 1e3);
            }
            times.sort_by(f64::total_cmp);
            let inputs = engine.load(data.val.x.view()).unwrap();
            let mut ev = vec![];
            for _ in 0..20 {
                let t = Instant::now();
                engine.scores(&inputs, &mut random).unwrap();
                ev.push(t.elapsed().as_secs_f64() * 1e3);
            }
            ev.sort_by(f64::total_cmp);
            let t = Instant::now();
            engine.parameters().unwrap();
            eprintln!(
                "keep {keep} {masks:?} step median {:.3} min {:.3} ms; scores of 1000 {:.2} min {:.2} ms; init {ti:?}; unpack {:?}",
                times[100],
                times[0],
                ev[10],
                ev[0],
                t.elapsed()
            );
        }
    }
}
