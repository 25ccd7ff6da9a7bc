/*
 * SSIMULACRA2, in parts: ssimulacra2_rows.h has the loops over samples, plane.c compares two
 * streams of rows of one channel at one scale, stream.c drives the scales, weights.c says which
 * channels and scales count, ssimulacra2.c is what Python sees.
 */
#ifndef TINYJPG_SSIMULACRA2_H
#define TINYJPG_SSIMULACRA2_H

#include <stddef.h>
#include <stdint.h>

#include "dispatch.h"

enum {
    SCALES = 6,
    CHANNELS = 3,
    /* Norms (L1, L4) times error maps (ssim, ringing, blur), in the order of the weights. */
    MEASURES = 6,
    /* The Gaussian reaches this many samples to each side, and spans this many. */
    RADIUS = 4,
    REACH = 2 * RADIUS,
    TAPS = REACH + 1,
    /* Samples of the widest vector: loops over tiles take whole ones. */
    BLOCK = 16,
    /* Columns converted together, and compared together: what is in between stays in the cache. */
    STRIP = 512,
    TILE = 256,
    SMALLEST_SIDE = 8
};

enum measure { SSIM_L1, RINGING_L1, BLUR_L1, SSIM_L4, RINGING_L4, BLUR_L4 };

/* Channel order of the weights. */
enum channel { X, Y, B };

/* ---- Constants of the definition ---- */

/* What is added to mixes of linear light before their cube root is taken; and its own. */
#define BIAS .0037930732552754493f
#define BIAS_ROOT .155954200549248620f

/* The stabilising constant C2 of SSIM in the reference. */
#define STABILISER .0009f

/*
 * What the reference program's recursive filter amounts to, from the centre outwards. Sums start
 * with the small ones, for the least error.
 */
#define TAP_0 .264621105f
#define TAP_1 .212928592f
#define TAP_2 .109335373f
#define TAP_3 .036011115f
#define TAP_4 .009414368f

/* ---- weights.c ---- */

struct plane_weights {
    double weight[MEASURES];
    /* Bit m is set when measure m counts. */
    unsigned measures;
};

struct plan {
    /* Scales up to the last one in which anything counts. */
    int scales;
    struct plane_weights planes[SCALES][CHANNELS];
};

/* The plan for an image of width x height pixels. */
struct plan plan_for(size_t width, size_t height);

/* The score from the weighted sum of all measures. */
double score_from_sum(double sum);

/* ---- linear_light.c ---- */

/*
 * Linear light by the sRGB curve, IEC 61966-2-1, at each of the 256 code values; the last is
 * repeated, so that every entry has a next one.
 */
extern const float linear_light[257];

/* ---- ssimulacra2_rows.c and its variants ---- */

struct row_kernels {
    /*
     * Splits `width` interleaved 8-bit sRGB pixels of 1 to 4 bands into three rows of linear
     * light, 0 to 1. Alpha is blended over the grey code value `background`, 0 to 255.
     */
    void (*linear_rows)(const uint8_t *pixels, int bands, size_t width, float background,
                        float *const rgb[3]);
    /* Means of 2 x 2 samples; the last column is repeated where `width` is odd. */
    void (*halve_rows)(const float *upper, const float *lower, size_t width, float *out);
    /* Linear light to XYB; `x` and `b` may be NULL where they are not wanted. */
    void (*xyb_rows)(float *const rgb[3], size_t width, float *x, float *y, float *b);
    /* distorted + original and distorted - original. */
    void (*mix_rows)(const float *original, const float *distorted, size_t width, float *sum,
                     float *difference);
    /*
     * Adds the errors of one row to `partial`: TILE sums for each measure, NULL where it does not
     * count. The rows that the filter spans start RADIUS zeros before the first sample, and go on
     * in zeros to padded_width samples.
     */
    void (*compare_row)(const float *const sums[TAPS], const float *const differences[TAPS],
                        size_t width, float *const partial[MEASURES]);
};

extern const struct row_kernels row_kernels_portable, row_kernels_avx2, row_kernels_avx512;

/* Those of the instruction set in force. */
const struct row_kernels *row_kernels(void);

static inline size_t padded_width(size_t width)
{
    return (width + BLOCK - 1) / BLOCK * BLOCK + REACH;
}

/* ---- plane.c ---- */

struct plane {
    const struct row_kernels *kernels;
    size_t width, height;
    unsigned measures;
    size_t pushed, compared;
    /* The last rows, by row number modulo TAPS: distorted + original, distorted - original. */
    float *sums[TAPS], *differences[TAPS];
    float *zeros;
    float *partial[MEASURES];
    unsigned rows_in_partial;
    double total[MEASURES];
};

/*
 * Memory is handed out from one block: with `base` NULL the offsets are only added up, so that the
 * same code first measures and then distributes.
 */
struct arena {
    float *base;
    size_t used;
};

float *arena_take(struct arena *arena, size_t count);

/* Gives the plane its buffers from `arena`, whose memory must be zero. */
void plane_prepare(struct plane *plane, struct arena *arena);

/* Writes `count` samples of the next row from column `first` on. */
void plane_write(struct plane *plane, const float *original, const float *distorted, size_t first,
                 size_t count);

/* Takes in the row that is written. */
void plane_push(struct plane *plane);

/* Finishes after the last row; then `total` holds the sums over all pixels. */
void plane_finish(struct plane *plane);

/* ---- stream.c ---- */

enum side { ORIGINAL, DISTORTED, SIDES };

struct rows {
    const uint8_t *pixels;
    int bands;
};

struct stream;

/*
 * What is kept of an original: for each scale and channel that counts height x width samples of
 * XYB, NULL for the others.
 */
struct cached_planes {
    float *image[SCALES][CHANNELS];
};

/* Which images pass: both, or one that is kept in or compared with what is kept. */
enum comparison { PAIR, PREPARE, AGAINST_CACHE };

/* Sizes in bytes of anything made of such an image fit a size_t, and it can be scored. */
int is_size(size_t width, size_t height);

/* NULL when memory runs out. `cached` is NULL for a pair. */
struct stream *stream_new(const struct plan *plan, const struct row_kernels *kernels,
                          enum comparison comparison, size_t width, size_t height,
                          double background, const struct cached_planes *cached);

void stream_free(struct stream *stream);

/* Takes in the next `count` rows; only the sides in use are looked at. */
void stream_push(struct stream *stream, const struct rows rows[SIDES], size_t count);

/* Rows that are still to come. */
size_t stream_missing(const struct stream *stream);

/* The score, after the last row. */
double stream_finish(struct stream *stream);

#endif
