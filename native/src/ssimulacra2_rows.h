/*
 * The loops over samples that take the metric's time, plain C for compilers to vectorise. Included
 * once per instruction set, after VARIANT is defined as the table of functions to make.
 */
#include <math.h>
#include <string.h>

#include "cube_root.h"
#include "ssimulacra2.h"

/* ---- 8-bit sRGB to linear light ---- */

/* Compilers that vectorise look-ups in tables make them slower. */
#if defined(__GNUC__)
#define ELEMENT_BY_ELEMENT __asm__("")
#else
#define ELEMENT_BY_ELEMENT ((void)0)
#endif

/* Linear light of a fractional code value, by interpolation. */
static inline float linear_between(float code)
{
    int below = (int)code;
    float part = code - (float)below;
    return linear_light[below] + part * (linear_light[below + 1] - linear_light[below]);
}

/* One colour of a pixel whose last band is alpha. */
static inline float linear_blended(const uint8_t *pixel, size_t bands, size_t colour,
                                   float background)
{
    float alpha = pixel[bands - 1];
    /* In this order opaque pixels keep their exact code value. */
    return linear_between((alpha * pixel[colour] + (255.0f - alpha) * background) / 255.0f);
}

/* One band of four pixels. Stored together: single stores are what loops would wait for. */
static inline void linear_four(const uint8_t *restrict pixels, size_t bands, float *restrict out)
{
    float a = linear_light[pixels[0]], b = linear_light[pixels[bands]];
    float c = linear_light[pixels[2 * bands]], d = linear_light[pixels[3 * bands]];
    out[0] = a;
    out[1] = b;
    out[2] = c;
    out[3] = d;
}

/* Most pixels of most images are opaque or clear, and so are their neighbours. */
static inline void linear_four_blended(const uint8_t *restrict pixels, size_t bands, size_t colours,
                                       float background, float *const rgb[3], size_t x)
{
    const uint8_t *alpha = pixels + bands - 1;
    unsigned a = alpha[0], b = alpha[bands], c = alpha[2 * bands], d = alpha[3 * bands];
    for (size_t colour = 0; colour < colours; colour++) {
        float *restrict out = rgb[colour] + x;
        if ((a & b & c & d) == 255) {
            linear_four(pixels + colour, bands, out);
        } else if ((a | b | c | d) == 0) {
            out[0] = out[1] = out[2] = out[3] = linear_between(255.0f * background / 255.0f);
        } else {
            for (size_t i = 0; i < 4; i++) {
                out[i] = linear_blended(pixels + bands * i, bands, colour, background);
            }
        }
    }
}

/* Inlined for each number of bands. */
static inline void linear_colours(const uint8_t *restrict pixels, size_t bands, size_t width,
                                  float background, float *const rgb[3])
{
    size_t colours = bands < 3 ? 1 : 3;
    size_t x = 0;
    for (; x + 4 <= width; x += 4) {
        ELEMENT_BY_ELEMENT;
        if (bands % 2 == 0) {
            linear_four_blended(pixels + bands * x, bands, colours, background, rgb, x);
            continue;
        }
        for (size_t colour = 0; colour < colours; colour++) {
            linear_four(pixels + bands * x + colour, bands, rgb[colour] + x);
        }
    }
    for (; x < width; x++) {
        ELEMENT_BY_ELEMENT;
        const uint8_t *pixel = pixels + bands * x;
        for (size_t colour = 0; colour < colours; colour++) {
            rgb[colour][x] = bands % 2 ? linear_light[pixel[colour]]
                                       : linear_blended(pixel, bands, colour, background);
        }
    }
}

static void linear_rows(const uint8_t *pixels, int bands, size_t width, float background,
                        float *const rgb[3])
{
    switch (bands) {
    case 1:
        linear_colours(pixels, 1, width, background, rgb);
        break;
    case 2:
        linear_colours(pixels, 2, width, background, rgb);
        break;
    case 3:
        linear_colours(pixels, 3, width, background, rgb);
        return;
    default:
        linear_colours(pixels, 4, width, background, rgb);
        return;
    }
    memcpy(rgb[1], rgb[0], width * sizeof *rgb[0]);
    memcpy(rgb[2], rgb[0], width * sizeof *rgb[0]);
}

