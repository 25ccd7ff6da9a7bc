/* What the files of the gradient share: planes, and one channel at one scale. */
#ifndef TINYJPG_SSIMULACRA2_GRADIENT_PLANE_H
#define TINYJPG_SSIMULACRA2_GRADIENT_PLANE_H

#include "ssimulacra2.h"

struct size {
    size_t width, height;
};

static inline size_t samples(struct size size)
{
    return size.width * size.height;
}

/* What the way back needs of the way there. */
struct maps {
    /* Errors of structure and edges, and their derivatives: by the variance of the difference and
     * of the sum, by the squared mean of the difference, by the distance from the mean. */
    float *structure, *by_change, *by_both, *by_shift, *edge, *by_distance;
    /* Means of the sum and the difference, half as large for those of the two images. */
    float *sum_mean, *difference_mean;
    /* What is blurred on the way back, and what comes of it all. */
    float *blurred, *gradient;
    /* A row with RADIUS samples before and behind. */
    float *row;
};

enum { MAPS = 10 };

/*
 * Writes the gradient of what one channel at one scale adds to the sum, with respect to the distorted
 * plane, to `maps->gradient`. `sum` and `difference` are distorted + and - original.
 */
void plane_gradient(const float *sum, const float *difference, struct size size,
                    const struct plane_weights *weights, struct maps *maps);

#endif
