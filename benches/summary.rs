//! Every step beside the bound of its machine, timed in turns: a table, and `target/bench.jsonl`.
//!
//! With `--test` everything runs once and nothing is written.

use anyhow::Result;
use embedded_rnn::Backend;
use embedded_rnn_benches::bounds::{Bound, Machine, Passes};
use embedded_rnn_benches::nets::{NETS, Numbers, Session, backends};
use embedded_rnn_benches::report::{self, Circumstances, Row};
use embedded_rnn_benches::rounds::{self, Plan, Timed};

/// A model: passes over its weights, and its steps on each backend.
struct Case {
    session: Session,
    passes: Passes,
    steps: Vec<(Backend, Timed)>,
}

impl Case {
    fn new(session: Session, machine: Machine, backends: &[Backend]) -> Result<Self> {
        let passes = Passes::new(machine, session.weights()?, session.numbers);
        let timed = |&backend| Ok((backend, Timed::new(session.steps(backend)?)));
        let steps = backends.iter().map(timed).collect::<Result<_>>()?;
        Ok(Self { session, passes, steps })
    }

    fn rows(&self, multiply_adds: f64) -> impl Iterator<Item = Row> {
        let Session { net, numbers, .. } = self.session;
        let bound = Bound::new(net, numbers, multiply_adds, &self.passes);
        self.steps.iter().map(move |(backend, timed)| Row {
            model: net.to_string(),
            dtype: numbers.name(),
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
    let test = std::env::args().any(|arg| arg == "--test");
    let (machine, backends) = (Machine::new(), backends());
    let mut cases = Vec::new();
    for net in NETS {
        for numbers in Numbers::ALL {
            cases.push(Case::new(Session::new(net, numbers)?, machine, &backends)?);
        }
    }
    let mut multiply_adds = Timed::new(machine.multiply_adds());
    let mut works = vec![&mut multiply_adds];
    for Case { passes, steps, .. } in &mut cases {
        works.extend(passes.timed().chain(steps.iter_mut().map(|(_, timed)| timed)));
    }
    rounds::run(&mut works, if test { Plan::TEST } else { Plan::FULL });

    let rate = machine.multiply_adds_at_once() as f64 / multiply_adds.min();
    let rows: Vec<Row> = cases.iter().flat_map(|case| case.rows(rate)).collect();
    let circumstances = Circumstances::look(machine.name(), rate);
    if !test {
        print!("{}", report::table(&circumstances, &rows));
        eprintln!("written: {}", report::write(&circumstances, &rows)?.display());
    }
    Ok(())
}
