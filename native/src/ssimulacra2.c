/*
 * Drives the metric: rows of both images stream from the finest scale to the coarsest, each scale
 * halving what the one before hands on, so that only a few rows of each are in memory.
 */
#include "ssimulacra2.h"

#include <math.h>
#include <stdlib.h>

#include "../cdef.h"

struct tinyjpg_reference {
    size_t width, height;
    float background;
    struct plan plan;
    struct cached_plane planes[SCALES][CHANNELS];
    float *memory;
};

enum { ORIGINAL_SIDE, DISTORTED_SIDE, SIDES };

struct image {
    const uint8_t *pixels;
    int bands;
};

/* One scale of one image on its way down. */
struct stage {
    /* The current row, linear light. */
    float *rgb[3];
    /* Sums of horizontal pairs of the even row before. */
    float *half[3];
};

struct stream {
    struct plan plan;
    enum comparison comparison;
    size_t widths[SCALES], heights[SCALES];
    struct stage stages[SIDES][SCALES];
    struct plane planes[SCALES][CHANNELS];
    /* Y of a scale of which only other channels count; sums of an odd row. */
    float *scratch;
    float *memory;
};

static int uses_side(const struct stream *stream, int side)
{
    return stream->comparison == PAIR ||
           (stream->comparison == PREPARE) == (side == ORIGINAL_SIDE);
}

static void lay_out(struct stream *stream, struct arena *arena)
{
    for (int scale = 0; scale < stream->plan.scales; scale++) {
        size_t width = stream->widths[scale];
        for (int side = 0; side < SIDES; side++) {
            struct stage *stage = &stream->stages[side][scale];
            for (int i = 0; i < 3 && uses_side(stream, side); i++) {
                stage->rgb[i] = arena_take(arena, width);
                stage->half[i] = arena_take(arena, (width + 1) / 2);
            }
        }
        for (int channel = 0; channel < CHANNELS; channel++) {
            if (stream->planes[scale][channel].measures) {
                plane_prepare(&stream->planes[scale][channel], arena);
            }
        }
    }
    stream->scratch = arena_take(arena, stream->widths[0]);
}

/* False when memory runs out. */
static int stream_open(struct stream *stream, const struct plan *plan, enum comparison comparison,
                       size_t width, size_t height,
                       const struct cached_plane (*cached)[CHANNELS])
{
    stream->plan = *plan;
    stream->comparison = comparison;
    for (int scale = 0; scale < plan->scales; scale++) {
        stream->widths[scale] = width;
        stream->heights[scale] = height;
        for (int channel = 0; channel < CHANNELS; channel++) {
            struct plane *plane = &stream->planes[scale][channel];
            plane->width = width;
            plane->height = height;
            plane->comparison = comparison;
            plane->measures = plan->planes[scale][channel].measures;
            plane->cached = cached ? &cached[scale][channel] : NULL;
        }
        width = (width + 1) / 2;
        height = (height + 1) / 2;
    }
    struct arena arena = {NULL, 0};
    lay_out(stream, &arena);
    arena.base = stream->memory = calloc(arena.used, sizeof *arena.base);
    if (!arena.base) {
        return 0;
    }
    arena.used = 0;
    lay_out(stream, &arena);
    return 1;
}

static float *slot(struct stream *stream, int side, int scale, int channel)
{
    struct plane *plane = &stream->planes[scale][channel];
    if (!plane->measures) {
        return NULL;
    }
    return side == ORIGINAL_SIDE ? plane_original_slot(plane) : plane_distorted_slot(plane);
}

/* The current row of one image at `scale` to the slots of its planes. */
static void convert(struct stream *stream, int side, int scale)
{
    float *luminance = slot(stream, side, scale, Y);
    xyb_rows(stream->stages[side][scale].rgb, stream->widths[scale],
             slot(stream, side, scale, X), luminance ? luminance : stream->scratch,
             slot(stream, side, scale, B));
}

/* Hands row `y` of `scale` on to the next scale; true when a row of that is complete. */
static int halve(struct stream *stream, int side, int scale, size_t y)
{
    struct stage *stage = &stream->stages[side][scale];
    size_t width = stream->widths[scale];
    size_t halved = (width + 1) / 2;
    int odd = y % 2 == 1;
    int last = y + 1 == stream->heights[scale];
    for (int i = 0; i < 3; i++) {
        pair_sums(stage->rgb[i], width, odd ? stream->scratch : stage->half[i]);
        if (odd || last) {
            const float *restrict upper = stage->half[i];
            const float *lower = odd ? stream->scratch : upper;
            float *restrict out = stream->stages[side][scale + 1].rgb[i];
            for (size_t x = 0; x < halved; x++) {
                out[x] = .25f * (upper[x] + lower[x]);
            }
        }
    }
    return odd || last;
}

