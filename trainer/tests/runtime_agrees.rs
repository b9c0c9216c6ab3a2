//! The runtime's answers against the trainer's plain reference in f64.

use embedded_rnn::{Backend, F32, I8, Model};
use embedded_rnn_trainer::pack::{AlignedBytes, CellKind, quantize, random_net, write_f32};

#[test]
fn probe() {
    for cell in [CellKind::Lstm, CellKind::SimpleRnn] {
        for (i, h) in [(1, 8), (1, 16), (10, 32), (3, 13), (40, 64), (1, 50), (5, 3), (40, 128)] {
            let (net, frames) = random_net(cell, i, h, 200, 1);
            let meta = Default::default();
            let file = AlignedBytes::new(&write_f32(&net, &meta, &frames).unwrap());
            let golden = net.cast::<f64>().predict(&frames.iter().map(|&x| f64::from(x)).collect::<Vec<_>>());
            let q = quantize(&net, &meta, &[&frames]).unwrap();
            let qfile = AlignedBytes::new(&q.bytes);
            for backend in Backend::all() {
                let model = Model::<F32>::new(&file).unwrap().with_backend(backend);
                let mut ram = AlignedBytes::new(&vec![0; model.preamble().ram_needed as usize]);
                let mut state = model.state(&mut ram).unwrap();
                model.self_test(&mut state).unwrap();
                let mut out = vec![0.0; golden.len()];
                model.run(&mut state, &frames, &mut out).unwrap();
                let worst = out.iter().zip(&golden).fold(0f64, |m, (a, b)| m.max((f64::from(*a) - b).abs()));
                let qm = Model::<I8>::new(&qfile).unwrap().with_backend(backend);
                let mut ram = AlignedBytes::new(&vec![0; qm.preamble().ram_needed as usize]);
                let mut state = qm.state(&mut ram).unwrap();
                qm.self_test(&mut state).unwrap();
                let mut x = vec![0; frames.len()];
                for (x, f) in x.chunks_mut(i).zip(frames.chunks(i)) {
                    qm.quantize_input(f, x).unwrap();
                }
                let mut out = vec![0; golden.len()];
                qm.run(&mut state, &x, &mut out).unwrap();
                let qworst = out
                    .iter()
                    .zip(&golden)
                    .fold(0f64, |m, (a, b)| m.max((f64::from(*a) / 32768.0 - b).abs()));
                println!(
                    "{cell:?} {i} {h} {} f32 {worst:.1e} i8 {qworst:.1e} {:?}",
                    backend.name(),
                    q.errors.last()
                );
            }
        }
    }
}
