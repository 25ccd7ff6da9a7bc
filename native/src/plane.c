/*
 * One channel at one scale: rows go in, error sums come out. Only the TAPS rows that the filter
 * spans are held, so memory does not grow with the height.
 *
 * The reference program blurs five products. With d = distorted - original four are enough, three
 * with a cached original, and small numbers replace the differences of large ones:
 *   mean of distorted   = mean + blur(d)
 *   1 - structure term  = (blur(d^2) - blur(d)^2) / (variances + C2)
 */
#include "ssimulacra2.h"

#include <math.h>
#include <string.h>

/* The stabilising constant C2 of SSIM in the reference. */
#define STABILISER .0009f

/* Rows summed in single precision before they are added to the totals in double precision. */
enum { ROWS_PER_PARTIAL = 32 };

enum quantity {
    DIFFERENCE,
    DIFFERENCE_SQUARE,
    /* The distorted image's alone against a cache, the sum of both in a pair. */
    SQUARE,
    ORIGINAL,
};
/* While a cache is prepared only these two are blurred. */
enum { PREPARED_MEAN = 0, PREPARED_SQUARE = 1 };

static int quantities(enum comparison comparison)
{
    switch (comparison) {
    case PREPARE:
        return 2;
    case AGAINST_CACHE:
        return 3;
    case PAIR:
        break;
    }
    return MOST_QUANTITIES;
}

float *arena_take(struct arena *arena, size_t count)
{
    float *memory = arena->base ? arena->base + arena->used : NULL;
    arena->used += count;
    return memory;
}

void plane_prepare(struct plane *plane, struct arena *arena)
{
    for (int row = 0; row < TAPS; row++) {
        if (plane->comparison == PAIR) {
            plane->original[row] = arena_take(arena, plane->width);
        }
        if (plane->comparison != PREPARE) {
            plane->distorted[row] = arena_take(arena, plane->width);
        }
        for (int quantity = 0; quantity < quantities(plane->comparison); quantity++) {
            plane->blurred[quantity][row] = arena_take(arena, plane->width);
        }
    }
    plane->zeros = arena_take(arena, plane->width);
    float *padded = arena_take(arena, plane->width + 2 * RADIUS);
    plane->padded = padded ? padded + RADIUS : NULL;
    for (int measure = 0; measure < MEASURES; measure++) {
        if (plane->measures >> measure & 1) {
            plane->partial[measure] = arena_take(arena, TILE);
        }
    }
}

static float *original_row(const struct plane *plane, size_t y)
{
    return plane->comparison == PAIR ? plane->original[y % TAPS]
                                     : plane->cached->image + y * plane->width;
}

float *plane_original_slot(struct plane *plane)
{
    return original_row(plane, plane->pushed);
}

float *plane_distorted_slot(struct plane *plane)
{
    return plane->distorted[plane->pushed % TAPS];
}

static void blur_copy(struct plane *plane, const float *row, int quantity)
{
    memcpy(plane->padded, row, plane->width * sizeof *row);
    blur_along(plane->padded, plane->width, plane->blurred[quantity][plane->pushed % TAPS]);
}

static void blur_square(struct plane *plane, const float *row, int quantity)
{
    float *restrict padded = plane->padded;
    for (size_t x = 0; x < plane->width; x++) {
        padded[x] = row[x] * row[x];
    }
    blur_along(padded, plane->width, plane->blurred[quantity][plane->pushed % TAPS]);
}

static void blur_sum_of_squares(struct plane *plane, const float *restrict one,
                                const float *restrict other, int quantity)
{
    float *restrict padded = plane->padded;
    for (size_t x = 0; x < plane->width; x++) {
        padded[x] = one[x] * one[x] + other[x] * other[x];
    }
    blur_along(padded, plane->width, plane->blurred[quantity][plane->pushed % TAPS]);
}

static void blur_difference(struct plane *plane, const float *restrict original,
                            const float *restrict distorted)
{
    size_t slot = plane->pushed % TAPS;
    float *restrict padded = plane->padded;
    for (size_t x = 0; x < plane->width; x++) {
        padded[x] = distorted[x] - original[x];
    }
    blur_along(padded, plane->width, plane->blurred[DIFFERENCE][slot]);
    for (size_t x = 0; x < plane->width; x++) {
        padded[x] *= padded[x];
    }
    blur_along(padded, plane->width, plane->blurred[DIFFERENCE_SQUARE][slot]);
}

