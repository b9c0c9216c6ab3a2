//! Criterion's statistics of one step: `step/lstm-40x128/i8/avx2` and so on.

use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use embedded_rnn_benches::nets::{NETS, Numbers, Session, backends};

fn cell_step(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("step");
    let backends = backends();
    for net in NETS {
        group.throughput(Throughput::Elements(net.multiply_adds() as u64));
        for numbers in Numbers::ALL {
            let session = Session::new(net, numbers).expect("a random net is one that runs");
            for &backend in &backends {
                let mut steps = session.steps(backend).expect("the file was just made");
                let id = BenchmarkId::new(format!("{net}/{}", numbers.name()), backend.name());
                // Timed as a run of steps: the state goes on from one to the next.
                group.bench_function(id, |bencher| {
                    bencher.iter_custom(|times| {
                        let start = Instant::now();
                        steps(times);
                        start.elapsed()
                    });
                });
            }
        }
    }
    group.finish();
}

criterion_group! {
    name = benches;
    // The least that gives a stable mean: all cases take less than a minute.
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = cell_step
}
criterion_main!(benches);
