/*
 * Rows of one or both images stream from the finest scale to the coarsest, each scale halving what
 * the one before hands on, so that only a few rows of each are in memory.
 */
#include <math.h>
#include <stdlib.h>

#include "ssimulacra2.h"

struct scale {
    size_t width, height;
    /* The last even and the last odd row of linear light, by side, parity and primary. */
    float *rgb[SIDES][2][3];
    struct plane planes[CHANNELS];
};

struct stream {
    struct plan plan;
    const struct row_kernels *kernels;
    enum comparison comparison;
    /* Code value, 0 to 255. */
    float background;
    size_t pushed;
    const struct cached_planes *cached;
    struct scale scales[SCALES];
    /* The current row of XYB, by side and channel. */
    float *xyb[SIDES][CHANNELS];
    float *memory;
};

static int uses_side(const struct stream *stream, int side)
{
    return stream->comparison == PAIR ||
           (stream->comparison == PREPARE) == (side == ORIGINAL);
}

static void lay_out(struct stream *stream, struct arena *arena)
{
    for (int side = 0; side < SIDES; side++) {
        if (!uses_side(stream, side)) {
            continue;
        }
        for (int scale = 0; scale < stream->plan.scales; scale++) {
            for (int parity = 0; parity < 2; parity++) {
                for (int i = 0; i < 3; i++) {
                    stream->scales[scale].rgb[side][parity][i] =
                        arena_take(arena, stream->scales[scale].width);
                }
            }
        }
        for (int channel = 0; channel < CHANNELS; channel++) {
            stream->xyb[side][channel] = arena_take(arena, stream->scales[0].width);
        }
    }
    for (int scale = 0; scale < stream->plan.scales && stream->comparison != PREPARE; scale++) {
        for (int channel = 0; channel < CHANNELS; channel++) {
            if (stream->plan.planes[scale][channel].measures) {
                plane_prepare(&stream->scales[scale].planes[channel], arena);
            }
        }
    }
}

int is_size(size_t width, size_t height)
{
    return width >= SMALLEST_SIDE && height >= SMALLEST_SIDE && width <= SIZE_MAX / 4096 &&
           height <= SIZE_MAX / 64 / width;
}

struct stream *stream_new(const struct plan *plan, const struct row_kernels *kernels,
                          enum comparison comparison, size_t width, size_t height,
                          double background, const struct cached_planes *cached)
{
    struct stream *stream = calloc(1, sizeof *stream);
    if (!stream) {
        return NULL;
    }
    stream->plan = *plan;
    stream->kernels = kernels;
    stream->comparison = comparison;
    stream->background = (float)(255.0 * background);
    stream->cached = cached;
    for (int i = 0; i < plan->scales; i++) {
        struct scale *scale = &stream->scales[i];
        scale->width = width;
        scale->height = height;
        for (int channel = 0; channel < CHANNELS; channel++) {
            struct plane *plane = &scale->planes[channel];
            plane->kernels = kernels;
            plane->width = width;
            plane->height = height;
            plane->measures = plan->planes[i][channel].measures;
        }
        width = (width + 1) / 2;
        height = (height + 1) / 2;
    }
    struct arena arena = {NULL, 0};
    lay_out(stream, &arena);
    arena.base = stream->memory = calloc(arena.used, sizeof *arena.base);
    if (!arena.base) {
        free(stream);
        return NULL;
    }
    arena.used = 0;
    lay_out(stream, &arena);
    return stream;
}

void stream_free(struct stream *stream)
{
    if (stream) {
        free(stream->memory);
        free(stream);
    }
}

/* Where row `y` of a channel that counts lies in XYB. */
static float *xyb_row(const struct stream *stream, int side, int scale, int channel, size_t y)
{
    if (side == ORIGINAL && stream->cached) {
        return stream->cached->image[scale][channel] + y * stream->scales[scale].width;
    }
    return stream->xyb[side][channel];
}

static void convert(struct stream *stream, int side, int scale, size_t y)
{
    float *rows[CHANNELS];
    for (int channel = 0; channel < CHANNELS; channel++) {
        int counts = stream->plan.planes[scale][channel].measures != 0;
        rows[channel] = counts ? xyb_row(stream, side, scale, channel, y) : NULL;
    }
    /* The other channels are made from Y. */
    if (!rows[Y]) {
        rows[Y] = stream->xyb[side][Y];
    }
    stream->kernels->xyb_rows(stream->scales[scale].rgb[side][y % 2], stream->scales[scale].width,
                              rows[X], rows[Y], rows[B]);
}

/* Hands the rows around `y` on to the next scale. */
static void halve(struct stream *stream, int side, int scale, size_t y)
{
    float *(*rgb)[3] = stream->scales[scale].rgb[side];
    float **out = stream->scales[scale + 1].rgb[side][y / 2 % 2];
    for (int i = 0; i < 3; i++) {
        /* The last row is repeated where the height is odd. */
        stream->kernels->halve_rows(rgb[0][i], rgb[y % 2][i], stream->scales[scale].width, out[i]);
    }
}

/* Takes in row `y` of the finest scale, already there in linear light, and all that follows. */
static void descend(struct stream *stream, size_t y)
{
    for (int scale = 0; scale < stream->plan.scales; scale++, y /= 2) {
        for (int side = 0; side < SIDES; side++) {
            if (uses_side(stream, side)) {
                convert(stream, side, scale, y);
            }
        }
        for (int channel = 0; channel < CHANNELS && stream->comparison != PREPARE; channel++) {
            if (stream->plan.planes[scale][channel].measures) {
                plane_push(&stream->scales[scale].planes[channel],
                           xyb_row(stream, ORIGINAL, scale, channel, y),
                           xyb_row(stream, DISTORTED, scale, channel, y));
            }
        }
        int complete = y % 2 == 1 || y + 1 == stream->scales[scale].height;
        if (!complete || scale + 1 == stream->plan.scales) {
            return;
        }
        for (int side = 0; side < SIDES; side++) {
            if (uses_side(stream, side)) {
                halve(stream, side, scale, y);
            }
        }
    }
}

void stream_push(struct stream *stream, const struct rows rows[SIDES], size_t count)
{
    size_t width = stream->scales[0].width;
    for (size_t row = 0; row < count; row++) {
        size_t y = stream->pushed++;
        for (int side = 0; side < SIDES; side++) {
            if (uses_side(stream, side)) {
                int bands = rows[side].bands;
                stream->kernels->linear_rows(rows[side].pixels + row * width * (size_t)bands, bands,
                                             width, stream->background,
                                             stream->scales[0].rgb[side][y % 2]);
            }
        }
        descend(stream, y);
    }
}

size_t stream_missing(const struct stream *stream)
{
    return stream->scales[0].height - stream->pushed;
}

double stream_finish(struct stream *stream)
{
    double sum = 0.0;
    for (int i = 0; i < stream->plan.scales; i++) {
        struct scale *scale = &stream->scales[i];
        double pixels = (double)scale->width * (double)scale->height;
        for (int channel = 0; channel < CHANNELS; channel++) {
            struct plane *plane = &scale->planes[channel];
            if (!plane->measures) {
                continue;
            }
            plane_finish(plane);
            for (int measure = 0; measure < MEASURES; measure++) {
                double mean = plane->total[measure] / pixels;
                double norm = measure < SSIM_L4 ? mean : sqrt(sqrt(mean));
                sum += stream->plan.planes[i][channel].weight[measure] * norm;
            }
        }
    }
    return score_from_sum(sum);
}