static void halve_rows(const float *restrict upper, const float *restrict lower, size_t width,
                       float *restrict out)
{
    size_t pairs = width / 2;
    for (size_t x = 0; x < pairs; x++) {
        float left = upper[2 * x] + lower[2 * x];
        float right = upper[2 * x + 1] + lower[2 * x + 1];
        out[x] = .25f * (left + right);
    }
    if (width % 2) {
        out[pairs] = .5f * (upper[width - 1] + lower[width - 1]);
    }
}

/* ---- Linear light to XYB ---- */

static inline float root_of_mix(float red, float green, float blue, float from_red,
                                float from_green, float from_blue)
{
    return cube_root(from_red * red + from_green * green + from_blue * blue + BIAS) - BIAS_ROOT;
}

static inline float long_waves(float red, float green, float blue)
{
    return root_of_mix(red, green, blue, .30f, .622f, .078f);
}

static inline float middle_waves(float red, float green, float blue)
{
    return root_of_mix(red, green, blue, .23f, .692f, .078f);
}

static inline float short_waves(float red, float green, float blue)
{
    return root_of_mix(red, green, blue, .24342268924547819f, .20476744424496821f,
                       .5518098665095536f);
}

static void xyb_rows(float *const rgb[3], size_t width, float *restrict x, float *restrict y,
                     float *restrict b)
{
    const float *restrict red = rgb[0];
    const float *restrict green = rgb[1];
    const float *restrict blue = rgb[2];
    if (x) {
        for (size_t i = 0; i < width; i++) {
            float l = long_waves(red[i], green[i], blue[i]);
            float m = middle_waves(red[i], green[i], blue[i]);
            x[i] = 7.0f * (l - m) + .42f;
            y[i] = .5f * (l + m) + .01f;
        }
    } else {
        for (size_t i = 0; i < width; i++) {
            float l = long_waves(red[i], green[i], blue[i]);
            float m = middle_waves(red[i], green[i], blue[i]);
            y[i] = .5f * (l + m) + .01f;
        }
    }
    if (b) {
        for (size_t i = 0; i < width; i++) {
            /* .56 rather than .55, because `y` already has its .01. */
            b[i] = short_waves(red[i], green[i], blue[i]) - y[i] + .56f;
        }
    }
}

/* ---- Comparison ---- */

static void mix_rows(const float *restrict original, const float *restrict distorted, size_t width,
                     float *restrict sum, float *restrict difference)
{
    for (size_t x = 0; x < width; x++) {
        sum[x] = distorted[x] + original[x];
        difference[x] = distorted[x] - original[x];
    }
}

/* Blurs `count` samples across the rows from `first` on, and their squares. */
static inline void blur_across(const float *const rows[TAPS], size_t first, size_t count,
                               float *restrict values, float *restrict squares)
{
    const float *a = rows[0] + first, *b = rows[1] + first, *c = rows[2] + first;
    const float *d = rows[3] + first, *e = rows[4] + first, *f = rows[5] + first;
    const float *g = rows[6] + first, *h = rows[7] + first, *i = rows[8] + first;
    for (size_t x = 0; x < count; x++) {
        values[x] = TAP_4 * (a[x] + i[x]) + TAP_3 * (b[x] + h[x]) + TAP_2 * (c[x] + g[x]) +
                    TAP_1 * (d[x] + f[x]) + TAP_0 * e[x];
        squares[x] = TAP_4 * (a[x] * a[x] + i[x] * i[x]) + TAP_3 * (b[x] * b[x] + h[x] * h[x]) +
                     TAP_2 * (c[x] * c[x] + g[x] * g[x]) + TAP_1 * (d[x] * d[x] + f[x] * f[x]) +
                     TAP_0 * (e[x] * e[x]);
    }
}

