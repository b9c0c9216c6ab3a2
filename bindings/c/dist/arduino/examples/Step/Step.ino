// Runs a model of two inputs and three outputs, one time step per second.

#include <ernn.h>

#include "tiny.h"

static ernn_model_t model;
static ernn_state_t state;
static uint32_t ram[(TINY_RAM + 3) / 4];

static void check(ernn_status_t status) {
  if (status != ERNN_OK) {
    Serial.println(ernn_strerror(status));
    while (true) {
      delay(1000);
    }
  }
}

void setup() {
  Serial.begin(115200);
  check(ernn_open(&model, tiny_model, sizeof tiny_model));
  check(ernn_state_init(&state, &model, ram, sizeof ram));
  check(ernn_self_test(&model, &state));
}

void loop() {
  float frame[TINY_INPUT] = {0.5f, -0.25f};
  int16_t x[TINY_INPUT];
  int32_t y[TINY_OUTPUT];
  check(ernn_quantize(&model, frame, TINY_INPUT, x, TINY_INPUT));
  check(ernn_step_i8(&model, &state, x, TINY_INPUT, y, TINY_OUTPUT));
  for (int i = 0; i < TINY_OUTPUT; i++) {
    Serial.println((long)y[i]);
  }
  delay(1000);
}
