/*
 * One channel at one scale: rows go in, error sums come out. Only the rows that the filter spans
 * are held, so memory does not grow with the height.
 *
 * The reference program blurs five products. With s = distorted + original, d = distorted -
 * original four are enough, and small numbers replace the differences of large ones:
 *   means            = (blur(s) -+ blur(d)) / 2
 *   sum of variances = (var(s) + var(d)) / 2, where var(v) = blur(v^2) - blur(v)^2
 *   1 - structure    = var(d) / (sum of variances + C2)
 */
#include "ssimulacra2.h"

/* Rows summed in single precision before they are added to the totals in double precision. */
enum { ROWS_PER_PARTIAL = 32 };

float *arena_take(struct arena *arena, size_t count)
{
    float *memory = arena->base ? arena->base + arena->used : NULL;
    arena->used += count;
    return memory;
}

void plane_prepare(struct plane *plane, struct arena *arena)
{
    size_t padded = padded_width(plane->width);
    for (int row = 0; row < TAPS; row++) {
        plane->sums[row] = arena_take(arena, padded);
        plane->differences[row] = arena_take(arena, padded);
    }
    plane->zeros = arena_take(arena, padded);
    for (int measure = 0; measure < MEASURES; measure++) {
        if (plane->measures >> measure & 1) {
            plane->partial[measure] = arena_take(arena, TILE);
        }
    }
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

static void compare(struct plane *plane)
{
    const float *sums[TAPS], *differences[TAPS];
    for (size_t tap = 0; tap < TAPS; tap++) {
        /* Zeros above and below the image. */
        size_t row = plane->compared + tap;
        int inside = row >= RADIUS && row - RADIUS < plane->height;
        size_t slot = (row - RADIUS) % TAPS;
        sums[tap] = inside ? plane->sums[slot] : plane->zeros;
        differences[tap] = inside ? plane->differences[slot] : plane->zeros;
    }
    plane->kernels->compare_row(sums, differences, plane->width, plane->partial);
    plane->compared++;
    if (++plane->rows_in_partial == ROWS_PER_PARTIAL) {
        flush_partial(plane);
    }
}

void plane_write(struct plane *plane, const float *original, const float *distorted, size_t first,
                 size_t count)
{
    size_t slot = plane->pushed % TAPS;
    plane->kernels->mix_rows(original, distorted, count, plane->sums[slot] + RADIUS + first,
                             plane->differences[slot] + RADIUS + first);
}

void plane_push(struct plane *plane)
{
    plane->pushed++;
    if (plane->pushed > RADIUS) {
        compare(plane);
    }
}

void plane_finish(struct plane *plane)
{
    while (plane->compared < plane->height) {
        compare(plane);
    }
    flush_partial(plane);
}
