// Replays conformance vectors: every model of list.txt, in the working folder, must put out the bits of its file
// of outputs. The same program runs on a PC and, with files through semihosting, on an emulated board.
//
// A line of list.txt: DTYPE MODEL INPUTS OUTPUTS INPUT_SIZE WHOLE_SEQUENCES SEQUENCES STEPS..., where STEPS are the
// time steps of each sequence.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ernn.h"

enum { MODEL_LEN = 256 << 10, VALUES = 8 << 10, RAM_LEN = 64 << 10, SAVED_LEN = 4 << 10 };

// A model starts at a multiple of 4, better of 64; a state at one of 4.
static union { uint64_t align; unsigned char bytes[MODEL_LEN]; } model_file;
static union { uint64_t align; unsigned char bytes[RAM_LEN]; } ram;
static union { int16_t i8[VALUES]; float f32[VALUES]; } inputs;
static union { int32_t i8[VALUES]; float f32[VALUES]; unsigned char bytes[4 * VALUES]; } outputs, expected;
static unsigned char saved[SAVED_LEN];

static ernn_model_t model;
static ernn_state_t state;
static ernn_info_t info;

static void check(ernn_status_t status, const char *what) {
    if (status != ERNN_OK) {
        printf("%s: %s\n", what, ernn_strerror(status));
        exit(1);
    }
}

static size_t read_file(const char *name, void *to, size_t room) {
    FILE *file = fopen(name, "rb");
    if (file == NULL) {
        printf("%s: cannot be read\n", name);
        exit(1);
    }
    size_t len = fread(to, 1, room, file);
    if (len == room) {
        printf("%s: longer than %lu bytes\n", name, (unsigned long)room);
        exit(1);
    }
    fclose(file);
    return len;
}

// Runs `steps` time steps from input value `x` on, and stores the output from value `y` on. Returns its length.
static size_t run(size_t x, size_t steps, size_t y) {
    size_t x_len = steps * info.input_size, len = 0;
    check(ernn_output_len(&model, steps, &len), "ernn_output_len");
    if (info.dtype == ERNN_I8) {
        check(ernn_run_i8(&model, &state, inputs.i8 + x, x_len, outputs.i8 + y, len), "ernn_run_i8");
    } else {
        check(ernn_run_f32(&model, &state, inputs.f32 + x, x_len, outputs.f32 + y, len), "ernn_run_f32");
    }
    return len;
}

static size_t step(size_t x, size_t y) {
    size_t x_len = info.input_size, len = info.output_size;
    if (info.dtype == ERNN_I8) {
        check(ernn_step_i8(&model, &state, inputs.i8 + x, x_len, outputs.i8 + y, len), "ernn_step_i8");
    } else {
        check(ernn_step_f32(&model, &state, inputs.f32 + x, x_len, outputs.f32 + y, len), "ernn_step_f32");
    }
    return len;
}

// Loses the state and restores it, as a deep sleep does.
static void sleep_deeply(void) {
    size_t used = 0;
    check(ernn_save(&model, &state, saved, info.saved_len, &used), "ernn_save");
    memset(ram.bytes, 0xa5, sizeof ram.bytes);
    check(ernn_state_init(&state, &model, ram.bytes, sizeof ram.bytes), "ernn_state_init");
    check(ernn_restore(&model, &state, saved, used), "ernn_restore");
}

// Replays the sequences whose steps the list states, and returns the number of outputs.
static size_t replay(FILE *list, unsigned long sequences, int whole) {
    size_t x = 0, y = 0;
    for (unsigned long sequence = 0; sequence < sequences; sequence++) {
        unsigned long steps = 0;
        if (fscanf(list, "%lu", &steps) != 1) {
            printf("list.txt: a number of steps is missing\n");
            exit(1);
        }
        check(ernn_reset(&state), "ernn_reset");
        if (whole) {
            y += run(x, steps, y);
        }
        for (unsigned long i = 0; !whole && i < steps; i++) {
            if (i == steps / 2) {
                sleep_deeply();
            }
            y += step(x + i * info.input_size, y);
        }
        x += steps * info.input_size;
    }
    return y;
}

int main(void) {
    FILE *list = fopen("list.txt", "r");
    char dtype[8], model_name[80], inputs_name[80], outputs_name[80];
    unsigned long input_size = 0, sequences = 0, models = 0;
    int whole = 0;
    if (list == NULL) {
        printf("list.txt: cannot be read\n");
        return 1;
    }
    while (fscanf(list, "%7s %79s %79s %79s %lu %d %lu", dtype, model_name, inputs_name, outputs_name, &input_size,
                  &whole, &sequences) == 7) {
        size_t model_len = read_file(model_name, model_file.bytes, sizeof model_file.bytes);
        read_file(inputs_name, &inputs, sizeof inputs);
        size_t expected_len = read_file(outputs_name, expected.bytes, sizeof expected.bytes);

        check(ernn_open(&model, model_file.bytes, model_len), model_name);
        check(ernn_info(&model, &info), "ernn_info");
        check(ernn_state_init(&state, &model, ram.bytes, sizeof ram.bytes), model_name);
        check(ernn_self_test(&model, &state), model_name);
        if (info.input_size != input_size || info.saved_len > sizeof saved) {
            printf("%s: unexpected sizes\n", model_name);
            return 1;
        }
        size_t len = 4 * replay(list, sequences, whole);
        if (len != expected_len || memcmp(outputs.bytes, expected.bytes, len) != 0) {
            printf("%s: the outputs differ\n", model_name);
            return 1;
        }
        models++;
    }
    fclose(list);
    printf("%lu models: all outputs are equal\n", models);
    return models > 0 ? 0 : 1;
}
