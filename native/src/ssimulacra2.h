/*
 * SSIMULACRA2, in parts: colour.c makes XYB rows, blur.c blurs rows, plane.c compares two streams
 * of rows of one channel at one scale, weights.c says which channels and scales count,
 * ssimulacra2.c drives them all.
 */
#ifndef TINYJPG_SSIMULACRA2_H
#define TINYJPG_SSIMULACRA2_H

#include <stddef.h>
#include <stdint.h>

enum {
    SCALES = 6,
    CHANNELS = 3,
    /* Norms (L1, L4) times error maps (ssim, ringing, blur), in the order of the weights. */
    MEASURES = 6,
    /* The Gaussian reaches this many samples to each side, and spans this many. */
    RADIUS = 4,
    TAPS = 2 * RADIUS + 1,
    /* Columns treated together, so that intermediate rows stay in the first-level cache. */
    TILE = 256,
    SMALLEST_SIDE = 8
};

enum measure { SSIM_L1, RINGING_L1, BLUR_L1, SSIM_L4, RINGING_L4, BLUR_L4 };

/* Channel order of the weights. */
enum channel { X, Y, B };

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

/* ---- colour.c ---- */

/*
 * Splits `width` interleaved 8-bit sRGB pixels of 1 to 4 bands into three rows of linear light,
 * 0 to 1. Alpha is blended over the grey code value `background`, 0 to 255.
 */
void linear_rows(const uint8_t *pixels, int bands, size_t width, float background,
                 float *const rgb[3]);

/* Linear light to XYB; `x` and `b` may be NULL where they are not wanted. */
void xyb_rows(float *const rgb[3], size_t width, float *x, float *y, float *b);

/* half[i] = rgb[2i] + rgb[2i+1], the last sample repeated where `width` is odd. */
void pair_sums(const float *row, size_t width, float *half);

/* ---- blur.c ---- */

/* Blurs along the row; `row` must be readable, and zero, RADIUS samples beyond both ends. */
void blur_along(const float *row, size_t width, float *out);

/* Blurs across TAPS rows, `count` samples from `first` on. */
void blur_across(const float *const rows[TAPS], size_t first, size_t count, float *out);

/* ---- plane.c ---- */

/* What is kept of one channel of an original at one scale: width x height samples each. */
struct cached_plane {
    float *image;
    float *mean;
    float *square;
};

enum comparison {
    /* Fill the cached plane from the original; nothing is compared. */
    PREPARE,
    /* Compare with the cached plane. */
    AGAINST_CACHE,
    /* Compare two streams. */
    PAIR
};

enum { MOST_QUANTITIES = 4 };

struct plane {
    size_t width, height;
    enum comparison comparison;
    unsigned measures;
    const struct cached_plane *cached;
    size_t pushed, emitted;
    /* Rows handed in, by row number modulo TAPS: slots for the caller to write into. */
    float *original[TAPS], *distorted[TAPS];
    /* The same rows after blurring along them, per quantity. */
    float *blurred[MOST_QUANTITIES][TAPS];
    float *zeros;
    /* A row with RADIUS zeros on both sides. */
    float *padded;
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

/* The slot for the next row: written by the caller, then handed in by plane_push. */
float *plane_original_slot(struct plane *plane);
float *plane_distorted_slot(struct plane *plane);

/* Takes the row written into the slot or slots in. */
void plane_push(struct plane *plane);

/* Finishes after the last row; then `total` holds the sums over all pixels. */
void plane_finish(struct plane *plane);

#endif
