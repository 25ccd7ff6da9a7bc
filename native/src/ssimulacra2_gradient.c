/*
 * The gradient of SSIMULACRA2: the steps of the metric, and then each of them backwards. Whole planes
 * are held, about 120 bytes a pixel: callers give pieces of large images.
 *
 * It decides what is written, so every sum is made in one order, and no compiler may fuse products
 * into it: the result is the same bit for bit everywhere.
 */
#include "exact_floats.h"

#include <stdlib.h>

#include "cube_root.h"
#include "ssimulacra2_gradient.h"
#include "ssimulacra2_gradient_plane.h"

static struct size halved(struct size size)
{
    return (struct size){(size.width + 1) / 2, (size.height + 1) / 2};
}

/* ---- Colour ---- */

static const float mixes[CHANNELS][CHANNELS] = {
    {.30f, .622f, .078f},
    {.23f, .692f, .078f},
    {.24342268924547819f, .20476744424496821f, .5518098665095536f},
};

static inline float root_of(const float *weights, float red, float green, float blue)
{
    return cube_root(weights[0] * red + weights[1] * green + weights[2] * blue + BIAS);
}

static void to_xyb(float *const rgb[CHANNELS], size_t count, float *const xyb[CHANNELS])
{
    const float *restrict red = rgb[0], *restrict green = rgb[1], *restrict blue = rgb[2];
    float *restrict xs = xyb[X], *restrict ys = xyb[Y], *restrict bs = xyb[B];
    for (size_t i = 0; i < count; i++) {
        float l = root_of(mixes[0], red[i], green[i], blue[i]) - BIAS_ROOT;
        float m = root_of(mixes[1], red[i], green[i], blue[i]) - BIAS_ROOT;
        float s = root_of(mixes[2], red[i], green[i], blue[i]) - BIAS_ROOT;
        xs[i] = 7.0f * (l - m) + .42f;
        ys[i] = .5f * (l + m) + .01f;
        bs[i] = s - ys[i] + .56f;
    }
}

/* Adds the gradient with respect to linear light of that with respect to XYB. */
static void from_xyb(float *const rgb[CHANNELS], size_t count, float *const xyb[CHANNELS],
                     float *const out[CHANNELS])
{
    const float *restrict red = rgb[0], *restrict green = rgb[1], *restrict blue = rgb[2];
    const float *restrict xs = xyb[X], *restrict ys = xyb[Y], *restrict bs = xyb[B];
    float *restrict reds = out[0], *restrict greens = out[1], *restrict blues = out[2];
    for (size_t i = 0; i < count; i++) {
        float l = root_of(mixes[0], red[i], green[i], blue[i]);
        float m = root_of(mixes[1], red[i], green[i], blue[i]);
        float s = root_of(mixes[2], red[i], green[i], blue[i]);
        float both = .5f * (ys[i] - bs[i]);
        float by_l = (both + 7.0f * xs[i]) / (3.0f * l * l);
        float by_m = (both - 7.0f * xs[i]) / (3.0f * m * m);
        float by_s = bs[i] / (3.0f * s * s);
        reds[i] += mixes[0][0] * by_l + mixes[1][0] * by_m + mixes[2][0] * by_s;
        greens[i] += mixes[0][1] * by_l + mixes[1][1] * by_m + mixes[2][1] * by_s;
        blues[i] += mixes[0][2] * by_l + mixes[1][2] * by_m + mixes[2][2] * by_s;
    }
}

/* ---- Halving ---- */

static void halve(const float *restrict in, struct size size, float *restrict out)
{
    for (size_t y = 0; y < (size.height + 1) / 2; y++) {
        const float *upper = in + 2 * y * size.width;
        const float *lower = 2 * y + 1 < size.height ? upper + size.width : upper;
        for (size_t x = 0; x < size.width / 2; x++) {
            *out++ = .25f * ((upper[2 * x] + lower[2 * x]) + (upper[2 * x + 1] + lower[2 * x + 1]));
        }
        if (size.width % 2) {
            *out++ = .5f * (upper[size.width - 1] + lower[size.width - 1]);
        }
    }
}

/* Adds to the gradient at one scale that of the next. */
static void add_doubled(const float *restrict in, struct size size, float *restrict out)
{
    size_t across = (size.width + 1) / 2;
    for (size_t y = 0; y < size.height; y++) {
        const float *row = in + y / 2 * across;
        float weight = size.height % 2 && y == size.height - 1 ? .5f : .25f;
        float *to = out + y * size.width;
        for (size_t x = 0; x < size.width / 2; x++) {
            to[2 * x] += weight * row[x];
            to[2 * x + 1] += weight * row[x];
        }
        if (size.width % 2) {
            to[size.width - 1] += 2.0f * weight * row[across - 1];
        }
    }
}

/* ---- All scales ---- */

struct pyramid {
    struct plan plan;
    struct size sizes[SCALES];
    /* Linear light, and the gradient with respect to that of the distorted image. */
    float *light[SIDES][SCALES][CHANNELS];
    float *gradient[SCALES][CHANNELS];
    /* Of one scale, for the largest. */
    float *xyb[SIDES][CHANNELS];
    struct maps maps;
};

