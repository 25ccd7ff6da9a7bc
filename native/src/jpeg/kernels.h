/*
 * The loops over samples that take the encoder's time, plain C for compilers to vectorise. Included
 * once per instruction set, after VARIANT is defined as the table of functions to make. Integers
 * throughout, but for one division whose every step IEEE 754 rounds the same everywhere.
 */
#include <math.h>
#include <string.h>

#include "jpeg.h"

static void split(const uint8_t *restrict pixels, size_t width, uint8_t *const rgb[3])
{
    uint8_t *restrict red = rgb[0], *restrict green = rgb[1], *restrict blue = rgb[2];
    for (size_t x = 0; x < width; x++) {
        red[x] = pixels[3 * x];
        green[x] = pixels[3 * x + 1];
        blue[x] = pixels[3 * x + 2];
    }
}

/* ---- Colour; the weights are those of ITU-T T.871, 7 ---- */

static void luma(uint8_t *const rgb[3], size_t width, int16_t *restrict out)
{
    const uint8_t *restrict red = rgb[0], *restrict green = rgb[1], *restrict blue = rgb[2];
    for (size_t x = 0; x < width; x++) {
        int32_t sum = 19595 * red[x] + 38470 * green[x] + 7471 * blue[x];
        out[x] = (int16_t)(((sum + 4096) >> 13) - 1024);
    }
}

/*
 * Linear light of sRGB by a cubic through 0 and 1 (C. Schueler): .0125 c + .6822 c^2 + .3053 c^3,
 * here of a code value with four fractional bits over 4096. 20 fractional bits.
 */
enum { LINEAR_1 = 412, LINEAR_2 = 22529, LINEAR_3 = 10123 };

static inline int32_t linear_of(int32_t code)
{
    int32_t inner = LINEAR_2 + ((LINEAR_3 * code) >> 12);
    return ((LINEAR_1 + ((inner * code) >> 12)) * code) >> 7;
}

/* Its slope, 15 fractional bits. */
static inline int32_t slope_of(int32_t code)
{
    int32_t inner = 2 * LINEAR_2 + ((3 * LINEAR_3 * code) >> 12);
    return LINEAR_1 + ((inner * code) >> 12);
}

static void linear(const uint8_t *restrict codes, size_t width, int32_t *restrict out)
{
    for (size_t x = 0; x < width; x++) {
        out[x] = linear_of(codes[x] << 4);
    }
}

/* .265, .657 and .078 in 256ths. */
enum { WEIGHT_RED = 68, WEIGHT_GREEN = 168, WEIGHT_BLUE = 20 };

static void luminance(int32_t *const rgb[3], size_t width, int32_t *restrict out)
{
    const int32_t *restrict red = rgb[0], *restrict green = rgb[1], *restrict blue = rgb[2];
    for (size_t x = 0; x < width; x++) {
        out[x] = (WEIGHT_RED * red[x] + WEIGHT_GREEN * green[x] + WEIGHT_BLUE * blue[x]) >> 8;
    }
}

static void mean(const int32_t *restrict upper, const int32_t *restrict lower, size_t width,
                 int32_t *restrict out)
{
    for (size_t x = 0; x < width; x++) {
        out[x] = (upper[2 * x] + upper[2 * x + 1] + lower[2 * x] + lower[2 * x + 1] + 2) >> 2;
    }
}

