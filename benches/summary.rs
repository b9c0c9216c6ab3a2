//! Every step and the bound of the machine, timed in turns: prints a table and writes `target/bench.jsonl`.
//!
//! With `--test`, everything runs once and nothing is written. Arguments without `--` select the rows whose
//! names, such as `lstm-1x8 f32`, contain one of them.

use anyhow::Result;
use embedded_rnn::Backend;
use embedded_rnn_benches::bounds::{Bound, Machine, Passes};
use embedded_rnn_benches::nets::{DType, ModelFile, NETS, backends};
use embedded_rnn_benches::report::{self, Circumstances, Row};
use embedded_rnn_benches::rounds::{self, Plan, Timed};

/// A model with the passes over its weights and its steps on each backend.
struct Case {
    model_file: ModelFile,
    passes: Passes,
    steps: Vec<(Backend, Timed)>,
}

impl Case {
    fn new(model_file: ModelFile, machine: Machine, backends: &[Backend]) -> Result<Self> {
        let passes = Passes::new(machine, model_file.weights()?, model_file.dtype);
        let timed = |&backend| Ok((backend, Timed::new(model_file.steps(backend)?)));
        let steps = backends.iter().map(timed).collect::<Result<_>>()?;
        Ok(Self { model_file, passes, steps })
    }

    fn rows(&self, multiply_adds: f64) -> impl Iterator<Item = Row> {
        let ModelFile { net, dtype, .. } = self.model_file;
        let bound = Bound::new(net, dtype, multiply_adds, &self.passes);
        self.steps.iter().map(move |(backend, timed)| Row {
            model: net.to_string(),
            dtype: dtype.name(),
            cell: net.cell.name,
            input_size: net.input_size,
            hidden_size: net.hidden_size,
            backend: backend.name(),
            ns_min: timed.min(),
            ns_median: timed.median(),
            bound_ns: bound.ns,
            bound_by: bound.by,
            read_rate: self.passes.read_rate(),
            widen_rate: self.passes.widen_rate(),
        })
    }
}

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let test = args.iter().any(|arg| arg == "--test");
    let names: Vec<&String> = args.iter().filter(|arg| !arg.starts_with("--")).collect();
    let (machine, backends) = (Machine::new(), backends());
    let mut cases = Vec::new();
    for net in NETS {
        for dtype in DType::ALL {
            let name = format!("{net} {}", dtype.name());
            if !names.is_empty() && !names.iter().any(|part| name.contains(part.as_str())) {
                continue;
            }
            cases.push(Case::new(ModelFile::new(net, dtype)?, machine, &backends)?);
        }
    }
    let mut multiply_adds = Timed::new(machine.multiply_adds());
    let mut tasks = vec![&mut multiply_adds];
    for Case { passes, steps, .. } in &mut cases {
        tasks.extend(passes.timed().chain(steps.iter_mut().map(|(_, timed)| timed)));
    }
    rounds::run(&mut tasks, if test { Plan::TEST } else { Plan::FULL });

    let rate = machine.multiply_adds_per_round() as f64 / multiply_adds.min();
    let rows: Vec<Row> = cases.iter().flat_map(|case| case.rows(rate)).collect();
    let circumstances = Circumstances::collect(machine.name(), rate);
    if !test {
        print!("{}", report::table(&circumstances, &rows));
        eprintln!("written: {}", report::write(&circumstances, &rows)?.display());
    }
    Ok(())
}
