"""Checks the forms of a package made by `cargo xtask dist`, with PlatformIO's reader of Arduino libraries and with
kconfiglib, a reader of Kconfig: `python check_forms.py PACKAGE ARDUINO.zip`.
"""

import pathlib
import sys
import tempfile
import zipfile

import kconfiglib
import yaml
from platformio.package.manifest.parser import ManifestParserFactory
from platformio.package.manifest.schema import ManifestSchema

# What a build of Zephyr defines, by architecture: symbols and the folder of the library for them.
CORES = {
    ("CPU_CORTEX_M0PLUS",): "cortex-m0plus",
    ("CPU_CORTEX_M4", "FP_HARDABI"): "cortex-m4f",
    ("CPU_CORTEX_M7", "FP_HARDABI"): "cortex-m7f",
    ("CPU_CORTEX_M33", "FP_HARDABI"): "cortex-m33",
    ("CPU_CORTEX_M55", "FP_HARDABI"): "cortex-m55",
    ("RISCV",): "riscv32imc",
}
# Cores without a library: their floats are passed in other registers, or they are none of these.
WITHOUT = [("CPU_CORTEX_M4",), ("CPU_CORTEX_M3",), ("FP_HARDABI",), ()]


def check_zephyr(package: pathlib.Path) -> None:
    module = yaml.safe_load((package / "zephyr/module.yml").read_text())
    assert set(module) == {"name", "build"} and set(module["build"]) == {"cmake", "kconfig"}, module
    assert (package / module["build"]["cmake"] / "CMakeLists.txt").is_file(), module
    kconfig = package / module["build"]["kconfig"]
    script = (package / module["build"]["cmake"] / "CMakeLists.txt").read_text()
    symbols = sorted({symbol for core in [*CORES, *WITHOUT] for symbol in core})
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder) / "Kconfig"
        definitions = "".join(f'config {symbol}\n\tbool "{symbol}"\n' for symbol in symbols)
        root.write_text(f'{definitions}rsource "module"\n')
        (pathlib.Path(folder) / "module").write_text(kconfig.read_text())
        for core in [*CORES, *WITHOUT]:
            config = kconfiglib.Kconfig(str(root), warn_to_stderr=False)
            assert not config.warnings, config.warnings
            for symbol in core:
                config.syms[symbol].set_value("y")
            config.syms["ERNN"].set_value("y")
            found, expected = config.syms["ERNN"].str_value, "y" if core in CORES else "n"
            assert found == expected, f"ERNN is {found} with {core}"
    for core, library in CORES.items():
        assert f"ernn_core {library})" in script, f"no {library} in CMakeLists.txt"
        assert core == ("RISCV",) or f"CONFIG_{core[0]})" in script, f"no {core[0]} in CMakeLists.txt"
        assert (package / "lib" / library / "libernn.a").is_file(), library


def check_arduino(archive: pathlib.Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        zipfile.ZipFile(archive).extractall(folder)
        [library] = pathlib.Path(folder).iterdir()
        manifest = ManifestParserFactory.new_from_file(str(library / "library.properties")).as_dict()
        ManifestSchema().load_manifest(manifest)  # raises an error that names the field
        assert manifest["precompiled"] == "true" and manifest["ldflags"] == "-lernn", manifest
        for header in manifest["headers"]:
            assert (library / "src" / header).is_file(), header
        [sketch] = (library / "examples").iterdir()
        assert (sketch / f"{sketch.name}.ino").is_file(), sketch
        assert list(library.glob("src/*/**/libernn.a")), "no library of a core"


package, archive = map(pathlib.Path, sys.argv[1:])
check_zephyr(package)
check_arduino(archive)
print(f"forms: the Zephyr module for {len(CORES)} cores, the Arduino library")