/* Takes in row `y` of `scale`, already in the stages, and all that follows from it below. */
static void push(struct stream *stream, int scale, size_t y)
{
    for (int ready = 1; ready; scale++, y /= 2) {
        for (int side = 0; side < SIDES; side++) {
            if (uses_side(stream, side)) {
                convert(stream, side, scale);
            }
        }
        for (int channel = 0; channel < CHANNELS; channel++) {
            if (stream->planes[scale][channel].measures) {
                plane_push(&stream->planes[scale][channel]);
            }
        }
        ready = 0;
        for (int side = 0; side < SIDES && scale + 1 < stream->plan.scales; side++) {
            if (uses_side(stream, side)) {
                ready = halve(stream, side, scale, y);
            }
        }
    }
}

/* `images` by side; only those in use are looked at. */
static void run(struct stream *stream, const struct image images[SIDES], float background)
{
    size_t width = stream->widths[0];
    for (size_t y = 0; y < stream->heights[0]; y++) {
        for (int side = 0; side < SIDES; side++) {
            if (uses_side(stream, side)) {
                const struct image *image = &images[side];
                linear_rows(image->pixels + y * width * (size_t)image->bands, image->bands, width,
                            background, stream->stages[side][0].rgb);
            }
        }
        push(stream, 0, y);
    }
    for (int scale = 0; scale < stream->plan.scales; scale++) {
        for (int channel = 0; channel < CHANNELS; channel++) {
            if (stream->planes[scale][channel].measures) {
                plane_finish(&stream->planes[scale][channel]);
            }
        }
    }
}

static double score(const struct stream *stream)
{
    double sum = 0.0;
    for (int scale = 0; scale < stream->plan.scales; scale++) {
        double pixels = (double)stream->widths[scale] * (double)stream->heights[scale];
        for (int channel = 0; channel < CHANNELS; channel++) {
            const struct plane *plane = &stream->planes[scale][channel];
            const double *weight = stream->plan.planes[scale][channel].weight;
            for (int measure = 0; measure < MEASURES; measure++) {
                double mean = plane->total[measure] / pixels;
                sum += weight[measure] * (measure < SSIM_L4 ? mean : sqrt(sqrt(mean)));
            }
        }
    }
    return score_from_sum(sum);
}

/* Whether sizes in bytes of anything made from such an image fit a size_t. */
static int is_size(size_t width, size_t height)
{
    return width >= SMALLEST_SIDE && height >= SMALLEST_SIDE && width <= SIZE_MAX / 4096 &&
           height <= SIZE_MAX / 64 / width;
}

/* A stream is some kilobytes, more than a small stack may spare, so it lives on the heap. */
static int compare(const struct plan *plan, enum comparison comparison, size_t width,
                   size_t height, const struct cached_plane (*cached)[CHANNELS],
                   const struct image images[SIDES], float background, double *result)
{
    struct stream *stream = calloc(1, sizeof *stream);
    if (!stream) {
        return -1;
    }
    int opened = stream_open(stream, plan, comparison, width, height, cached);
    if (opened) {
        run(stream, images, background);
        *result = score(stream);
        free(stream->memory);
    }
    free(stream);
    return opened ? 0 : -1;
}

static void lay_out_cache(tinyjpg_reference *reference, struct arena *arena)
{
    size_t width = reference->width;
    size_t height = reference->height;
    for (int scale = 0; scale < reference->plan.scales; scale++) {
        for (int channel = 0; channel < CHANNELS; channel++) {
            if (reference->plan.planes[scale][channel].measures) {
                struct cached_plane *plane = &reference->planes[scale][channel];
                plane->image = arena_take(arena, width * height);
                plane->mean = arena_take(arena, width * height);
                plane->square = arena_take(arena, width * height);
            }
        }
        width = (width + 1) / 2;
        height = (height + 1) / 2;
    }
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
    reference->background = (float)(255.0 * background);
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
    const struct image images[SIDES] = {{pixels, bands}, {NULL, 0}};
    double nothing_compared;
    if (compare(&reference->plan, PREPARE, width, height, reference->planes, images,
                reference->background, &nothing_compared)) {
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
    const struct image images[SIDES] = {{NULL, 0}, {pixels, bands}};
    return compare(&reference->plan, AGAINST_CACHE, reference->width, reference->height,
                   reference->planes, images, reference->background, score);
}

int tinyjpg_ssimulacra2(const uint8_t *original, int original_bands, const uint8_t *distorted,
                        int distorted_bands, size_t width, size_t height, double background,
                        double *score)
{
    if (!is_size(width, height)) {
        return -1;
    }
    struct plan plan = plan_for(width, height);
    const struct image images[SIDES] = {{original, original_bands}, {distorted, distorted_bands}};
    return compare(&plan, PAIR, width, height, NULL, images, (float)(255.0 * background), score);
}
