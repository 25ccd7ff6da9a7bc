/* The levels of a block that cost least: bits, and errors worth so many bits. */
#include <limits.h>

#include "jpeg.h"

enum { LARGEST_ERROR = 0xFFF };

struct choice {
    int at;
    int16_t level;
    /* The choice before it. */
    int8_t previous;
    /* Bits and errors up to and with it, less what leaving the chosen ones out would cost. */
    int32_t cost;
};

static int32_t error_cost(int32_t magnitude, int32_t level, int32_t weight)
{
    int32_t error = magnitude - (level << LEVEL_BITS);
    error = error < 0 ? -error : error;
    error = error < LARGEST_ERROR ? error : LARGEST_ERROR;
    return (((error * error) >> 8) * weight) >> 8;
}

static inline int32_t symbol_cost(const struct rates *rates, int run, int size)
{
    int32_t cost = 0;
    for (; run >= RUNS; run -= RUNS) {
        cost += rates->zero_run;
    }
    return cost + rates->symbol[run][size];
}

uint64_t trellis_band(const struct rates *rates, int first, int last, const int32_t *magnitudes,
                      const int32_t *losses, int32_t weight, int16_t *levels)
{
    struct choice choices[BLOCK];
    int count = 1;
    choices[0] = (struct choice){.at = first - 1};
    for (int at = first; at <= last; at++) {
        int32_t magnitude = magnitudes[at];
        int32_t nearest = (magnitude + (1 << LEVEL_BITS >> 1)) >> LEVEL_BITS;
        if (!nearest) {
            continue;
        }
        /* The nearest level, and the largest that takes a bit less. */
        int size = magnitude_bits((unsigned)nearest);
        int32_t lower = (1 << (size - 1)) - 1;
        int32_t cost = error_cost(magnitude, nearest, weight) + (size << COST_BITS);
        int32_t lower_cost =
            error_cost(magnitude, lower, weight) + ((size - 1) << COST_BITS);
        struct choice *choice = &choices[count];
        int32_t best = INT_MAX;
        for (int i = count - 1; i >= 0; i--) {
            int run = at - choices[i].at - 1;
            int32_t total = choices[i].cost + symbol_cost(rates, run, size) + cost;
            if (total < best) {
                best = total;
                choice->level = (int16_t)nearest;
                choice->previous = (int8_t)i;
            }
            if (lower) {
                total = choices[i].cost + symbol_cost(rates, run, size - 1) + lower_cost;
                if (total < best) {
                    best = total;
                    choice->level = (int16_t)lower;
                    choice->previous = (int8_t)i;
                }
            }
        }
        choice->at = at;
        choice->cost = best - losses[at];
        count++;
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