static void lay_out(struct pyramid *pyramid, struct arena *arena, float *const out[CHANNELS])
{
    for (int channel = 0; channel < CHANNELS; channel++) {
        for (int scale = 0; scale < pyramid->plan.scales; scale++) {
            size_t count = samples(pyramid->sizes[scale]);
            for (int side = 0; side < SIDES; side++) {
                pyramid->light[side][scale][channel] = arena_take(arena, count);
            }
            pyramid->gradient[scale][channel] = scale ? arena_take(arena, count) : out[channel];
        }
        for (int side = 0; side < SIDES; side++) {
            pyramid->xyb[side][channel] = arena_take(arena, samples(pyramid->sizes[0]));
        }
    }
    struct maps *maps = &pyramid->maps;
    float **const planes[MAPS] = {
        &maps->structure, &maps->by_change,   &maps->by_both,  &maps->by_shift,        &maps->edge,
        &maps->blurred,   &maps->by_distance, &maps->sum_mean, &maps->difference_mean,
        &maps->gradient,
    };
    for (int i = 0; i < MAPS; i++) {
        *planes[i] = arena_take(arena, samples(pyramid->sizes[0]));
    }
    maps->row = arena_take(arena, pyramid->sizes[0].width + REACH);
}

static void fill(struct pyramid *pyramid, enum side side, const uint8_t *pixels, int bands)
{
    size_t count = samples(pyramid->sizes[0]), step = (size_t)bands;
    for (int channel = 0; channel < CHANNELS; channel++) {
        const uint8_t *band = pixels + (bands == 3 ? channel : 0);
        float *light = pyramid->light[side][0][channel];
        for (size_t i = 0; i < count; i++) {
            light[i] = linear_light[band[step * i]];
        }
        for (int scale = 1; scale < pyramid->plan.scales; scale++) {
            halve(pyramid->light[side][scale - 1][channel], pyramid->sizes[scale - 1],
                  pyramid->light[side][scale][channel]);
        }
    }
}

static void mix(float *restrict original, float *restrict distorted, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        float sum = distorted[i] + original[i];
        distorted[i] = distorted[i] - original[i];
        original[i] = sum;
    }
}

/* The gradient of what one scale adds, with respect to its linear light. */
static void add_scale(struct pyramid *pyramid, int scale)
{
    struct size size = pyramid->sizes[scale];
    size_t count = samples(size);
    for (int side = 0; side < SIDES; side++) {
        to_xyb(pyramid->light[side][scale], count, pyramid->xyb[side]);
    }
    for (int channel = 0; channel < CHANNELS; channel++) {
        const struct plane_weights *weights = &pyramid->plan.planes[scale][channel];
        float *sum = pyramid->xyb[ORIGINAL][channel], *difference = pyramid->xyb[DISTORTED][channel];
        if (!weights->measures) {
            memset(sum, 0, count * sizeof *sum);
            continue;
        }
        mix(sum, difference, count);
        plane_gradient(sum, difference, size, weights, &pyramid->maps);
        memcpy(sum, pyramid->maps.gradient, count * sizeof *sum);
    }
    from_xyb(pyramid->light[DISTORTED][scale], count, pyramid->xyb[ORIGINAL],
             pyramid->gradient[scale]);
}

/* By code values, of that by linear light. */
static void by_codes(const uint8_t *pixels, int bands, size_t count, float *const out[CHANNELS])
{
    float slopes[256];
    for (int code = 0; code < 256; code++) {
        int below = code ? code - 1 : 0, above = code < 255 ? code + 1 : 255;
        slopes[code] = (linear_light[above] - linear_light[below]) / (float)(above - below);
    }
    for (size_t channel = 0; channel < CHANNELS; channel++) {
        const uint8_t *band = pixels + (bands == 3 ? channel : 0);
        for (size_t i = 0; i < count; i++) {
            out[channel][i] *= slopes[band[(size_t)bands * i]];
        }
    }
    for (size_t i = 0; i < count && bands == 1; i++) {
        out[0][i] += out[1][i] + out[2][i];
    }
}

int gradient_of_sum(const uint8_t *original, const uint8_t *distorted, int bands, size_t width,
                    size_t height, float *const out[CHANNELS])
{
    struct pyramid pyramid = {.plan = plan_for(width, height)};
    struct size size = {width, height};
    for (int scale = 0; scale < pyramid.plan.scales; scale++, size = halved(size)) {
        pyramid.sizes[scale] = size;
    }
    struct arena arena = {NULL, 0};
    lay_out(&pyramid, &arena, out);
    float *memory = arena.base = malloc(arena.used * sizeof *arena.base);
    if (!memory) {
        return -1;
    }
    arena.used = 0;
    lay_out(&pyramid, &arena, out);
    fill(&pyramid, ORIGINAL, original, bands);
    fill(&pyramid, DISTORTED, distorted, bands);
    for (int scale = pyramid.plan.scales - 1; scale >= 0; scale--) {
        for (int channel = 0; channel < CHANNELS; channel++) {
            float *gradient = pyramid.gradient[scale][channel];
            memset(gradient, 0, samples(pyramid.sizes[scale]) * sizeof *gradient);
        }
        add_scale(&pyramid, scale);
        for (int channel = 0; channel < CHANNELS && scale + 1 < pyramid.plan.scales; channel++) {
            add_doubled(pyramid.gradient[scale + 1][channel], pyramid.sizes[scale],
                        pyramid.gradient[scale][channel]);
        }
    }
    by_codes(distorted, bands, width * height, out);
    free(memory);
    return 0;
}
