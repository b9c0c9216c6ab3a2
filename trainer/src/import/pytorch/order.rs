//! The order of the modules, which a file does not have: what fits each other by size, if that is one chain alone.

use anyhow::{Result, bail, ensure};

use super::modules::{Module, Takes, listed};
use super::options::Options;

/// A place in a chain: which module, and what it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its number.
    pub module: usize,
    /// The number among what it may be.
    pub form: usize,
}

/// The most modules that are put in an order.
const MOST: usize = 256;
/// Chains that are named if several fit.
const SHOWN: usize = 3;
/// Links that are tried before it is said that there are too many.
const MOST_TRIED: usize = 1 << 16;

/// The one chain of all modules.
///
/// # Errors
/// None that fits, or several, with the flag that decides.
pub fn find(modules: &[Module], options: &Options) -> Result<Vec<Link>> {
    ensure!(modules.len() <= MOST, "{} modules: at most {MOST} are read", modules.len());
    let position = |name: &String| modules.iter().position(|module| module.name == *name);
    let fixed: Vec<usize> = options.modules.iter().filter_map(position).collect();
    let used = vec![false; modules.len()];
    let mut search = Search { modules, fixed: &fixed, used, found: Vec::new(), tried: 0 };
    search.extend(&mut Vec::new());
    ensure!(search.tried < MOST_TRIED, "too many modules to try all orders: --modules says which");
    let shown = |chain: &Vec<Link>| shown(modules, chain);
    match &mut search.found[..] {
        [] if fixed.is_empty() => bail!("no order fits: {}", listed(modules)),
        [] => bail!("--modules: sizes do not fit: {}", listed(fixed.iter().map(|&k| &modules[k]))),
        [chain] => Ok(std::mem::take(chain)),
        several => {
            let same = several.iter().all(|chain| {
                chain.iter().map(|link| link.module).eq(several[0].iter().map(|link| link.module))
            });
            let flag = if same { "--as" } else { "--modules" };
            let all: Vec<_> = several.iter().map(shown).collect();
            let more = if all.len() == SHOWN { "; and perhaps more" } else { "" };
            bail!("more than one chain fits: {}{more}: {flag} says which", all.join("; "))
        }
    }
}

/// A chain in words; what a module is where it may be another thing.
fn shown(modules: &[Module], chain: &[Link]) -> String {
    let link = |link: &Link| {
        let Module { name, forms } = &modules[link.module];
        match &forms[..] {
            [_] => name.clone(),
            forms => format!("{name} as {}", forms[link.form].what),
        }
    };
    chain.iter().map(link).collect::<Vec<_>>().join(",")
}

struct Search<'a> {
    modules: &'a [Module],
    /// The order, if it is given.
    fixed: &'a [usize],
    /// Which are in the chain.
    used: Vec<bool>,
    found: Vec<Vec<Link>>,
    tried: usize,
}

impl Search<'_> {
    /// Goes on from a chain in every way, until enough are found or tried.
    fn extend(&mut self, chain: &mut Vec<Link>) {
        if chain.len() == self.modules.len() {
            self.found.push(chain.clone());
            return;
        }
        for module in self.next(chain) {
            for form in 0..self.modules[module].forms.len() {
                if self.found.len() == SHOWN || self.tried == MOST_TRIED {
                    return;
                }
                self.tried += 1;
                if self.fits(chain.last(), module, form) {
                    chain.push(Link { module, form });
                    self.used[module] = true;
                    self.extend(chain);
                    self.used[module] = false;
                    chain.pop();
                }
            }
        }
    }

    /// Modules that may come next by their names.
    fn next(&self, chain: &[Link]) -> Vec<usize> {
        match self.fixed.get(chain.len()) {
            Some(&module) => vec![module],
            None => (0..self.modules.len()).filter(|&module| !self.used[module]).collect(),
        }
    }

    fn fits(&self, last: Option<&Link>, module: usize, form: usize) -> bool {
        let gives = last.map(|last| self.modules[last.module].forms[last.form].gives);
        match (self.modules[module].forms[form].takes, gives) {
            (_, None) => true,
            (Takes::Features(size), Some(gives)) => size == gives,
            // Only inputs are ids.
            (Takes::Ids(_), Some(_)) => false,
        }
    }
}
