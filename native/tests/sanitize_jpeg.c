/*
 * Encodes pictures of many sizes, kinds and settings with every instruction set, for a build with
 * sanitizers: they find what is out of bounds or undefined. All buffers are exactly as large as
 * they have to be.
 *
 * Compiled with clang -fsanitize=fuzzer,address,undefined -DFUZZ it is a target of libFuzzer
 * instead: the input says size, kind and settings, and holds the pixels.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../cdef.h"

struct attempt {
    size_t width, height;
    int subsampling, effort, is_progressive;
    uint32_t scale;
};

static void *owned(size_t size)
{
    void *made = malloc(size ? size : 1);
    if (!made) {
        abort();
    }
    return made;
}

/* Pixels of `attempt`: those given, over and over. */
static uint8_t *picture(const struct attempt *attempt, const uint8_t *given, size_t count)
{
    size_t size = attempt->width * attempt->height * (attempt->subsampling ? 3 : 1);
    uint8_t *pixels = owned(size);
    for (size_t i = 0; i < size; i++) {
        pixels[i] = count ? given[i % count] : 0;
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

/* Returns whether another file comes of the picture after a gradient pass, and is shown. */
static int refined(tinyjpg_jpeg *kept, const uint8_t *pixels, size_t count)
{
    size_t size = 0;
    uint8_t *shown = owned(count);
    int fine = tinyjpg_jpeg_refine(kept, pixels) == 0 && tinyjpg_jpeg_show(kept, shown) == 0;
    free(shown);
    uint8_t *file = fine ? written(kept, 1, &size) : NULL;
    free(file);
    return file != NULL;
}

/* Returns whether the picture, kept and streamed in strips, came out as the same sound file. */
static int encode(const struct attempt *attempt, const uint8_t *given, size_t count)
{
    uint8_t *pixels = picture(attempt, given, count);
    size_t row = attempt->width * (attempt->subsampling ? 3 : 1);
    tinyjpg_jpeg *kept = tinyjpg_jpeg_new(attempt->width, attempt->height, attempt->subsampling);
    int fine = kept && tinyjpg_jpeg_push(kept, pixels, attempt->height) == 0 &&
               tinyjpg_jpeg_push(kept, pixels, 1) == -1 && tinyjpg_jpeg_missing(kept) == 0;
    if (fine) {
        tinyjpg_jpeg_plan(kept, attempt->scale, attempt->effort);
        uint8_t *shown = owned(row * attempt->height);
        fine = tinyjpg_jpeg_show(kept, shown) == 0;
        free(shown);
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
    free(file);
    fine = fine && (attempt->effort < 9 || refined(kept, pixels, row * attempt->height));
    tinyjpg_jpeg_free(stream);
    tinyjpg_jpeg_free(kept);
    free(pixels);
    return fine;
}

#ifdef FUZZ

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 8) {
        return 0;
    }
    const struct attempt attempt = {
        .width = 1 + data[0] % 80u,
        .height = 1 + data[1] % 80u,
        .subsampling = data[2] % 4,
        .effort = 1 + data[3] % 9,
        .is_progressive = data[4] % 2,
        .scale = 1 + ((uint32_t)data[5] << (data[6] % 13)),
    };
    if (!encode(&attempt, data + 7, size - 7)) {
        abort();
    }
    return 0;
}

#else

static int failures;

static void check(const struct attempt *attempt, const uint8_t *given, size_t count)
{
    if (!encode(attempt, given, count)) {
        fprintf(stderr, "%zu x %zu, subsampling %d, scale %u, effort %d\n", attempt->width,
                attempt->height, attempt->subsampling, attempt->scale, attempt->effort);
        failures++;
    }
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
                                                .scale = scales[turn % 5]};
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
                const struct attempt fine = {70, 50, subsampling, 5, 1, 1};
                const struct attempt coarse = {70, 50, subsampling, 5, 0, 1 << 20};
                check(&fine, patterns[i], count);
                check(&coarse, patterns[i], count);
            }
        }
    }
    /* An end-of-band run of more blocks than one symbol can say. */
    const struct attempt long_run = {65500, 41, 0, 5, 1, 1100};
    check(&long_run, patterns[0], 1);
}

static void check_refusals(void)
{
    const size_t sizes[][2] = {{0, 1}, {1, 0}, {65501, 1}, {1, 65501}, {SIZE_MAX, SIZE_MAX}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        failures += tinyjpg_jpeg_new(sizes[i][0], sizes[i][1], 3) != NULL;
    }
    failures += tinyjpg_jpeg_new(8, 8, -1) != NULL;
    failures += tinyjpg_jpeg_new(8, 8, 4) != NULL;
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
