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

static void check(size_t width, size_t height, int bands, int other_bands, double background)
{
    uint8_t *original = image(width, height, bands, 1);
    uint8_t *distorted = image(width, height, other_bands, 2);
    double pair = NAN, cached = NAN, same = NAN;
    expect(tinyjpg_ssimulacra2(original, bands, distorted, other_bands, width, height, background,
                               &pair) == 0,
           "the pair is not scored", width, height);
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

static void check_refusals(void)
{
    uint8_t pixels[64 * 3] = {0};
    double score;
    const size_t sizes[][2] = {{0, 0}, {7, 8}, {8, 7}, {SIZE_MAX, 8}, {8, SIZE_MAX},
                               {SIZE_MAX / 16, SIZE_MAX / 16}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t width = sizes[i][0], height = sizes[i][1];
        expect(tinyjpg_reference_new(pixels, 3, width, height, 0) == NULL, "is accepted", width,
               height);
        expect(tinyjpg_ssimulacra2(pixels, 3, pixels, 3, width, height, 0, &score) == -1,
               "is scored", width, height);
    }
    tinyjpg_reference_free(NULL);
}

int main(void)
{
    /* Around the smallest size, the filter's reach, powers of two and the tile of 256 columns. */
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
    check_refusals();
    if (failures == 0) {
        puts("clean");
    }
    return failures != 0;
}
