/* Coefficients to levels: masking, dead zones, and what symbols cost. */
#include <math.h>
#include <string.h>

#include "jpeg.h"

/*
 * Fidelity against bits: J = bits + k m (error / step)^2, k by component, in 256ths. Errors in a
 * busy block show less: m = 1 / sqrt(1 + mean^2 / 160), of the magnitudes of its AC, each weighted by
 * itself (sum of squares / sum): what a few strong coefficients do, an edge, hides more than texture of
 * the same energy. Measured on 26 photographs (Kodak, CLIC, GB82) by SSIMULACRA2 and luma MS-SSIM,
 * which agree on it.
 */
static const uint32_t fidelity[][MOST_COMPONENTS] = {
    [PHOTOGRAPH] = {5200, 2700, 2700},
    /* With their tables .5 to 1, 2 and 3 % fewer bytes at 70, 80 and 88 than with those above. */
    [DRAWING] = {3640, 3780, 3780},
};
enum { MASKED = 160, MEAN_BITS = 6 };

/* But of letters on a plain ground much shows, however strong they are: the least m, in 256ths. */
enum { LEAST_SHOWN = 48, LEAST_SHOWN_OF_DRAWING = 80 };

/* A level is rounded up from this fraction on, in 256ths: more where errors show less. */
static const int32_t dead_zone[MOST_COMPONENTS] = {143, 148, 148};
enum { DEAD_ZONE_MASKED = 51 };

enum { HALF = 1 << LEVEL_BITS >> 1, TRELLIS_EFFORT = 3 };

/* m, in 256ths. */
static uint32_t unmasked(const struct plan *plan, struct activity activity)
{
    uint32_t least = plan->tables == DRAWING ? LEAST_SHOWN_OF_DRAWING : LEAST_SHOWN;
    /* MEAN_BITS fractional bits, of which the activity brings two. */
    uint64_t mean =
        activity.sum ? ((uint64_t)activity.squares << (MEAN_BITS - 2)) / activity.sum : 0;
    uint64_t masked = (uint64_t)MASKED << (2 * MEAN_BITS);
    /* IEEE 754 rounds square roots the same everywhere. */
    uint32_t shown = (uint32_t)sqrt((double)((masked << 16) / (masked + mean * mean)));
    return shown < least ? least : shown;
}

static int16_t with_sign(int32_t level, int16_t coefficient)
{
    return (int16_t)(coefficient < 0 ? -level : level);
}

/* Levels of `candidates` that round up by `up`, less than a half, or not. */
static uint64_t rounded(const int16_t *coefficients, const int32_t *magnitudes,
                        uint64_t candidates, int32_t up, int16_t *levels)
{
    uint64_t nonzero = 0;
    for (; candidates; candidates &= candidates - 1) {
        int at = __builtin_ctzll(candidates);
        int32_t level = (magnitudes[at] + (at ? up : HALF)) >> LEVEL_BITS;
        levels[at] = with_sign(level, coefficients[at]);
        nonzero |= (uint64_t)(level != 0) << at;
    }
    return nonzero;
}

static uint64_t dead_zone_levels(const struct plan *plan, int component,
                                 const int16_t *coefficients, const int32_t *magnitudes,
                                 uint64_t candidates, uint32_t shown, int16_t *levels)
{
    int32_t from = dead_zone[component] + ((DEAD_ZONE_MASKED * (256 - (int32_t)shown)) >> 8);
    int32_t up = plan->is_exact ? HALF : (1 << LEVEL_BITS) - from;
    return rounded(coefficients, magnitudes, candidates, up, levels);
}

uint64_t dead_zone_block(const struct jpeg_kernels *kernels, const struct plan *plan, int component,
                         const int16_t *coefficients, int16_t *levels)
{
    int32_t magnitudes[BLOCK];
    uint64_t candidates;
    struct activity activity = kernels->normalise(
        coefficients, plan->quantisers[component].reciprocal, magnitudes, &candidates);
    memset(levels, 0, BLOCK * sizeof *levels);
    return dead_zone_levels(plan, component, coefficients, magnitudes, candidates,
                            unmasked(plan, activity), levels);
}

uint64_t quantise_block(const struct jpeg_kernels *kernels, const struct plan *plan, int component,
                        const int16_t *coefficients, int16_t *levels)
{
    int32_t magnitudes[BLOCK];
    uint64_t candidates;
    struct activity activity = kernels->normalise(
        coefficients, plan->quantisers[component].reciprocal, magnitudes, &candidates);
    uint32_t shown = unmasked(plan, activity);
    memset(levels, 0, BLOCK * sizeof *levels);
    if (plan->is_exact || plan->effort < TRELLIS_EFFORT) {
        return dead_zone_levels(plan, component, coefficients, magnitudes, candidates, shown,
                                levels);
    }
    int32_t weight = (int32_t)(fidelity[plan->tables][component] * shown >> 8);
    uint64_t nonzero = rounded(coefficients, magnitudes, candidates & 1, HALF, levels);
    const struct script *script = &plan->script;
    for (int part = 0; part < script->count[component]; part++) {
        nonzero |= trellis_band(&plan->rates[component][part], part_first(script, component, part),
                                script->last[component][part], magnitudes, candidates, weight,
                                levels);
    }
    for (uint64_t left = nonzero & ~UINT64_C(1); left; left &= left - 1) {
        int at = __builtin_ctzll(left);
        levels[at] = with_sign(levels[at], coefficients[at]);
    }
    return nonzero;
}

/* The binary logarithm of a positive number, COST_BITS fractional bits. */
static int32_t log2_of(uint64_t value)
{
    int whole = 63 - __builtin_clzll(value);
    uint64_t mantissa = whole > 31 ? value >> (whole - 31) : value << (31 - whole);
    int32_t result = whole;
    for (int i = 0; i < COST_BITS; i++) {
        mantissa = mantissa * mantissa >> 31;
        result *= 2;
        if (mantissa >> 32) {
            mantissa >>= 1;
            result++;
        }
    }
    return result;
}

void rates_from(struct rates *rates, const struct band *band)
{
    /* Half an occurrence more than was counted, so that nothing is impossible. */
    uint64_t all = 256;
    for (int symbol = 0; symbol < 256; symbol++) {
        all += 2 * (uint64_t)band->counts[symbol];
    }
    int32_t most = log2_of(all);
    int32_t costs[256];
    uint64_t ends = 1, spent = (uint64_t)most;
    for (int symbol = 0; symbol < 256; symbol++) {
        int32_t cost = most - log2_of(2 * (uint64_t)band->counts[symbol] + 1);
        costs[symbol] = cost;
        if ((symbol & 15) == 0 && symbol != 0xF0) {
            uint64_t bits = (uint64_t)cost + ((uint64_t)(symbol >> 4) << COST_BITS);
            ends += band->counts[symbol];
            spent += band->counts[symbol] * bits;
        }
    }
    for (int size = 0; size < SIZES; size++) {
        for (int run = 0; run < BLOCK; run++) {
            rates->symbol[size][run] =
                run / RUNS * costs[0xF0] + costs[run % RUNS << 4 | size] + (size << COST_BITS);
        }
    }
    /* A block's own end starts a run, those that it covers are free; now and then it joins one. */
    rates->end = (int32_t)(spent * 2 / (ends * 3));
}
