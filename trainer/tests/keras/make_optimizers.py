"""Prints the weights after three updates of every optimizer, and the rates of every schedule, of Keras.

The numbers stand in trainer/nn/src/optimizer/tests.rs and trainer/nn/src/config/schedule.rs. The Python with Keras
is that of requirements.txt.
"""

import numpy as np
import keras
from keras import optimizers
from keras.optimizers import schedules

keras.config.set_floatx("float64")

GRADIENTS = [[0.5, -1e-3, 0.25], [-0.25, 0.0, 0.75], [0.125, 2.0, -0.5]]
OPTIMIZERS = {
    "adam": optimizers.Adam(0.1),
    "adam_decay": optimizers.Adam(0.1, weight_decay=0.05),
    "adamw": optimizers.AdamW(0.1),
    "sgd": optimizers.SGD(0.1),
    "sgd_momentum": optimizers.SGD(0.1, momentum=0.9),
    "sgd_nesterov_decay": optimizers.SGD(0.1, momentum=0.9, nesterov=True, weight_decay=0.05),
    "rmsprop": optimizers.RMSprop(0.1),
    "rmsprop_momentum": optimizers.RMSprop(0.1, rho=0.8, momentum=0.5),
}
SCHEDULES = {
    "exponential": schedules.ExponentialDecay(0.5, 4, 0.8),
    "staircase": schedules.ExponentialDecay(0.5, 4, 0.8, staircase=True),
    "piecewise": schedules.PiecewiseConstantDecay([2, 5], [0.5, 0.25, 0.125]),
    "cosine": schedules.CosineDecay(0.0, 6, alpha=0.1, warmup_target=0.5, warmup_steps=3),
}

for name, optimizer in OPTIMIZERS.items():
    weights = keras.Variable(np.array([1.0, -2.0, 0.5]), dtype="float64")
    optimizer.build([weights])
    for gradient in GRADIENTS:
        optimizer.apply([np.array(gradient)], [weights])
        print(name, keras.ops.convert_to_numpy(weights).tolist())
keras.config.set_floatx("float32")
for name, schedule in SCHEDULES.items():
    print(name, [float(schedule(step)) for step in range(11)])