static inline uint8_t clamped(int32_t value)
{
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

static void chroma(uint16_t *const rgb[3], size_t width, int16_t *const out[2],
                   uint8_t *const rounded[2])
{
    const uint16_t *restrict red = rgb[0], *restrict green = rgb[1], *restrict blue = rgb[2];
    int16_t *restrict cb = out[0], *restrict cr = out[1];
    uint8_t *restrict cb8 = rounded[0], *restrict cr8 = rounded[1];
    for (size_t x = 0; x < width; x++) {
        int32_t b = (-11059 * red[x] - 21709 * green[x] + 32768 * blue[x] + 65536) >> 17;
        int32_t r = (32768 * red[x] - 27439 * green[x] - 5329 * blue[x] + 65536) >> 17;
        cb[x] = (int16_t)b;
        cr[x] = (int16_t)r;
        cb8[x] = clamped((b + 1028) >> 3);
        cr8[x] = clamped((r + 1028) >> 3);
    }
}

static inline int32_t clamped_code(int32_t code)
{
    return code < 0 ? 0 : code > 255 << 4 ? 255 << 4 : code;
}

static void correct(int16_t *restrict luma, uint8_t *const chroma[2],
                    const int32_t *restrict luminance, size_t width)
{
    const uint8_t *restrict cbs = chroma[0], *restrict crs = chroma[1];
    for (size_t x = 0; x < width; x++) {
        int32_t y = 2 * luma[x] + 2048, cb = cbs[x] - 128, cr = crs[x] - 128;
        int32_t red = clamped_code(y + ((91881 * cr + 2048) >> 12));
        int32_t green = clamped_code(y - ((22554 * cb + 46802 * cr + 2048) >> 12));
        int32_t blue = clamped_code(y + ((116130 * cb + 2048) >> 12));
        int32_t is = (WEIGHT_RED * linear_of(red) + WEIGHT_GREEN * linear_of(green) +
                      WEIGHT_BLUE * linear_of(blue)) >> 8;
        int32_t slope = (WEIGHT_RED * slope_of(red) + WEIGHT_GREEN * slope_of(green) +
                         WEIGHT_BLUE * slope_of(blue)) >> 8;
        /* Four fifths of a Newton step: a unit of luma is 1/128 of the slope's. */
        float step = (float)(luminance[x] - is) * 102.4f / (float)slope;
        step = step < -256.0f ? -256.0f : step > 256.0f ? 256.0f : step;
        luma[x] = (int16_t)((clamped_code(y + (int32_t)step) >> 1) - 1024);
    }
}

static void to_rgb(const uint8_t *restrict luma, uint8_t *const chroma[2], size_t width,
                   uint8_t *restrict out)
{
    const uint8_t *restrict cbs = chroma[0], *restrict crs = chroma[1];
    for (size_t x = 0; x < width; x++) {
        int32_t y = luma[x], cb = cbs[x] - 128, cr = crs[x] - 128;
        out[3 * x] = clamped(y + ((91881 * cr + 32768) >> 16));
        out[3 * x + 1] = clamped(y + ((-22554 * cb - 46802 * cr + 32768) >> 16));
        out[3 * x + 2] = clamped(y + ((116130 * cb + 32768) >> 16));
    }
}

/* ---- Upsampling: a triangle filter, rounded as libjpeg's jdsample.c does ---- */

static void upsample_2x2(const uint8_t *restrict near, const uint8_t *restrict far, size_t width,
                         uint8_t *restrict out)
{
    size_t count = (width + 1) / 2;
    for (size_t x = 1; x + 1 < count; x++) {
        int left = 3 * near[x - 1] + far[x - 1], right = 3 * near[x + 1] + far[x + 1];
        int here = 3 * (3 * near[x] + far[x]);
        out[2 * x] = (uint8_t)((here + left + 8) >> 4);
        out[2 * x + 1] = (uint8_t)((here + right + 7) >> 4);
    }
    int first = 3 * near[0] + far[0], second = 3 * near[1] + far[1];
    out[0] = (uint8_t)((4 * first + 8) >> 4);
    out[1] = (uint8_t)((3 * first + second + 7) >> 4);
    int last = 3 * near[count - 1] + far[count - 1];
    int before = 3 * near[count - 2] + far[count - 2];
    out[2 * count - 2] = (uint8_t)((3 * last + before + 8) >> 4);
    out[2 * count - 1] = (uint8_t)((4 * last + 7) >> 4);
}

static void upsample_2x1(const uint8_t *restrict in, size_t width, uint8_t *restrict out)
{
    size_t count = (width + 1) / 2;
    for (size_t x = 1; x + 1 < count; x++) {
        out[2 * x] = (uint8_t)((3 * in[x] + in[x - 1] + 1) >> 2);
        out[2 * x + 1] = (uint8_t)((3 * in[x] + in[x + 1] + 2) >> 2);
    }
    out[0] = in[0];
    out[1] = (uint8_t)((3 * in[0] + in[1] + 2) >> 2);
    out[2 * count - 2] = (uint8_t)((3 * in[count - 1] + in[count - 2] + 1) >> 2);
    out[2 * count - 1] = in[count - 1];
}

/* ---- The DCT by Loeffler, Ligtenberg and Moschytz (ICASSP 1989), 13 fractional bits ---- */

enum {
    DCT_0_298 = 2446,
    DCT_0_390 = 3196,
    DCT_0_541 = 4433,
    DCT_0_765 = 6270,
    DCT_0_899 = 7373,
    DCT_1_175 = 9633,
    DCT_1_501 = 12299,
    DCT_1_847 = 15137,
    DCT_1_961 = 16069,
    DCT_2_053 = 16819,
    DCT_2_562 = 20995,
    DCT_3_072 = 25172
};

/* One-dimensional transforms of the eight columns, in place. */
#define FORWARD_COLUMNS(v, SHIFT, EVEN_SHIFT)                                                      \
    for (int i = 0; i < SIDE; i++) {                                                               \
        int32_t sum0 = v[0][i] + v[7][i], sum1 = v[1][i] + v[6][i];                                \
        int32_t sum2 = v[2][i] + v[5][i], sum3 = v[3][i] + v[4][i];                                \
        int32_t d0 = v[0][i] - v[7][i], d1 = v[1][i] - v[6][i];                                    \
        int32_t d2 = v[2][i] - v[5][i], d3 = v[3][i] - v[4][i];                                    \
        int32_t even0 = sum0 + sum3, even1 = sum1 + sum2;                                          \
        int32_t odd0 = sum0 - sum3, odd1 = sum1 - sum2;                                            \
        int32_t z1 = (odd0 + odd1) * DCT_0_541;                                                    \
        v[0][i] = (even0 + even1 + (1 << (EVEN_SHIFT) >> 1)) >> (EVEN_SHIFT);                      \
        v[4][i] = (even0 - even1 + (1 << (EVEN_SHIFT) >> 1)) >> (EVEN_SHIFT);                      \
        v[2][i] = (z1 + odd0 * DCT_0_765 + (1 << (SHIFT) >> 1)) >> (SHIFT);                        \
        v[6][i] = (z1 - odd1 * DCT_1_847 + (1 << (SHIFT) >> 1)) >> (SHIFT);                        \
        int32_t z5 = (d3 + d1 + d2 + d0) * DCT_1_175;                                              \
        int32_t z2 = -(d2 + d1) * DCT_2_562, z3 = z5 - (d3 + d1) * DCT_1_961;                      \
        int32_t z4 = z5 - (d2 + d0) * DCT_0_390, z0 = -(d3 + d0) * DCT_0_899;                      \
        v[7][i] = (d3 * DCT_0_298 + z0 + z3 + (1 << (SHIFT) >> 1)) >> (SHIFT);                     \
        v[5][i] = (d2 * DCT_2_053 + z2 + z4 + (1 << (SHIFT) >> 1)) >> (SHIFT);                     \
        v[3][i] = (d1 * DCT_3_072 + z2 + z3 + (1 << (SHIFT) >> 1)) >> (SHIFT);                     \
        v[1][i] = (d0 * DCT_1_501 + z0 + z4 + (1 << (SHIFT) >> 1)) >> (SHIFT);                     \
    }

static void forward(const int16_t *restrict samples, size_t stride, int16_t *restrict out)
{
    int32_t v[SIDE][SIDE], w[SIDE][SIDE];
    for (size_t y = 0; y < SIDE; y++) {
        for (size_t x = 0; x < SIDE; x++) {
            v[y][x] = samples[y * stride + x];
        }
    }
    FORWARD_COLUMNS(v, 13, 0)
    for (int y = 0; y < SIDE; y++) {
        for (int x = 0; x < SIDE; x++) {
            w[x][y] = v[y][x];
        }
    }
    /* The transform comes out eight times too large, with SAMPLE_BITS. */
    FORWARD_COLUMNS(w, 13 + SAMPLE_BITS + 3 - COEFFICIENT_BITS, SAMPLE_BITS + 3 - COEFFICIENT_BITS)
    for (int i = 0; i < BLOCK; i++) {
        out[i] = (int16_t)w[zigzag[i] % SIDE][zigzag[i] / SIDE];
    }
}

/* libjpeg's jidctint.c step by step: every rounding is part of what decoders show. */
#define INVERSE_COLUMNS(v, SHIFT)                                                                  \
    for (int i = 0; i < SIDE; i++) {                                                               \
        int32_t z1 = (v[2][i] + v[6][i]) * DCT_0_541;                                              \
        int32_t even2 = z1 - v[6][i] * DCT_1_847, even3 = z1 + v[2][i] * DCT_0_765;                \
        int32_t even0 = (v[0][i] + v[4][i]) * (1 << 13), even1 = (v[0][i] - v[4][i]) * (1 << 13);  \
        int32_t t10 = even0 + even3 + (1 << (SHIFT) >> 1);                                         \
        int32_t t13 = even0 - even3 + (1 << (SHIFT) >> 1);                                         \
        int32_t t11 = even1 + even2 + (1 << (SHIFT) >> 1);                                         \
        int32_t t12 = even1 - even2 + (1 << (SHIFT) >> 1);                                         \
        int32_t o0 = v[7][i], o1 = v[5][i], o2 = v[3][i], o3 = v[1][i];                            \
        int32_t z5 = (o0 + o2 + o1 + o3) * DCT_1_175;                                              \
        int32_t z0 = -(o0 + o3) * DCT_0_899, z2 = -(o1 + o2) * DCT_2_562;                          \
        int32_t z3 = z5 - (o0 + o2) * DCT_1_961, z4 = z5 - (o1 + o3) * DCT_0_390;                  \
        o0 = o0 * DCT_0_298 + z0 + z3;                                                             \
        o1 = o1 * DCT_2_053 + z2 + z4;                                                             \
        o2 = o2 * DCT_3_072 + z2 + z3;                                                             \
        o3 = o3 * DCT_1_501 + z0 + z4;                                                             \
        v[0][i] = (t10 + o3) >> (SHIFT);                                                           \
        v[7][i] = (t10 - o3) >> (SHIFT);                                                           \
        v[1][i] = (t11 + o2) >> (SHIFT);                                                           \
        v[6][i] = (t11 - o2) >> (SHIFT);                                                           \
        v[2][i] = (t12 + o1) >> (SHIFT);                                                           \
        v[5][i] = (t12 - o1) >> (SHIFT);                                                           \
        v[3][i] = (t13 + o0) >> (SHIFT);                                                           \
        v[4][i] = (t13 - o0) >> (SHIFT);                                                           \
    }

static void inverse(const int16_t *restrict coefficients, uint8_t *restrict out, size_t stride)
{
    int32_t v[SIDE][SIDE], w[SIDE][SIDE];
    for (int y = 0; y < SIDE; y++) {
        for (int x = 0; x < SIDE; x++) {
            v[y][x] = coefficients[y * SIDE + x];
        }
    }
    INVERSE_COLUMNS(v, 11)
    for (int y = 0; y < SIDE; y++) {
        for (int x = 0; x < SIDE; x++) {
            w[x][y] = v[y][x];
        }
    }
    INVERSE_COLUMNS(w, 18)
    for (size_t y = 0; y < SIDE; y++) {
        for (size_t x = 0; x < SIDE; x++) {
            out[y * stride + x] = clamped(w[x][y] + 128);
        }
    }
}

/* A bit for each of 64 flags, 0 or 1. */
static inline uint64_t gathered(const uint8_t flags[BLOCK])
{
    uint64_t bits = 0;
    for (int i = 0; i < BLOCK; i += 8) {
        uint64_t word = 0;
        for (int j = 0; j < 8; j++) {
            word |= (uint64_t)flags[i + j] << (8 * j);
        }
        /* Moves the lowest bit of byte j to bit 56 + j. */
        bits |= (word * UINT64_C(0x0102040810204080)) >> 56 << i;
    }
    return bits;
}

static struct activity normalise(const int16_t *restrict coefficients,
                                 const uint32_t *restrict reciprocals, int32_t *restrict out,
                                 uint64_t *restrict candidates)
{
    uint32_t sum = 0, squares = 0;
    uint8_t flags[BLOCK];
    for (int i = 0; i < BLOCK; i++) {
        int32_t value = coefficients[i];
        uint32_t magnitude = (uint32_t)(value < 0 ? -value : value);
        out[i] = (int32_t)((magnitude * reciprocals[i] + 2048) >> 12);
        uint32_t coarse = magnitude >> 2;
        sum += coarse;
        squares += coarse * coarse;
    }
    for (int i = 0; i < BLOCK; i++) {
        flags[i] = out[i] >= 1 << LEVEL_BITS >> 1;
    }
    *candidates = gathered(flags);
    uint32_t dc = (uint32_t)(coefficients[0] < 0 ? -coefficients[0] : coefficients[0]) >> 2;
    return (struct activity){sum - dc, squares - dc * dc};
}

const struct jpeg_kernels VARIANT = {split,   luma,    linear,       luminance,    mean,   chroma,
                                     correct, forward, upsample_2x2, upsample_2x1, to_rgb, inverse,
                                     normalise};
