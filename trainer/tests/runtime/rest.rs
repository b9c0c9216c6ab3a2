//! Integer cells under zero input, after a sequence. A state that f32 lets come to rest may keep moving by
//! its rounding, in a cycle of few units of h: INTEGER.md gives the figures.

use embedded_rnn::{Backend, F32, I8, Number};
use embedded_rnn_trainer::pack::{AlignedBytes, files, random_cell};

use crate::crafted::Place;
use crate::running::{Session, model, ram, run};

/// A cell, its options, and the largest movement, in units of h, of ten seeds and all sizes.
const CELLS: [(&str, &str, f64); 4] =
    [("LSTM", "", 1.0), ("GRU", "", 1.0), ("GRU", "reset_after = false", 1.0), ("SimpleRNN", "", 5.0)];
const SIZES: [(usize, usize); 5] = [(1, 16), (10, 32), (40, 64), (1, 50), (5, 3)];
/// Time steps of zero input before the output is watched, and while it is.
const SETTLING: usize = 4_000;
const WATCHED: usize = 1_000;
/// The movement of an f32 network at rest, at most.
const REST: f64 = 1e-5;

/// Returns the largest difference between two outputs of a unit while it is watched.
fn movement<N: Session>(file: &[u8], frames: &[f32]) -> f64
where
    f64: From<<N as Number>::Out>,
{
    let file = AlignedBytes::new(file);
    let model = model::<N>(&file, Backend::best());
    let mut ram = ram(&model, 0);
    let mut state = model.state(&mut ram).unwrap();
    run(&model, &mut state, &N::inputs(&model, frames));
    let zeros = N::inputs(&model, &vec![0.0; model.input_size()]);
    let mut range = vec![(f64::INFINITY, f64::NEG_INFINITY); model.output_size()];
    for step in 0..SETTLING + WATCHED {
        let out = model.step(&mut state, &zeros).unwrap();
        if step >= SETTLING {
            for ((least, most), &y) in range.iter_mut().zip(out) {
                (*least, *most) = (least.min(y.into()), most.max(y.into()));
            }
        }
    }
    range.iter().fold(0.0, |movement, (least, most)| movement.max(most - least))
}

/// Returns the movement of a random cell in i8, in units of h; `None` if it does not rest in f32 either.
fn units(cell: (&str, &str), size: (usize, usize), seed: u64) -> Option<f64> {
    let (network, frames) = random_cell(cell, size, 200, seed).unwrap();
    let (float, int) = files(&network, &frames).unwrap();
    (movement::<F32>(&float, &frames) < REST).then(|| movement::<I8>(&int, &frames))
}

#[test]
fn movements_at_rest_are_bounded() {
    for (cell, options, bound) in CELLS {
        for size in SIZES {
            for seed in 0..3 {
                let _place = Place((cell, options, size, seed));
                let movement = units((cell, options), size, seed).expect("the network rests in f32");
                assert!(movement <= bound, "{movement} units");
            }
        }
    }
}

#[test]
#[ignore = "a measurement: run with -- --ignored --nocapture movements_of_ten_seeds"]
fn movements_of_ten_seeds() {
    for (cell, options, bound) in CELLS {
        for size in SIZES {
            let all: Vec<f64> = (0..10).filter_map(|seed| units((cell, options), size, seed)).collect();
            let still = all.iter().filter(|&&units| units == 0.0).count();
            let most = all.iter().fold(0f64, |most, &units| most.max(units));
            println!(
                "{cell} {options} {size:?}: {} rest in f32, {still} in i8, most {most} units",
                all.len()
            );
            assert!(most <= bound);
        }
    }
}
