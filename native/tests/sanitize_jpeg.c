/*
 * Encodes pictures of many sizes, kinds and settings with every instruction set, for a build with
 * sanitizers: they find what is out of bounds or undefined. All buffers are exactly as large as
 * they have to be.
 *
 * With -DFUZZ it is a target of libFuzzer instead (`./run fuzz`): the input says size, kind and
 * settings, and holds the pixels; every instruction set has to make the same file of it, and with
 * -DDECODE libjpeg has to show the promised pixels of that.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../cdef.h"
#ifdef DECODE
#include "decode_jpeg.h"
#endif

/* What pixels are made of the bytes that are given: those over and over, with noise, or as steps. */
enum content { REPEATED, NOISY, SMOOTH, CONTENTS };

struct attempt {
    size_t width, height;
    int subsampling, averaging, effort, tables, is_progressive;
    uint32_t scale;
    enum content content;
};

static void *owned(size_t size)
{
    void *made = malloc(size ? size : 1);
    if (!made) {
        abort();
    }
    return made;
}

static uint8_t *picture(const struct attempt *attempt, const uint8_t *given, size_t count)
{
    size_t size = attempt->width * attempt->height * (attempt->subsampling ? 3 : 1);
    uint8_t *pixels = owned(size);
    uint32_t noise = 1;
    for (size_t i = 0; i < size; i++) {
        uint8_t here = count ? given[i % count] : 0;
        noise = noise * 1664525u + 1013904223u + here;
        if (attempt->content == NOISY) {
            here = (uint8_t)(here + (noise >> 24) / 4);
        } else if (attempt->content == SMOOTH && i >= 3) {
            here = (uint8_t)(pixels[i - 3] + here / 64 + (noise >> 30) - 3);
        }
        pixels[i] = here;
    }
    return pixels;
}

static uint8_t *written(tinyjpg_jpeg *jpeg, int is_progressive, size_t *size)
{
    if (tinyjpg_jpeg_write(jpeg, is_progressive, size)) {
        return NULL;
    }
    uint8_t *file = owned(*size);
    tinyjpg_jpeg_take(jpeg, file);
    return file;
}

/* What came of a picture. */
struct outcome {
    uint8_t *file, *shown;
    size_t size, shown_size;
};

static void forget(struct outcome *outcome)
{
    free(outcome->file);
    free(outcome->shown);
    *outcome = (struct outcome){0};
}

/* Takes the gradient pass; whether there is an outcome of it, which replaces the other. */
static int refine(tinyjpg_jpeg *kept, const struct attempt *attempt, const uint8_t *pixels,
                  struct outcome *outcome)
{
    if (tinyjpg_jpeg_refine(kept, pixels) || tinyjpg_jpeg_show(kept, outcome->shown)) {
        return 0;
    }
    free(outcome->file);
    outcome->file = written(kept, attempt->is_progressive, &outcome->size);
    return outcome->file != NULL;
}

/* Returns whether the picture, kept and streamed in strips, came out as the same sound file. */
static int encode(const struct attempt *attempt, const uint8_t *given, size_t count,
                  struct outcome *outcome)
{
    uint8_t *pixels = picture(attempt, given, count);
    size_t row = attempt->width * (attempt->subsampling ? 3 : 1);
    tinyjpg_jpeg *kept = tinyjpg_jpeg_new(attempt->width, attempt->height, attempt->subsampling,
                                          attempt->averaging);
    int fine = kept && tinyjpg_jpeg_push(kept, pixels, attempt->height) == 0 &&
               tinyjpg_jpeg_push(kept, pixels, 1) == -1 && tinyjpg_jpeg_missing(kept) == 0 &&
               tinyjpg_jpeg_plan(kept, attempt->scale, attempt->effort, attempt->tables) == 0;
    if (fine) {
        outcome->shown_size = row * attempt->height;
        outcome->shown = owned(outcome->shown_size);
        fine = tinyjpg_jpeg_show(kept, outcome->shown) == 0;
    }
    tinyjpg_jpeg *stream = fine ? tinyjpg_jpeg_stream(attempt->width, attempt->height, kept,
                                                      attempt->is_progressive)
                                : NULL;
    for (size_t y = 0; stream && y < attempt->height; y += 5) {
        size_t rows = attempt->height - y < 5 ? attempt->height - y : 5;
        /* A strip of its own, so that reading on is noticed. */
        uint8_t *strip = owned(rows * row);
        memcpy(strip, pixels + y * row, rows * row);
        fine = fine && tinyjpg_jpeg_push(stream, strip, rows) == 0;
        free(strip);
    }
    size_t size = 0, other = 0;
    uint8_t *file = fine ? written(kept, attempt->is_progressive, &size) : NULL;
    uint8_t *streamed = fine && stream ? written(stream, attempt->is_progressive, &other) : NULL;
    fine = file && streamed && size == other && memcmp(file, streamed, size) == 0 && size > 4 &&
           file[0] == 0xFF && file[1] == 0xD8 && file[size - 2] == 0xFF && file[size - 1] == 0xD9;
    free(streamed);
    outcome->file = file;
    outcome->size = size;
    fine = fine && (attempt->effort < 9 || refine(kept, attempt, pixels, outcome));
    tinyjpg_jpeg_free(stream);
    tinyjpg_jpeg_free(kept);
    free(pixels);
    return fine;
}

