"""Makes mfcc.json: sound and its mel-frequency cepstral coefficients by librosa 0.11, as docs/demo computes them.

    pip install librosa==0.11.0
    python xtask/browser/mfcc.py
"""

import json
import pathlib

import librosa
import numpy

random = numpy.random.default_rng(5)
time = numpy.arange(3000) / 8000
# A rising tone that gets louder out of noise, after a silence in which the limit of 80 dB takes hold.
sound = 0.4 * numpy.sin(2 * numpy.pi * (200 + 1500 * time) * time) * time / time[-1] + random.normal(0, 0.01, 3000)
sound[:1400] *= 1e-6
sound = numpy.round(sound, 9)
# The loudest frame is the last one, so that librosa's limit, of the whole recording, is not that of a stream:
# the stream is compared with the limit of the frames so far.
frames = 1 + len(sound) // 200
power = librosa.feature.melspectrogram(y=sound, sr=8000, n_fft=512, hop_length=200)
assert power.shape == (128, frames)
coefficients = []
for number in range(frames):
    decibels = librosa.power_to_db(power[:, : number + 1])
    coefficients.append(librosa.feature.mfcc(S=decibels, n_mfcc=13)[:, -1].round(4).tolist())
file = pathlib.Path(__file__).with_suffix(".json")
file.write_text(json.dumps({"samples": sound.tolist(), "coefficients": coefficients}, separators=(",", ":")) + "\n")
