/*
 * Runs every function over sizes around each boundary in the code, for a build with sanitizers:
 * they find what is out of bounds or undefined. Checks only what holds without knowing the scores.
 */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../cdef.h"
#include "../src/ssimulacra2.h"

static int failures;

static void expect(int holds, const char *what, size_t width, size_t height)
{
    if (!holds) {
        fprintf(stderr, "%zu x %zu: %s\n", width, height, what);
        failures++;
    }
}

/* Exactly as many bytes as the image has, so that one too many is found. */
static uint8_t *image(size_t width, size_t height, int bands, uint32_t seed)
{
    size_t size = width * height * (size_t)bands;
    uint8_t *pixels = malloc(size);
    if (!pixels) {
        abort();
    }
    for (size_t i = 0; i < size; i++) {
        seed = seed * 1664525u + 1013904223u;
        pixels[i] = (uint8_t)(seed >> 24);
    }
    return pixels;
}

/* The score of a pair that comes in strips of some rows. */
static double score_pair(const uint8_t *original, int bands, const uint8_t *distorted,
                         int other_bands, size_t width, size_t height, double background,
                         size_t strip)
{
    double score = NAN;
    tinyjpg_comparison *comparison = tinyjpg_comparison_new(width, height, background);
    expect(comparison != NULL, "no comparison is made", width, height);
    if (!comparison) {
        return NAN;
    }
    for (size_t y = 0; y < height; y += strip) {
        size_t rows = height - y < strip ? height - y : strip;
        expect(tinyjpg_comparison_finish(comparison, &score) == -1, "finishes early", width,
               height);
        expect(tinyjpg_comparison_missing(comparison) == height - y, "miscounts", width, height);
        expect(tinyjpg_comparison_push(comparison, original + y * width * (size_t)bands, bands,
                                       distorted + y * width * (size_t)other_bands, other_bands,
                                       rows) == 0,
               "rows are refused", width, height);
    }
    expect(tinyjpg_comparison_push(comparison, original, bands, distorted, other_bands, 1) == -1,
           "takes too many rows", width, height);
    expect(tinyjpg_comparison_finish(comparison, &score) == 0, "the pair is not scored", width,
           height);
    tinyjpg_comparison_free(comparison);
    return score;
}

static void check(size_t width, size_t height, int bands, int other_bands, double background)
{
    uint8_t *original = image(width, height, bands, 1);
    uint8_t *distorted = image(width, height, other_bands, 2);
    double cached = NAN, same = NAN;
    double pair = score_pair(original, bands, distorted, other_bands, width, height, background,
                             height);
    double strips = score_pair(original, bands, distorted, other_bands, width, height, background,
                               5);
    expect(strips == pair, "strips make a difference", width, height);
    tinyjpg_reference *reference =
        tinyjpg_reference_new(original, bands, width, height, background);
    expect(reference != NULL, "no reference is made", width, height);
    if (reference) {
        expect(tinyjpg_reference_score(reference, distorted, other_bands, &cached) == 0,
               "the cached reference scores nothing", width, height);
        expect(tinyjpg_reference_score(reference, original, bands, &same) == 0,
               "the original is not scored", width, height);
    }
    expect(same == 100.0, "the original does not score 100", width, height);
    expect(pair < 100.0 && fabs(pair - cached) < .01 + 1e-4 * fabs(pair),
           "cached and pair scores differ", width, height);
    tinyjpg_reference_free(reference);
    free(original);
    free(distorted);
}

static void check_smoothing(size_t width, size_t height, int bands, int count, uint32_t tolerance)
{
    uint8_t *pixels = image(width, height, bands, 3);
    uint8_t *colours = image((size_t)count, 1, 4, 4);
    uint8_t *indices = image(width, height, 1, 5);
    for (size_t i = 0; i < width * height; i++) {
        indices[i] = (uint8_t)(indices[i] % count);
    }
    size_t changed = tinyjpg_smooth_indices(pixels, bands, width, height, colours, count, tolerance,
                                            indices);
    expect(changed < width * height, "the first pixel is smoothed too", width, height);
    for (size_t i = 0; i < width * height; i++) {
        expect(indices[i] < count, "an index is no colour's", width, height);
    }
    free(pixels);
    free(colours);
    free(indices);
}

static void check_refusals(void)
{
    uint8_t pixels[64 * 3] = {0};
    const size_t sizes[][2] = {{0, 0}, {7, 8}, {8, 7}, {SIZE_MAX, 8}, {8, SIZE_MAX},
                               {SIZE_MAX / 16, SIZE_MAX / 16}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t width = sizes[i][0], height = sizes[i][1];
        expect(tinyjpg_reference_new(pixels, 3, width, height, 0) == NULL, "is accepted", width,
               height);
        expect(tinyjpg_comparison_new(width, height, 0) == NULL, "is compared", width, height);
    }
    tinyjpg_reference_free(NULL);
    tinyjpg_comparison_free(NULL);
}

static void check_sizes(void)
{
    /* Around the smallest size, the filter's reach, powers of two and the tile of columns. */
    const size_t sides[] = {8, 9, 15, 16, 17, 33, 113, 256, 257};
    const size_t count = sizeof sides / sizeof *sides;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            check(sides[i], sides[j], 3, 3, 0);
        }
    }
    for (int bands = 1; bands <= 4; bands++) {
        for (int other = 1; other <= 4; other++) {
            check(37, 21, bands, other, .1);
            check(130, 120, bands, other, 1);
        }
    }
    check(2000, 8, 3, 3, 0);
    check(8, 2000, 3, 3, 0);
}

/* Otherwise one variant would be tested several times. */
static void check_kernels(const char *name)
{
    const struct row_kernels *expected = &row_kernels_portable;
#if X86_64_TARGETS
    if (strcmp(name, "avx2") == 0) {
        expected = &row_kernels_avx2;
    } else if (strcmp(name, "avx512") == 0) {
        expected = &row_kernels_avx512;
    }
#endif
    expect(row_kernels() == expected, name, 0, 0);
}

int main(void)
{
    const char *name;
    for (int i = 0; (name = tinyjpg_available_instruction_set(i)); i++) {
        expect(tinyjpg_force_instruction_set(name) == 0, name, 0, 0);
        expect(strcmp(tinyjpg_instruction_set(), name) == 0, name, 0, 0);
        check_kernels(name);
        check_sizes();
    }
    expect(tinyjpg_force_instruction_set("none such") == -1, "is an instruction set", 0, 0);
    check_refusals();
    for (int bands = 3; bands <= 4; bands++) {
        for (int colours = 1; colours <= 256; colours += 85) {
            check_smoothing(1, 1, bands, colours, UINT32_C(1) << 31);
            check_smoothing(1, 40, bands, colours, 500);
            check_smoothing(40, 1, bands, colours, 500);
            check_smoothing(37, 21, bands, colours, UINT32_C(1) << 31);
        }
    }
    if (failures == 0) {
        puts("clean");
    }
    return failures != 0;
}