#ifdef FUZZ

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int is_same(const struct outcome *a, const struct outcome *b)
{
    return a->size == b->size && memcmp(a->file, b->file, a->size) == 0 &&
           a->shown_size == b->shown_size && memcmp(a->shown, b->shown, a->shown_size) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 9) {
        return 0;
    }
    const struct attempt attempt = {
        .width = 1 + data[0] % 80u,
        .height = 1 + data[1] % 80u,
        .subsampling = data[2] % 4,
        .effort = 1 + data[3] % 9,
        .is_progressive = data[4] % 2,
        .tables = data[4] / 2 % 2,
        .averaging = data[4] / 4 % 2,
        .scale = 1 + ((uint32_t)data[5] << (data[6] % 13)),
        .content = (enum content)(data[7] % CONTENTS),
    };
    struct outcome first = {0};
    const char *name;
    for (int i = 0; (name = tinyjpg_available_instruction_set(i)); i++) {
        struct outcome outcome = {0};
        if (tinyjpg_force_instruction_set(name) ||
            !encode(&attempt, data + 8, size - 8, &outcome) ||
            (i && !is_same(&first, &outcome))) {
            abort();
        }
        if (i == 0) {
            first = outcome;
        } else {
            forget(&outcome);
        }
    }
#ifdef DECODE
    if (!decodes_to(first.file, first.size, first.shown, first.shown_size)) {
        abort();
    }
#endif
    forget(&first);
    return 0;
}

#else

static int failures;

static void check(const struct attempt *attempt, const uint8_t *given, size_t count)
{
    struct outcome outcome = {0};
    if (!encode(attempt, given, count, &outcome)) {
        fprintf(stderr, "%zu x %zu, subsampling %d, scale %u, effort %d\n", attempt->width,
                attempt->height, attempt->subsampling, attempt->scale, attempt->effort);
        failures++;
    }
    forget(&outcome);
}

static void check_sizes(const uint8_t *noise, size_t count)
{
    static const size_t sides[] = {1, 2, 3, 5, 8, 15, 16, 17, 33, 64};
    static const uint32_t scales[] = {1, 64, 65, 1100, 1 << 20};
    const size_t number = sizeof sides / sizeof *sides;
    uint32_t turn = 0;
    for (size_t i = 0; i < number; i++) {
        for (size_t j = 0; j < number; j++) {
            for (int subsampling = 0; subsampling < 4; subsampling++, turn++) {
                const struct attempt attempt = {.width = sides[i],
                                                .height = sides[j],
                                                .subsampling = subsampling,
                                                .effort = turn % 3 == 0 ? 1 : turn % 8 == 1 ? 9 : 5,
                                                .is_progressive = turn % 2 != 0,
                                                .tables = turn % 7 < 3,
                                                .averaging = turn % 5 < 2,
                                                .scale = scales[turn % 5],
                                                .content = (enum content)(turn % CONTENTS)};
                check(&attempt, noise, count);
            }
        }
    }
}

/* All levels as large as can be, runs as long as can be, one symbol only. */
static void check_extremes(void)
{
    static const uint8_t patterns[][4] = {{0, 0, 0, 0}, {255, 255, 255, 255}, {0, 255, 0, 255},
                                          {255, 0, 0, 255}, {0, 0, 255, 255}};
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        for (int subsampling = 0; subsampling < 4; subsampling++) {
            for (size_t count = 1; count <= 4; count++) {
                const struct attempt fine = {70, 50, subsampling, 1, 5, 1, 1, 1, REPEATED};
                const struct attempt coarse = {70, 50, subsampling, 0, 5, 1, 0, 1 << 20,
                                               REPEATED};
                check(&fine, patterns[i], count);
                check(&coarse, patterns[i], count);
            }
        }
    }
    /* An end-of-band run of more blocks than one symbol can say. */
    const struct attempt long_run = {65500, 41, 0, 0, 5, 0, 1, 1100, REPEATED};
    check(&long_run, patterns[0], 1);
}

static void check_refusals(void)
{
    const size_t sizes[][2] = {{0, 1}, {1, 0}, {65501, 1}, {1, 65501}, {SIZE_MAX, SIZE_MAX}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        failures += tinyjpg_jpeg_new(sizes[i][0], sizes[i][1], 3, 0) != NULL;
    }
    failures += tinyjpg_jpeg_new(8, 8, -1, 0) != NULL;
    failures += tinyjpg_jpeg_new(8, 8, 4, 0) != NULL;
    tinyjpg_jpeg_free(NULL);
}

int main(void)
{
    enum { COUNT = 64 * 64 * 3 };
    uint8_t *noise = owned(COUNT);
    uint32_t seed = 1;
    for (size_t i = 0; i < COUNT; i++) {
        seed = seed * 1664525u + 1013904223u;
        noise[i] = (uint8_t)(seed >> 24);
    }
    const char *name;
    for (int i = 0; (name = tinyjpg_available_instruction_set(i)); i++) {
        failures += tinyjpg_force_instruction_set(name) != 0;
        check_sizes(noise, COUNT);
        check_extremes();
    }
    check_refusals();
    free(noise);
    if (failures == 0) {
        puts("clean");
    }
    return failures != 0;
}

#endif
