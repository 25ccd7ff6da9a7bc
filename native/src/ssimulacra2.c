/* The metric as Python sees it. */
#include "ssimulacra2.h"

#include <stdlib.h>

#include "../cdef.h"
#include "ssimulacra2_gradient.h"

struct tinyjpg_reference {
    size_t width, height;
    double background;
    /* The same for preparing and scoring: only so do identical images score exactly 100. */
    const struct row_kernels *kernels;
    struct plan plan;
    struct cached_planes cached;
    float *memory;
};

struct tinyjpg_comparison {
    struct stream *stream;
};

static void lay_out_cache(tinyjpg_reference *reference, struct arena *arena)
{
    size_t width = reference->width;
    size_t height = reference->height;
    for (int scale = 0; scale < reference->plan.scales; scale++) {
        for (int channel = 0; channel < CHANNELS; channel++) {
            if (reference->plan.planes[scale][channel].measures) {
                reference->cached.image[scale][channel] = arena_take(arena, width * height);
            }
        }
        width = (width + 1) / 2;
        height = (height + 1) / 2;
    }
}

/* Lets an image of the reference's size pass. Returns 0, or -1 when memory runs out. */
static int pass(const tinyjpg_reference *reference, enum comparison comparison,
                const struct rows rows[SIDES], double *score)
{
    struct stream *stream =
        stream_new(&reference->plan, reference->kernels, comparison, reference->width,
                   reference->height, reference->background, &reference->cached);
    if (!stream) {
        return -1;
    }
    stream_push(stream, rows, reference->height);
    if (comparison == AGAINST_CACHE) {
        *score = stream_finish(stream);
    }
    stream_free(stream);
    return 0;
}

tinyjpg_reference *tinyjpg_reference_new(const uint8_t *pixels, int bands, size_t width,
                                         size_t height, double background)
{
    if (!is_size(width, height)) {
        return NULL;
    }
    tinyjpg_reference *reference = calloc(1, sizeof *reference);
    if (!reference) {
        return NULL;
    }
    reference->width = width;
    reference->height = height;
    reference->background = background;
    reference->kernels = row_kernels();
    reference->plan = plan_for(width, height);
    struct arena arena = {NULL, 0};
    lay_out_cache(reference, &arena);
    /* Not cleared: every sample is written below. */
    arena.base = reference->memory = malloc(arena.used * sizeof *arena.base);
    if (!arena.base) {
        free(reference);
        return NULL;
    }
    arena.used = 0;
    lay_out_cache(reference, &arena);
    const struct rows rows[SIDES] = {{pixels, bands}, {NULL, 0}};
    if (pass(reference, PREPARE, rows, NULL)) {
        tinyjpg_reference_free(reference);
        return NULL;
    }
    return reference;
}

void tinyjpg_reference_free(tinyjpg_reference *reference)
{
    if (reference) {
        free(reference->memory);
        free(reference);
    }
}

int tinyjpg_reference_score(const tinyjpg_reference *reference, const uint8_t *pixels, int bands,
                            double *score)
{
    const struct rows rows[SIDES] = {{NULL, 0}, {pixels, bands}};
    return pass(reference, AGAINST_CACHE, rows, score);
}

int tinyjpg_gradient(const uint8_t *original, const uint8_t *distorted, int bands, size_t width,
                     size_t height, float *gradient)
{
    size_t count = width * height;
    float *const out[CHANNELS] = {gradient, gradient + count, gradient + 2 * count};
    return is_size(width, height)
               ? gradient_of_sum(original, distorted, bands, width, height, out)
               : -1;
}

tinyjpg_comparison *tinyjpg_comparison_new(size_t width, size_t height, double background)
{
    if (!is_size(width, height)) {
        return NULL;
    }
    tinyjpg_comparison *comparison = calloc(1, sizeof *comparison);
    if (!comparison) {
        return NULL;
    }
    struct plan plan = plan_for(width, height);
    comparison->stream = stream_new(&plan, row_kernels(), PAIR, width, height, background, NULL);
    if (!comparison->stream) {
        free(comparison);
        return NULL;
    }
    return comparison;
}

void tinyjpg_comparison_free(tinyjpg_comparison *comparison)
{
    if (comparison) {
        stream_free(comparison->stream);
        free(comparison);
    }
}

size_t tinyjpg_comparison_missing(const tinyjpg_comparison *comparison)
{
    return stream_missing(comparison->stream);
}

int tinyjpg_comparison_push(tinyjpg_comparison *comparison, const uint8_t *original,
                            int original_bands, const uint8_t *distorted, int distorted_bands,
                            size_t rows)
{
    if (rows > stream_missing(comparison->stream)) {
        return -1;
    }
    const struct rows sides[SIDES] = {{original, original_bands}, {distorted, distorted_bands}};
    stream_push(comparison->stream, sides, rows);
    return 0;
}

int tinyjpg_comparison_finish(tinyjpg_comparison *comparison, double *score)
{
    if (stream_missing(comparison->stream)) {
        return -1;
    }
    *score = stream_finish(comparison->stream);
    return 0;
}
