//! The order of the modules, which a state dict does not contain: the only one in which the sizes fit.

use anyhow::{Result, bail, ensure};

use super::module::{InputKind, TorchModule, listed};
use super::options::Options;

/// A module in an order, with its interpretation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The index of the module.
    pub module: usize,
    /// The index of the candidate.
    pub candidate: usize,
}

/// The maximum number of modules to order.
const MAX_MODULES: usize = 256;
/// The maximum number of orders that an error lists.
const MAX_SHOWN: usize = 3;
/// The maximum number of choices that the search tries.
const MAX_TRIED: usize = 1 << 16;

/// Finds the only order of all modules.
///
/// # Errors
/// No order, or several, with the flag that selects one.
pub fn find(modules: &[TorchModule], options: &Options) -> Result<Vec<Choice>> {
    ensure!(modules.len() <= MAX_MODULES, "{} modules: at most {MAX_MODULES} are supported", modules.len());
    let position = |name: &String| modules.iter().position(|module| module.name == *name);
    let fixed: Vec<usize> = options.modules.iter().filter_map(position).collect();
    let used = vec![false; modules.len()];
    let mut search = Search { modules, fixed: &fixed, used, found: Vec::new(), tried: 0 };
    search.extend(&mut Vec::new());
    ensure!(search.tried < MAX_TRIED, "too many modules to try all orders: give the order with --modules");
    match &mut search.found[..] {
        [] if fixed.is_empty() => bail!("no order fits: {}", listed(modules)),
        [] => bail!("--modules: sizes do not fit: {}", listed(fixed.iter().map(|&k| &modules[k]))),
        [order] => Ok(std::mem::take(order)),
        several => bail!("{}", ambiguity(modules, several)),
    }
}

/// Describes several orders that fit, and the flag that selects one.
fn ambiguity(modules: &[TorchModule], orders: &[Vec<Choice>]) -> String {
    let same_modules = |order: &Vec<Choice>| {
        order.iter().map(|choice| choice.module).eq(orders[0].iter().map(|choice| choice.module))
    };
    let flag = if orders.iter().all(same_modules) { "--as" } else { "--modules" };
    let shown: Vec<_> = orders.iter().map(|order| shown(modules, order)).collect();
    let more = if shown.len() == MAX_SHOWN { "; and perhaps more" } else { "" };
    format!("more than one order fits: {}{more}: select one with {flag}", shown.join("; "))
}

/// Lists the modules of an order, with the class where a module has several candidates.
pub fn shown(modules: &[TorchModule], order: &[Choice]) -> String {
    let module = |choice: &Choice| {
        let TorchModule { name, candidates } = &modules[choice.module];
        match &candidates[..] {
            [_] => name.clone(),
            candidates => format!("{name} as {}", candidates[choice.candidate].class),
        }
    };
    order.iter().map(module).collect::<Vec<_>>().join(",")
}

/// A depth-first search over all orders.
struct Search<'a> {
    modules: &'a [TorchModule],
    /// The order of the modules, if it is given.
    fixed: &'a [usize],
    /// The modules in the current order.
    used: Vec<bool>,
    found: Vec<Vec<Choice>>,
    tried: usize,
}

impl Search<'_> {
    /// Extends an order in every way, until enough orders are found or enough choices are tried.
    fn extend(&mut self, order: &mut Vec<Choice>) {
        if order.len() == self.modules.len() {
            self.found.push(order.clone());
            return;
        }
        for module in self.next_modules(order) {
            for candidate in 0..self.modules[module].candidates.len() {
                if self.found.len() == MAX_SHOWN || self.tried == MAX_TRIED {
                    return;
                }
                self.tried += 1;
                let choice = Choice { module, candidate };
                if self.fits(order.last(), choice) {
                    order.push(choice);
                    self.used[module] = true;
                    self.extend(order);
                    self.used[module] = false;
                    order.pop();
                }
            }
        }
    }

    /// Returns the modules that may come next, without regard to sizes.
    fn next_modules(&self, order: &[Choice]) -> Vec<usize> {
        match self.fixed.get(order.len()) {
            Some(&module) => vec![module],
            None => (0..self.modules.len()).filter(|&module| !self.used[module]).collect(),
        }
    }

    /// Returns whether a module can read the output of the last one.
    fn fits(&self, last: Option<&Choice>, next: Choice) -> bool {
        let output_size = last.map(|last| self.modules[last.module].candidates[last.candidate].output_size);
        match (self.modules[next.module].candidates[next.candidate].input, output_size) {
            (_, None) => true,
            (InputKind::Features(size), Some(output_size)) => size == output_size,
            // Only inputs of the network are ids.
            (InputKind::Ids(_), Some(_)) => false,
        }
    }
}
