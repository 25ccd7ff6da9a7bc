/* The gradient of one channel at one scale: its error maps, and then each step backwards. */
#include "exact_floats.h"

#include <math.h>
#include <string.h>

#include "ssimulacra2_gradient_plane.h"

/* Sum of the rows that the filter spans, zeros beyond the plane. `out` has RADIUS samples before. */
static void blur_down(const float *plane, struct size size, size_t y, float *out)
{
    static const float taps[TAPS] = {TAP_4, TAP_3, TAP_2, TAP_1, TAP_0, TAP_1, TAP_2, TAP_3, TAP_4};
    memset(out, 0, (size.width + REACH) * sizeof *out);
    float *restrict row = out + RADIUS;
    for (size_t tap = 0; tap < TAPS; tap++) {
        size_t at = y + tap;
        if (at < RADIUS || at - RADIUS >= size.height) {
            continue;
        }
        const float *restrict in = plane + (at - RADIUS) * size.width;
        float weight = taps[tap];
        for (size_t x = 0; x < size.width; x++) {
            row[x] += weight * in[x];
        }
    }
}

static void blur_across(const float *restrict row, size_t width, float *restrict out)
{
    for (size_t x = 0; x < width; x++) {
        const float *at = row + x;
        out[x] = TAP_4 * (at[0] + at[8]) + TAP_3 * (at[1] + at[7]) + TAP_2 * (at[2] + at[6]) +
                 TAP_1 * (at[3] + at[5]) + TAP_0 * at[4];
    }
}

/* Writes `from` squared to a plane, to be blurred. */
static void squared(const float *restrict from, size_t count, float *restrict out)
{
    for (size_t i = 0; i < count; i++) {
        out[i] = from[i] * from[i];
    }
}

static void blur(const float *plane, struct size size, float *row, float *out)
{
    for (size_t y = 0; y < size.height; y++) {
        blur_down(plane, size, y, row);
        blur_across(row, size.width, out + y * size.width);
    }
}

/* Fills the maps; `sum` and `difference` are distorted + and - original. */
static void go_there(const float *restrict sum, const float *restrict difference, struct size size,
                     struct maps *maps)
{
    size_t count = samples(size);
    blur(sum, size, maps->row, maps->sum_mean);
    blur(difference, size, maps->row, maps->difference_mean);
    squared(sum, count, maps->blurred);
    blur(maps->blurred, size, maps->row, maps->by_both);
    squared(difference, count, maps->blurred);
    blur(maps->blurred, size, maps->row, maps->by_change);
    float *restrict structure = maps->structure, *restrict by_change = maps->by_change;
    float *restrict by_both = maps->by_both, *restrict by_shift = maps->by_shift;
    float *restrict edge = maps->edge, *restrict by_distance = maps->by_distance;
    const float *restrict sum_mean = maps->sum_mean;
    const float *restrict difference_mean = maps->difference_mean;
    for (size_t i = 0; i < count; i++) {
        float shift = difference_mean[i] * difference_mean[i];
        float change = by_change[i] - shift;
        float both = by_both[i] - sum_mean[i] * sum_mean[i];
        float inverse = 1.0f / (.5f * (both + change) + STABILISER);
        float loss = change * inverse;
        float error = shift + (1.0f - shift) * loss;
        structure[i] = error > 0.0f ? error : 0.0f;
        by_change[i] = (1.0f - shift) * (1.0f - .5f * loss) * inverse;
        by_both[i] = (shift - 1.0f) * .5f * loss * inverse;
        by_shift[i] = 1.0f - loss;
        float common = sum[i] - sum_mean[i];
        float moved = difference[i] - difference_mean[i];
        float before = fabsf(common - moved);
        float after = common + moved;
        float by = 2.0f / (2.0f + before);
        edge[i] = (fabsf(after) - before) / (2.0f + before);
        by_distance[i] = after < 0.0f ? -by : by;
    }
}

/* The means of the fourth powers of what is positive in `sign` times the errors. */
static float fourth_mean(const float *errors, float sign, size_t count)
{
    enum { LANES = 8 };
    double lanes[LANES] = {0};
    for (size_t i = 0; i < count; i++) {
        float error = sign * errors[i];
        error = error > 0.0f ? error * error : 0.0f;
        lanes[i % LANES] += (double)(error * error);
    }
    double sum = 0.0;
    for (int lane = 0; lane < LANES; lane++) {
        sum += lanes[lane];
    }
    return (float)(sum / (double)count);
}

/* How a measure grows with one error: `linear` + `cubic` x error^3. */
struct slope {
    float linear, cubic;
};

static struct slope slope_of(const struct plane_weights *weights, enum measure first,
                             enum measure fourth, const float *errors, float sign, size_t count)
{
    struct slope slope = {(float)(weights->weight[first] / (double)count), 0.0f};
    if (weights->weight[fourth] > 0.0) {
        double mean = (double)fourth_mean(errors, sign, count);
        if (mean > 0.0) {
            /* The derivative of the fourth root; square roots round the same everywhere. */
            double root = sqrt(sqrt(mean));
            slope.cubic = (float)(weights->weight[fourth] / (root * root * root * (double)count));
        }
    }
    return slope;
}

static inline float at_error(struct slope slope, float error)
{
    return error > 0.0f ? slope.linear + slope.cubic * (error * error * error) : 0.0f;
}

static void come_back(const float *restrict sum, const float *restrict difference,
                      struct size size, const struct plane_weights *weights, struct maps *maps,
                      float *restrict out)
{
    size_t count = samples(size);
    struct slope structure = slope_of(weights, SSIM_L1, SSIM_L4, maps->structure, 1.0f, count);
    struct slope ringing = slope_of(weights, RINGING_L1, RINGING_L4, maps->edge, 1.0f, count);
    struct slope blurring = slope_of(weights, BLUR_L1, BLUR_L4, maps->edge, -1.0f, count);
    float *restrict by_change = maps->by_change, *restrict by_both = maps->by_both;
    float *restrict means = maps->by_shift;
    for (size_t i = 0; i < count; i++) {
        float by = at_error(structure, maps->structure[i]);
        float by_edge = at_error(ringing, maps->edge[i]) - at_error(blurring, -maps->edge[i]);
        by_edge *= maps->by_distance[i];
        by_change[i] *= by;
        by_both[i] *= by;
        means[i] = 2.0f * ((by * means[i] - by_change[i]) * maps->difference_mean[i] -
                           by_both[i] * maps->sum_mean[i]) -
                   by_edge;
        out[i] = by_edge;
    }
    float *restrict blurred = maps->blurred;
    blur(means, size, maps->row, blurred);
    for (size_t i = 0; i < count; i++) {
        out[i] += blurred[i];
    }
    blur(by_change, size, maps->row, blurred);
    for (size_t i = 0; i < count; i++) {
        out[i] += 2.0f * difference[i] * blurred[i];
    }
    blur(by_both, size, maps->row, blurred);
    for (size_t i = 0; i < count; i++) {
        out[i] += 2.0f * sum[i] * blurred[i];
    }
}

void plane_gradient(const float *sum, const float *difference, struct size size,
                    const struct plane_weights *weights, struct maps *maps)
{
    go_there(sum, difference, size, maps);
    come_back(sum, difference, size, weights, maps, maps->gradient);
}
