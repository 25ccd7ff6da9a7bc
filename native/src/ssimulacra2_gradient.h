/* The gradient of the metric, for encoders that follow it. */
#ifndef TINYJPG_SSIMULACRA2_GRADIENT_H
#define TINYJPG_SSIMULACRA2_GRADIENT_H

#include <stddef.h>
#include <stdint.h>

/* Pixels that both sides must have at least. */
enum { SMALLEST_GRADIENT = 8 };

/*
 * The gradient of the weighted sum of all measures, from which the score is made, with respect to
 * each code value of the distorted image: width x height for red, green and blue; of one band all
 * in the first. `bands` is 1 or 3. The same bits from every compiler and instruction set. Returns 0,
 * or -1 when memory runs out.
 */
int gradient_of_sum(const uint8_t *original, const uint8_t *distorted, int bands, size_t width,
                    size_t height, float *const out[3]);

#endif