/* Blurs along the row; `row` starts RADIUS samples before the first one of `out`. */
static inline float blurred(const float *row, size_t x)
{
    const float *at = row + x;
    return TAP_4 * (at[0] + at[8]) + TAP_3 * (at[1] + at[7]) + TAP_2 * (at[2] + at[6]) +
           TAP_1 * (at[3] + at[5]) + TAP_0 * at[4];
}

/* Values above 0 of `sign` times `values`, to the power of the norm. */
static inline void add_positive(const float *restrict values, float sign, size_t count,
                                float *restrict linear, float *restrict fourth)
{
    if (linear) {
        for (size_t x = 0; x < count; x++) {
            float value = sign * values[x];
            linear[x] += value > 0.0f ? value : 0.0f;
        }
    }
    if (fourth) {
        for (size_t x = 0; x < count; x++) {
            float value = sign * values[x];
            value = value > 0.0f ? value : 0.0f;
            value *= value;
            fourth[x] += value * value;
        }
    }
}

struct tile {
    float sum[TILE + REACH], sum_square[TILE + REACH];
    float difference[TILE + REACH], difference_square[TILE + REACH];
    float sum_mean[TILE], difference_mean[TILE], error[TILE];
};

static inline void add_structure(struct tile *tile, size_t whole, size_t count,
                                 float *const partial[MEASURES])
{
    for (size_t x = 0; x < whole; x++) {
        float shift = tile->difference_mean[x] * tile->difference_mean[x];
        float change = blurred(tile->difference_square, x) - shift;
        float both = blurred(tile->sum_square, x) - tile->sum_mean[x] * tile->sum_mean[x];
        float loss = change / (.5f * (both + change) + STABILISER);
        tile->error[x] = shift + (1.0f - shift) * loss;
    }
    add_positive(tile->error, 1.0f, count, partial[SSIM_L1], partial[SSIM_L4]);
}

static inline void add_edges(struct tile *tile, const float *restrict sum,
                             const float *restrict difference, size_t whole, size_t count,
                             float *const partial[MEASURES])
{
    for (size_t x = 0; x < whole; x++) {
        float common = sum[x] - tile->sum_mean[x];
        float change = difference[x] - tile->difference_mean[x];
        float before = fabsf(common - change);
        float after = fabsf(common + change);
        tile->error[x] = (after - before) / (2.0f + before);
    }
    add_positive(tile->error, 1.0f, count, partial[RINGING_L1], partial[RINGING_L4]);
    add_positive(tile->error, -1.0f, count, partial[BLUR_L1], partial[BLUR_L4]);
}

static void compare_row(const float *const sums[TAPS], const float *const differences[TAPS],
                        size_t width, float *const partial[MEASURES])
{
    struct tile tile;
    int structure = partial[SSIM_L1] || partial[SSIM_L4];
    int edges = partial[RINGING_L1] || partial[RINGING_L4] || partial[BLUR_L1] || partial[BLUR_L4];
    for (size_t first = 0; first < width; first += TILE) {
        size_t count = width - first < TILE ? width - first : TILE;
        /* Rows are readable so far beyond their ends. */
        size_t whole = (count + BLOCK - 1) / BLOCK * BLOCK;
        blur_across(sums, first, whole + REACH, tile.sum, tile.sum_square);
        blur_across(differences, first, whole + REACH, tile.difference, tile.difference_square);
        for (size_t x = 0; x < whole; x++) {
            tile.sum_mean[x] = blurred(tile.sum, x);
            tile.difference_mean[x] = blurred(tile.difference, x);
        }
        if (structure) {
            add_structure(&tile, whole, count, partial);
        }
        if (edges) {
            add_edges(&tile, sums[RADIUS] + RADIUS + first, differences[RADIUS] + RADIUS + first,
                      whole, count, partial);
        }
    }
}

const struct row_kernels VARIANT = {linear_rows, halve_rows, xyb_rows, mix_rows, compare_row};