/* Values above 0 of `sign` times `values`, to the power of the norm. */
static void add_positive(const float *restrict values, float sign, size_t count,
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

struct blurred_tile {
    float difference[TILE];
    float difference_square[TILE];
    float squares[TILE];
    float mean[TILE];
};

static void add_structure(struct plane *plane, const struct blurred_tile *tile,
                          const float *restrict mean, size_t count)
{
    float error[TILE];
    for (size_t x = 0; x < count; x++) {
        float shift = tile->difference[x];
        float other = mean[x] + shift;
        float change = tile->difference_square[x] - shift * shift;
        float variances = tile->squares[x] - mean[x] * mean[x] - other * other;
        float structure = change / (variances + STABILISER);
        error[x] = shift * shift + (1.0f - shift * shift) * structure;
    }
    add_positive(error, 1.0f, count, plane->partial[SSIM_L1], plane->partial[SSIM_L4]);
}

static void add_edges(struct plane *plane, const struct blurred_tile *tile,
                      const float *restrict mean, const float *restrict original,
                      const float *restrict distorted, size_t count)
{
    float error[TILE];
    for (size_t x = 0; x < count; x++) {
        float before = fabsf(original[x] - mean[x]);
        float after = fabsf(distorted[x] - mean[x] - tile->difference[x]);
        error[x] = (after - before) / (1.0f + before);
    }
    add_positive(error, 1.0f, count, plane->partial[RINGING_L1], plane->partial[RINGING_L4]);
    add_positive(error, -1.0f, count, plane->partial[BLUR_L1], plane->partial[BLUR_L4]);
}

static void flush_partial(struct plane *plane)
{
    for (int measure = 0; measure < MEASURES; measure++) {
        float *partial = plane->partial[measure];
        for (int x = 0; partial && x < TILE; x++) {
            plane->total[measure] += (double)partial[x];
            partial[x] = 0.0f;
        }
    }
    plane->rows_in_partial = 0;
}

/* The rows that the filter spans around row `y`; zeros above and below the image. */
static void span(const struct plane *plane, int quantity, size_t y, const float *rows[TAPS])
{
    for (int tap = 0; tap < TAPS; tap++) {
        size_t row = y + (size_t)tap;
        int inside = row >= RADIUS && row - RADIUS < plane->height;
        rows[tap] = inside ? plane->blurred[quantity][(row - RADIUS) % TAPS] : plane->zeros;
    }
}

static void keep_row(struct plane *plane, size_t y)
{
    const float *rows[TAPS];
    span(plane, PREPARED_MEAN, y, rows);
    blur_across(rows, 0, plane->width, plane->cached->mean + y * plane->width);
    span(plane, PREPARED_SQUARE, y, rows);
    blur_across(rows, 0, plane->width, plane->cached->square + y * plane->width);
}

static void compare_row(struct plane *plane, size_t y)
{
    const float *rows[MOST_QUANTITIES][TAPS];
    for (int quantity = 0; quantity < quantities(plane->comparison); quantity++) {
        span(plane, quantity, y, rows[quantity]);
    }
    const unsigned edges = 1u << RINGING_L1 | 1u << BLUR_L1 | 1u << RINGING_L4 | 1u << BLUR_L4;
    const float *original = original_row(plane, y);
    const float *distorted = plane->distorted[y % TAPS];
    struct blurred_tile tile;
    for (size_t first = 0; first < plane->width; first += TILE) {
        size_t count = plane->width - first < TILE ? plane->width - first : TILE;
        const float *mean = tile.mean;
        blur_across(rows[DIFFERENCE], first, count, tile.difference);
        blur_across(rows[DIFFERENCE_SQUARE], first, count, tile.difference_square);
        blur_across(rows[SQUARE], first, count, tile.squares);
        if (plane->comparison == PAIR) {
            blur_across(rows[ORIGINAL], first, count, tile.mean);
        } else {
            const float *square = plane->cached->square + y * plane->width + first;
            mean = plane->cached->mean + y * plane->width + first;
            for (size_t x = 0; x < count; x++) {
                tile.squares[x] += square[x];
            }
        }
        if (plane->measures & ~edges) {
            add_structure(plane, &tile, mean, count);
        }
        if (plane->measures & edges) {
            add_edges(plane, &tile, mean, original + first, distorted + first, count);
        }
    }
    if (++plane->rows_in_partial == ROWS_PER_PARTIAL) {
        flush_partial(plane);
    }
}

static void emit(struct plane *plane)
{
    size_t y = plane->emitted++;
    if (plane->comparison == PREPARE) {
        keep_row(plane, y);
    } else {
        compare_row(plane, y);
    }
}

void plane_push(struct plane *plane)
{
    const float *original = plane_original_slot(plane);
    if (plane->comparison == PREPARE) {
        blur_copy(plane, original, PREPARED_MEAN);
        blur_square(plane, original, PREPARED_SQUARE);
    } else {
        const float *distorted = plane_distorted_slot(plane);
        blur_difference(plane, original, distorted);
        if (plane->comparison == PAIR) {
            blur_sum_of_squares(plane, original, distorted, SQUARE);
            blur_copy(plane, original, ORIGINAL);
        } else {
            blur_square(plane, distorted, SQUARE);
        }
    }
    plane->pushed++;
    if (plane->pushed > RADIUS) {
        emit(plane);
    }
}

void plane_finish(struct plane *plane)
{
    while (plane->emitted < plane->height) {
        emit(plane);
    }
    flush_partial(plane);
}
