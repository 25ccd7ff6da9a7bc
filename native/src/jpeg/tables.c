/*
 * Quantisation tables. They started as libjxl's jpegli has them for 4:2:0 and were tuned for
 * SSIMULACRA2 on photographs; one scale makes all qualities.
 */
#include "jpeg.h"

enum { UNIT = 10000, SCALE_ONE = 256, LARGEST_STEP = 255 };

/* In natural order, times UNIT. */
static const uint32_t tuned[MOST_COMPONENTS][BLOCK] = {
    {
        8311, 10449, 27787, 28127, 33398, 34636, 38409, 38696,
        10449, 14749, 28457, 27045, 34408, 31662, 40252, 40353,
        27787, 28457, 29587, 33863, 36195, 39046, 37578, 42374,
        28127, 27045, 33863, 33801, 41680, 48055, 47843, 46059,
        33398, 34408, 36195, 41680, 45799, 49232, 55741, 54853,
        34636, 31662, 39046, 48055, 49232, 54394, 50939, 60872,
        38409, 40252, 37578, 47843, 55741, 50939, 54385, 54037,
        38696, 40353, 42374, 46059, 54853, 60872, 54037, 43779,
    },
    {
        7010, 11439, 23983, 29055, 31504, 48404, 65585, 119158,
        11439, 15821, 23757, 31853, 46367, 52412, 123392, 90393,
        23983, 23757, 31998, 51577, 51095, 93578, 394791, 107004,
        29055, 31853, 51577, 52153, 56389, 92818, 117848, 178516,
        31504, 46367, 51095, 56389, 64238, 57370, 67583, 266221,
        48404, 52412, 93578, 92818, 57370, 123751, 196663, 70237,
        65585, 123392, 394791, 117848, 67583, 196663, 69333, 74502,
        119158, 90393, 107004, 178516, 266221, 70237, 74502, 616589,
    },
    {
        10292, 13390, 19921, 18421, 25527, 28149, 41907, 59420,
        13390, 18289, 19342, 17114, 23867, 25286, 40215, 55106,
        19921, 19342, 20409, 20177, 24590, 31716, 40995, 61565,
        18421, 17114, 20177, 20894, 30758, 36929, 50905, 72837,
        25527, 23867, 24590, 30758, 27491, 50777, 48944, 81646,
        28149, 25286, 31716, 36929, 50777, 52772, 76969, 150277,
        41907, 40215, 40995, 50905, 48944, 76969, 155424, 189561,
        59420, 55106, 61565, 72837, 81646, 150277, 189561, 2128850,
    },
};

/*
 * In tenths. A coefficient of full chroma is of twice the frequency that it has in 4:2:0, where it
 * may be coarser. For photographs it might be three times as much, 1 % fewer bytes at a score of
 * 93; but coloured letters would take 10 % more.
 */
static uint32_t full_chroma(int component, enum subsampling subsampling, int at)
{
    if (component == 0 || subsampling != CHROMA_444) {
        return 10;
    }
    return 10 + (uint32_t)(zigzag[at] / SIDE + zigzag[at] % SIDE);
}

/*
 * In hundredths, of a drawing: plain grounds want an exact DC, sharp edges more of the highest
 * frequencies, coloured letters and lines that share chroma more of that. Measured on 40 screenshots and
 * logos at scores of 70, 80 and 88, with the fidelity that quantise.c has for drawings.
 */
static uint32_t drawn(int component, enum subsampling subsampling, int at)
{
    uint32_t diagonal = (uint32_t)(zigzag[at] / SIDE + zigzag[at] % SIDE);
    uint32_t chroma = subsampling == CHROMA_444 ? 120 : 80;
    uint32_t percent = component ? chroma : 100 - 30 * diagonal / 14;
    return at ? percent : percent * 3 / 4;
}

/* Both chroma of a drawing have the table of Cr, which is written once: a small logo takes 2 kB. */
static const uint32_t *table_of(enum tables tables, int component)
{
    return tuned[tables == DRAWING && component ? 2 : component];
}

void make_quantiser(struct quantiser *quantiser, enum tables tables, int component,
                    enum subsampling subsampling, uint32_t scale)
{
    const uint32_t *table = table_of(tables, component);
    for (int i = 0; i < BLOCK; i++) {
        uint64_t product =
            (uint64_t)table[zigzag[i]] * full_chroma(component, subsampling, i) / 10 *
            (tables == DRAWING ? drawn(component, subsampling, i) : 100) / 100 * scale;
        uint64_t step = (product + UNIT * SCALE_ONE / 2) / (UNIT * SCALE_ONE);
        step = step < 1 ? 1 : step > LARGEST_STEP ? LARGEST_STEP : step;
        quantiser->step[i] = (uint8_t)step;
        /* Twelve bits are shifted out again. */
        quantiser->reciprocal[i] =
            (uint32_t)(((UINT32_C(1) << (LEVEL_BITS - COEFFICIENT_BITS + 12)) + step / 2) / step);
    }
}
