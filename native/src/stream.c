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
    /* The current STRIP of XYB, by side and channel. */
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
            stream->xyb[side][channel] = arena_take(arena, STRIP);
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

static int counts(const struct stream *stream, int scale, int channel)
{
    return stream->plan.planes[scale][channel].measures != 0;
}

/* Where XYB of a strip of row `y` belongs. */
static float *xyb_strip(const struct stream *stream, int side, int scale, int channel, size_t y,
                        size_t first)
{
    if (side == ORIGINAL && stream->cached && counts(stream, scale, channel)) {
        return stream->cached->image[scale][channel] + y * stream->scales[scale].width + first;
    }
    return stream->xyb[side][channel];
}

/* Linear light of a strip of row `y` to XYB, and on to the planes. */
static void convert(struct stream *stream, int scale, size_t y, size_t first, size_t count)
{
    float *xyb[SIDES][CHANNELS];
    for (int side = 0; side < SIDES; side++) {
        float **rgb = stream->scales[scale].rgb[side][y % 2];
        for (int channel = 0; channel < CHANNELS; channel++) {
            xyb[side][channel] = xyb_strip(stream, side, scale, channel, y, first);
        }
        if (uses_side(stream, side)) {
            float *const from[3] = {rgb[0] + first, rgb[1] + first, rgb[2] + first};
            stream->kernels->xyb_rows(from, count,
                                      counts(stream, scale, X) ? xyb[side][X] : NULL, xyb[side][Y],
                                      counts(stream, scale, B) ? xyb[side][B] : NULL);
        }
    }
    for (int channel = 0; channel < CHANNELS && stream->comparison != PREPARE; channel++) {
        if (counts(stream, scale, channel)) {
            plane_write(&stream->scales[scale].planes[channel], xyb[ORIGINAL][channel],
                        xyb[DISTORTED][channel], first, count);
        }
    }
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

static void linearise(struct stream *stream, const struct rows *rows, int side, size_t y,
                      size_t first, size_t count)
{
    float **rgb = stream->scales[0].rgb[side][y % 2];
    float *const to[3] = {rgb[0] + first, rgb[1] + first, rgb[2] + first};
    stream->kernels->linear_rows(rows->pixels + first * (size_t)rows->bands, rows->bands, count,
                                 stream->background, to);
}

/* Takes in one row of the finest scale, and all that follows from it below. */
static void push_row(struct stream *stream, const struct rows rows[SIDES])
{
    size_t y = stream->pushed++;
    for (int scale = 0; scale < stream->plan.scales; scale++, y /= 2) {
        size_t width = stream->scales[scale].width;
        for (size_t first = 0; first < width; first += STRIP) {
            size_t count = width - first < STRIP ? width - first : STRIP;
            for (int side = 0; side < SIDES && scale == 0; side++) {
                if (uses_side(stream, side)) {
                    linearise(stream, &rows[side], side, y, first, count);
                }
            }
            convert(stream, scale, y, first, count);
        }
        for (int channel = 0; channel < CHANNELS && stream->comparison != PREPARE; channel++) {
            if (counts(stream, scale, channel)) {
                plane_push(&stream->scales[scale].planes[channel]);
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
    struct rows next[SIDES] = {rows[ORIGINAL], rows[DISTORTED]};
    for (size_t row = 0; row < count; row++) {
        push_row(stream, next);
        for (int side = 0; side < SIDES; side++) {
            if (uses_side(stream, side)) {
                next[side].pixels += width * (size_t)next[side].bands;
            }
        }
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
