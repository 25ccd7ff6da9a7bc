/* The levels of a block that cost least: bits, and errors worth so many bits. */
#include <limits.h>

#include "jpeg.h"

/* In levels with LEVEL_BITS fractional bits; what is off by more is not worth leaving out. */
enum { LARGEST_ERROR = 0xFFF };

struct choice {
    /* Bits and errors up to and with it, less what leaving the chosen ones out would cost: a quarter
     * more than the error alone, for texture that is gone shows more than texture that is off. */
    int32_t cost;
    /* The least cost of it and all before. */
    int32_t least;
    int16_t level;
    int8_t at;
    /* The choice before it. */
    int8_t previous;
};

static inline int32_t error_cost(int32_t error, int32_t weight)
{
    error = error < 0 ? -error : error;
    error = error < LARGEST_ERROR ? error : LARGEST_ERROR;
    return (((error * error) >> 8) * weight) >> 8;
}

/* Fills in the best way to have a coefficient of `magnitude`, after any of the `count` before. */
static void choose(struct choice *choices, int count, const struct rates *rates, int at,
                   int32_t magnitude, int32_t weight)
{
    struct choice *choice = &choices[count];
    int32_t nearest = (magnitude + (1 << LEVEL_BITS >> 1)) >> LEVEL_BITS;
    /* The nearest level, and the largest that takes a bit less: 0 is to leave it out. */
    int size = magnitude_bits((unsigned)nearest);
    int32_t lower = (1 << (size - 1)) - 1;
    const int32_t *bits = rates->symbol[size], *lower_bits = rates->symbol[size - 1];
    int32_t error = error_cost(magnitude - (nearest << LEVEL_BITS), weight);
    int32_t lower_error =
        lower ? error_cost(magnitude - (lower << LEVEL_BITS), weight) : INT_MAX / 2;
    int32_t best = INT_MAX;
    /* Those further back cost at least `least`. */
    for (int i = count - 1; i >= 0 && choices[i].least + error < best; i--) {
        int run = at - choices[i].at - 1;
        int32_t total = choices[i].cost + bits[run] + error;
        int32_t lower_total = choices[i].cost + lower_bits[run] + lower_error;
        if (total < best) {
            best = total;
            choice->level = (int16_t)nearest;
            choice->previous = (int8_t)i;
        }
        if (lower_total < best) {
            best = lower_total;
            choice->level = (int16_t)lower;
            choice->previous = (int8_t)i;
        }
    }
    choice->at = (int8_t)at;
    choice->cost = best - error_cost(magnitude, weight + weight / 4);
    choice->least = choice->cost < choice[-1].least ? choice->cost : choice[-1].least;
}

uint64_t trellis_band(const struct rates *rates, int first, int last, const int32_t *magnitudes,
                      uint64_t candidates, int32_t weight, int16_t *levels)
{
    struct choice choices[BLOCK];
    int count = 1;
    choices[0] = (struct choice){.at = (int8_t)(first - 1)};
    candidates &= bits_between(first, last);
    for (; candidates; candidates &= candidates - 1, count++) {
        int at = __builtin_ctzll(candidates);
        choose(choices, count, rates, at, magnitudes[at], weight);
    }
    int chosen = 0;
    int32_t least = 0;
    for (int i = 1; i < count; i++) {
        int32_t total = choices[i].cost + (choices[i].at < last ? rates->end : 0);
        if (total < least) {
            least = total;
            chosen = i;
        }
    }
    uint64_t nonzero = 0;
    for (; chosen; chosen = choices[chosen].previous) {
        levels[choices[chosen].at] = choices[chosen].level;
        nonzero |= UINT64_C(1) << choices[chosen].at;
    }
    return nonzero;
}
